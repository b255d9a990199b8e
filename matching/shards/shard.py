"""Everybody who has authority in one place, laid out in contiguous columns.

A row holds what a rule or a factor reads, in as few bytes as it takes; a therapist with authority
in several places has a row in each. Beside the rows stand bitmaps, one bit a row: who has a code,
one for each code, and who has an hour, one for each hour of the week. Rows are in no order: one
that goes is replaced by the last.

There is room for a whole number of words of 64 rows. Room that nobody uses is nobody: its last day
is 0, its bits are 0, and no therapist is at home there. So columns and bitmaps of a shard are read
to the end of the last word that is used, and all have the same length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from matching.hours import HOURS_A_WEEK
from matching.shards.codes import WORD, Bytes, Words

Bits = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]

WORDS_A_WEEK = -(-HOURS_A_WEEK // WORD)
STYLES = 4
NO_OLDEST = 255
NOT_STATED = np.iinfo(np.int32).max
# Styles are kept as hundredths of a step above the lowest, 0…600.
STYLE_OPEN = 601
# Spare rows when one more is needed: an eighth, so that growing is rare and memory is not wasted.
GROWTH = 8

BY_ROW: dict[str, type[np.generic]] = {
    "slot": np.uint32,
    "last_day": np.int32,
    "capacity": np.uint16,
    "youngest": np.uint8,
    "oldest": np.uint8,
    "fee": np.int32,
    "lowest_fee": np.int32,
    "is_home": np.bool_,
}
TALL: dict[str, type[np.generic]] = {
    "hours": np.uint64,
    "codes": np.uint64,
    "skills": np.uint8,
    "style": np.uint16,
}
BITMAPS = ("bitmaps", "hour_bitmaps")

# Hacker's Delight (Warren, 2nd edition, 7–3): a square of 64 × 64 bits is turned by exchanging its
# halves, their halves and so on; at each step bits move by so many places, under this mask.
TURNS = (
    (32, 0x00000000FFFFFFFF),
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)
# So many squares of each word are turned at once, few enough to stay in the processor's memory.
SQUARES = 256


@dataclass(frozen=True)
class Row:
    """One therapist's values, the same in each of their places.

    `hours` (3,) and `codes` (words,) are words of 64 bits, `skills` (bytes,) two bits a concern,
    `style` (4,) hundredths of a step, `flags` (codes,) and `hour_flags` (168,) a 0 or 1 for each
    code of the book and each hour of the week.
    """

    capacity: int
    youngest: int
    oldest: int
    fee: int
    lowest_fee: int
    hours: Words
    codes: Words
    skills: Bytes
    style: npt.NDArray[np.uint16]
    flags: Bits
    hour_flags: Bits


class Shard:
    """`rows` live rows at the front of columns with `room` for more.

    `end` is the end of the last word of rows that is used, at most 63 rows further.
    Columns of `BY_ROW` have the shape (room,), those of `TALL` (height, room), the bitmaps
    (flags, room / 8). Authority that ended before the day `starts_on` (an ordinal) counts for
    nothing: its row is as good as gone.
    """

    slot: npt.NDArray[np.uint32]
    last_day: npt.NDArray[np.int32]
    capacity: npt.NDArray[np.uint16]
    youngest: npt.NDArray[np.uint8]
    oldest: npt.NDArray[np.uint8]
    fee: npt.NDArray[np.int32]
    lowest_fee: npt.NDArray[np.int32]
    is_home: npt.NDArray[np.bool_]
    hours: Words
    codes: Words
    skills: npt.NDArray[np.uint8]
    style: npt.NDArray[np.uint16]
    bitmaps: Bits
    hour_bitmaps: Bits

    def __init__(self, code_words: int, skill_bytes: int, flags: int) -> None:
        self.rows = self.end = self.room = self.starts_on = 0
        heights = (WORDS_A_WEEK, code_words, skill_bytes, STYLES)
        for name, kind in BY_ROW.items():
            setattr(self, name, np.zeros(0, dtype=kind))
        for (name, kind), height in zip(TALL.items(), heights, strict=True):
            setattr(self, name, np.zeros((height, 0), dtype=kind))
        for name, height in zip(BITMAPS, (flags, HOURS_A_WEEK), strict=True):
            setattr(self, name, np.zeros((height, 0), dtype=np.uint8))

    @property
    def nbytes(self) -> int:
        return sum(getattr(self, name).nbytes for name in (*BY_ROW, *TALL, *BITMAPS))

    def bitmap(self, bit: int | None) -> Bits:
        """Who has the code of this bit, shape (end / 8,); None is nobody."""
        if bit is None or bit >= len(self.bitmaps):
            return np.zeros(self.end // 8, dtype=np.uint8)
        return self.bitmaps[bit, : self.end // 8]

    def having_hours(self, hours: list[int]) -> Bits:
        """Who has any of these hours of the UTC week, at least one. Shape (end / 8,)."""
        of_each = self.hour_bitmaps.take(hours, axis=0)
        of_any: Bits = np.bitwise_or.reduce(of_each, axis=0)
        return of_any[: self.end // 8]

    def start_on(self, day: int) -> int:
        """Let end what ended before this day (an ordinal); returns how many rows newly did."""
        last_day = self.last_day[: self.rows]
        newly = int(np.count_nonzero((last_day >= self.starts_on) & (last_day < day)))
        self.starts_on = day
        return newly

    def ended(self) -> Rows:
        """The rows whose authority has ended, ascending."""
        return np.flatnonzero(self.last_day[: self.rows] < self.starts_on)

    def next_last_day(self) -> int | None:
        """The earliest last day (an ordinal) of those in force."""
        in_force = self.last_day[: self.rows]
        in_force = in_force[in_force >= self.starts_on]
        return int(in_force.min()) if len(in_force) else None

    def append(self, slot: int, last_day: int, row: Row, *, is_home: bool) -> int:
        """Add a row; returns its number."""
        if self.rows == self.room:
            self.reserve(self.rows + max(WORD, self.rows // GROWTH))
        number = self.rows
        self.hold(number + 1)
        self.slot[number] = slot
        self.place_again(number, last_day, is_home=is_home)
        self.write(number, row)
        return number

    def place_again(self, number: int, last_day: int, *, is_home: bool) -> None:
        self.last_day[number] = last_day
        self.is_home[number] = is_home

    def write(self, number: int, row: Row) -> None:
        """Put a therapist's values into a row of theirs."""
        self.widen(len(row.codes), len(row.skills), len(row.flags))
        self.capacity[number] = row.capacity
        self.youngest[number] = row.youngest
        self.oldest[number] = row.oldest
        self.fee[number] = row.fee
        self.lowest_fee[number] = row.lowest_fee
        self.hours[:, number] = row.hours
        self.codes[:, number] = row.codes
        self.skills[:, number] = row.skills
        self.style[:, number] = row.style
        _flag(self.bitmaps, number, row.flags)
        _flag(self.hour_bitmaps, number, row.hour_flags)

    def remove(self, number: int) -> int | None:
        """Take a row out; returns the slot of the row that now has its number, if any moved."""
        last = self.rows - 1
        for bitmaps in (self.bitmaps, self.hour_bitmaps):
            flags = bitmaps[:, last // 8] >> np.uint8(last % 8) & np.uint8(1)
            _flag(bitmaps, number, flags)
            _flag(bitmaps, last, np.zeros_like(flags))
        for name in (*BY_ROW, *TALL):
            column = getattr(self, name)
            column[..., number] = column[..., last]
        self.place_again(last, 0, is_home=False)
        self.hold(last)
        return None if number == last else int(self.slot[number])

    def widen(self, code_words: int, skill_bytes: int, flags: int) -> None:
        """Make room for codes that were not known when the columns were made."""
        heights = {"codes": code_words, "skills": skill_bytes, "bitmaps": flags}
        for name, height in heights.items():
            if len(getattr(self, name)) < height:
                setattr(self, name, _taller(getattr(self, name), height))

    def hold(self, rows: int) -> None:
        """Say how many rows there are; there is room for them."""
        self.rows, self.end = rows, whole_words(rows)

    def reserve(self, room: int) -> None:
        """Room for so many rows, rounded up to whole words; spare room goes if there is less."""
        self.room = whole_words(room)
        for name in (*BY_ROW, *TALL):
            setattr(self, name, _longer(getattr(self, name), self.room, self.rows))
        for name in BITMAPS:
            setattr(self, name, _longer(getattr(self, name), self.room // 8, self.end // 8))

    def fill_bitmaps(self) -> None:
        """Write the bitmaps from the rows' own words; done once, after a bulk load."""
        for first in range(0, self.end // WORD, SQUARES):
            some = slice(WORD * first, min(WORD * (first + SQUARES), self.end))
            at = slice(some.start // 8, some.stop // 8)
            turned = _turned([*self.codes[:, some], *self.hours[:, some]])
            codes, hours = np.split(turned, [WORD * len(self.codes)])
            self.bitmaps[:, at] = codes[: len(self.bitmaps)]
            self.hour_bitmaps[:, at] = hours[:HOURS_A_WEEK]


def whole_words(rows: int) -> int:
    return WORD * -(-rows // WORD)


def _flag(bitmaps: Bits, number: int, flags: Bits) -> None:
    """Set or clear a row's bit in every bitmap at once."""
    shift = np.uint8(number % 8)
    column = bitmaps[: len(flags), number // 8]
    column &= ~(np.uint8(1) << shift)
    column |= flags << shift


def _turned(words: Sequence[Words]) -> Bits:
    """Words of a row each, (64 · squares,), as bitmaps. Shape (64 · words, 8 · squares)."""
    # Row r of a square stands at [word, r]; then all that is done is done to whole squares.
    square = np.empty((len(words), WORD, words[0].size // WORD), dtype=np.uint64)
    for number, each in enumerate(words):
        square[number] = each.reshape(-1, WORD).T
    half = np.empty(square.size // 2, dtype=np.uint64)
    for places, mask in TURNS:
        upper, lower = _halves(square, places)
        moving = half.reshape(upper.shape)
        np.right_shift(upper, np.uint64(places), out=moving)
        moving ^= lower
        moving &= np.uint64(mask)
        lower ^= moving
        moving <<= np.uint64(places)
        upper ^= moving
    return square.view(np.uint8).reshape(WORD * len(words), -1)


def _halves(squares: Words, places: int) -> tuple[Words, Words]:
    """Of each so many rows one after the other, the first half and the second. Both are views."""
    pairs = squares.reshape(len(squares), -1, 2, places, squares.shape[2])
    return pairs[:, :, 0], pairs[:, :, 1]


def _longer(column: npt.NDArray[Any], length: int, used: int) -> npt.NDArray[Any]:
    longer = np.zeros((*column.shape[:-1], length), dtype=column.dtype)
    longer[..., :used] = column[..., :used]
    return longer


def _taller(table: npt.NDArray[Any], height: int) -> npt.NDArray[Any]:
    taller = np.zeros((height, table.shape[1]), dtype=table.dtype)
    taller[: len(table)] = table
    return taller
