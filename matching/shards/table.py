"""Therapists by column, for loading many at once: what a database or a generator can fill fast."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt

from matching.checking import MOST_MONEY, MOST_PLACES
from matching.errors import BadRow
from matching.hours import HOURS_A_WEEK
from matching.ids import order_of
from matching.model import ANY_CODE, Vocabulary
from matching.ordering import rising
from matching.records import Records
from matching.shards.codes import WORD, Bytes, Codebook, Skillbook, Words
from matching.shards.directory import Directory
from matching.shards.rows import OPEN
from matching.shards.shard import NO_OLDEST, NOT_STATED, STYLE_OPEN, Shard
from matching.terms import FULL, OLDEST

Slots = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
# The field, which rows are fine, and what the others must be.
Check = tuple[str, Flags, str]

# Columns that a shard has as they are here.
COPIED = (
    *("capacity", "youngest", "oldest", "fee", "lowest_fee"),
    *("hours", "codes", "skills", "style"),
)
# Live therapists without authority anywhere stand here: nobody is offered them, but they count.
NOWHERE = ""
BITS_OF_LAST_DAY = np.uint64(HOURS_A_WEEK % WORD)


@dataclass(frozen=True)
class Table:
    """Live therapists; entry i of each column is one of them. Types: as in a shard.

    `ids` (n, 2) are the high and low halves of UUIDs. `hours` (3, n) and `codes` (words, n) are
    words of 64 bits, the codes as `book` numbers them and with what `matching.shards.rows` derives.
    `skills` (bytes, n) are two bits a concern, as `skillbook` numbers them; `style` (4, n). What
    is not stated has the shard's value for it. Authority is three columns of equal length:
    `held_by` an entry of the others, `held_in` one of `places`, `last_day` the ordinal of the last
    day on which they may practise there. `records` has a slot an entry, for those who have any.
    """

    ids: Words
    capacity: npt.NDArray[np.uint16]
    youngest: npt.NDArray[np.uint8]
    oldest: npt.NDArray[np.uint8]
    fee: npt.NDArray[np.int32]
    lowest_fee: npt.NDArray[np.int32]
    hours: Words
    codes: Words
    skills: Bytes
    style: npt.NDArray[np.uint16]
    places: tuple[str, ...]
    held_by: npt.NDArray[np.uint32]
    held_in: npt.NDArray[np.uint16]
    last_day: npt.NDArray[np.int32]
    book: Codebook
    skillbook: Skillbook
    vocabulary: Vocabulary = field(default=ANY_CODE)
    records: Records = field(default_factory=Records)

    def __len__(self) -> int:
        return len(self.ids)

    def check(self) -> None:
        """Raises BadRow for a row that cannot be right, naming the field."""
        if len(self.held_by) and self.held_by.max() >= len(self):
            raise BadRow(int(self.held_by.max()), "authority", "is held by nobody in the table")
        for name, fine, reason in chain(self._checks_of_rows(), self._checks_of_authority()):
            if not fine.all():
                raise BadRow(int(np.flatnonzero(~fine)[0]), name, reason)

    def laid_out(self) -> tuple[Directory, dict[str, Shard]]:
        """The directory and a shard for each place. Cost: O(rows), and a sort of the ids."""
        slots: Slots = np.empty(len(self), dtype=np.uint32)
        slots[self._by_id] = np.arange(len(self), dtype=np.uint32)
        held = self._held
        slot = slots.take(held.by)
        shards = {place: self._shard(held, part, slot) for place, part in held.places()}
        directory = Directory.of(self._ids_in_order, slot, held.number, held.row, held.is_home)
        return directory, shards

    @property
    def records_by_slot(self) -> Records:
        return self.records.renumbered(self._by_id)

    @cached_property
    def _by_id(self) -> npt.NDArray[np.intp]:
        return order_of(self.ids)

    @cached_property
    def _ids_in_order(self) -> Words:
        return self.ids.take(self._by_id, axis=0)

    def _repeated(self) -> Flags:
        high, low = self._ids_in_order.T
        repeated = np.zeros(len(self), dtype=np.bool_)
        repeated[self._by_id[1:]] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
        return repeated

    @cached_property
    def _held(self) -> "Held":
        """Once it is known that authority is in a place of somebody in the table."""
        somewhere = np.zeros(len(self), dtype=np.bool_)
        somewhere[self.held_by] = True
        homeless = np.flatnonzero(~somewhere).astype(np.uint32)
        nowhere = np.full(len(homeless), len(self.places), np.uint16)
        never = np.full(len(homeless), date.min.toordinal(), np.int32)
        by = np.concatenate((self.held_by, homeless))
        at = np.concatenate((self.held_in, nowhere))
        until = np.concatenate((self.last_day, never))
        order, names = rising(at, len(self.places) + 1), (*self.places, NOWHERE)
        counts, is_home = np.bincount(at, minlength=len(names)), _is_first(by, len(self))
        return Held(names, counts, by.take(order), until.take(order), is_home.take(order))

    def _shard(self, held: "Held", part: slice, slot: Slots) -> Shard:
        count = part.stop - part.start
        shard = Shard(len(self.codes), len(self.skills), len(self.book))
        shard.reserve(count)
        shard.hold(count)
        shard.slot[:count] = slot[part]
        shard.last_day[:count] = held.until[part]
        shard.is_home[:count] = held.is_home[part]
        self._copy_to(shard, held.by[part])
        shard.fill_bitmaps()
        return shard

    def _copy_to(self, shard: Shard, entries: Slots) -> None:
        """Whole columns are written, which is faster; in the rest of them is nobody."""
        rows = np.zeros(shard.room, dtype=np.intp)
        rows[: len(entries)] = entries
        for name in COPIED:
            column = getattr(shard, name)
            # Without `clip` numpy fills a buffer first; no row is out of bounds.
            getattr(self, name).take(rows, axis=-1, out=column, mode="clip")
            column[..., len(entries) :] = 0

    def _checks_of_rows(self) -> Iterator[Check]:
        """What must be true of each row; what a code repeats must agree with its column."""
        yield "id", ~self._repeated(), "is the id of an earlier row"
        yield "capacity", self.capacity <= MOST_PLACES, f"must be from 0 to {MOST_PLACES}"
        yield "capacity", self._says(OPEN) == (self.capacity > 0), "and its code must agree"
        limit = (self.oldest == NO_OLDEST) | (self.oldest <= OLDEST)
        limit &= (self.youngest <= OLDEST) & (self.youngest <= self.oldest)
        yield "ages", limit, "must be the youngest and the oldest"
        yield "fee", _is_money(self.fee), f"must be a whole number from 0 to {MOST_MONEY}"
        slides = _is_money(self.lowest_fee) & (self.lowest_fee <= self.fee)
        slides &= (self.lowest_fee == NOT_STATED) == (self.fee == NOT_STATED)
        yield "sliding_from", slides, "must lie between 0 and the fee"
        yield (
            "record",
            self.records.within_limits(len(self)),
            f"must not pass {FULL}",
        )
        yield "hours", self.hours[-1] >> BITS_OF_LAST_DAY == 0, f"must be {HOURS_A_WEEK} bits"
        style = np.asarray((self.style <= STYLE_OPEN).all(axis=0), dtype=np.bool_)
        yield "style", style, f"must be a place from 0 to {STYLE_OPEN}"

    def _checks_of_authority(self) -> Iterator[Check]:
        yield "authority", self._unless(self.held_in >= len(self.places)), "must be in a place"
        yield "authority", self._unless(self.last_day < 1), "must be a day"
        yield "authority", self._once_a_place(), "is given twice in a place"

    def _once_a_place(self) -> Flags:
        """Which rows have no two entries of authority for one place."""
        fine, last = np.ones(len(self), dtype=np.bool_), np.empty(len(self), dtype=np.intp)
        for _, part in self._held.places():
            by = self._held.by[part]
            # Each is written over by whoever comes later, who is nobody else.
            last[by] = number = np.arange(len(by))
            fine[by[last.take(by) != number]] = False
        return fine

    def _unless(self, bad: Flags) -> Flags:
        """Which rows have no entry of authority that is bad. Shape (entries,) to (n,)."""
        fine = np.ones(len(self), dtype=np.bool_)
        fine[self.held_by[bad]] = False
        return fine

    def _says(self, code: tuple[str, str]) -> Flags:
        """Which rows have this code."""
        bit = self.book.bit(*code)
        if bit is None:
            return np.zeros(len(self), dtype=np.bool_)
        word, place = divmod(bit, WORD)
        return np.asarray(self.codes[word] >> np.uint64(place) & np.uint64(1), dtype=np.bool_)


@dataclass(frozen=True)
class Held:
    """Who may practise where, one entry a person and place; the first of a person is home.

    Place by place, in the order of `names`, with `counts` (names,) entries each.
    """

    names: tuple[str, ...]
    counts: npt.NDArray[np.intp]
    by: npt.NDArray[np.uint32]
    until: npt.NDArray[np.int32]
    is_home: Flags

    def places(self) -> Iterator[tuple[str, slice]]:
        """Each place with its entries; places that nobody holds are left out."""
        for name, end, count in zip(self.names, self.counts.cumsum(), self.counts, strict=True):
            if count:
                yield name, slice(end - count, end)

    @property
    def number(self) -> npt.NDArray[np.uint16]:
        """The number of each entry's shard, counting only places that somebody holds."""
        counts = self.counts[self.counts > 0]
        return np.repeat(np.arange(len(counts), dtype=np.uint16), counts)

    @property
    def row(self) -> npt.NDArray[np.uint32]:
        """The number of each entry in its shard."""
        start = (self.counts.cumsum() - self.counts).astype(np.uint32)
        return np.arange(len(self.by), dtype=np.uint32) - np.repeat(start, self.counts)


def _is_first(of: npt.NDArray[np.uint32], count: int) -> Flags:
    """Which entries are the first of each person; there are `count`, and all have one."""
    first = np.empty(count, dtype=np.intp)
    # Written from the last entry to the first, so that the first of each stays.
    first[of[::-1]] = np.arange(len(of))[::-1]
    is_first = np.zeros(len(of), dtype=np.bool_)
    is_first[first] = True
    return is_first


def _is_money(amount: npt.NDArray[np.int32]) -> Flags:
    return np.asarray((amount == NOT_STATED) | (amount >= 0) & (amount <= MOST_MONEY))
