"""Where each therapist's rows are: a number a therapist (the slot), and in which shards they stand.

Whoever was loaded at once lies in order of id, sixteen bytes each and a few more; those who come
or move later are kept aside in dictionaries.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from matching.ids import HALF, LOW, order_of, texts, whole_id
from matching.ordering import rising
from matching.shards.codes import Words

GONE = -1
# Spare slots when one more is needed: an eighth, and a few at least.
GROWTH = 8
SPARE = 64
# About what an entry of a dictionary takes, key and value included.
ENTRY = 100


@dataclass(frozen=True)
class Elsewhere:
    """Rows outside their home of those loaded at once; of slot s, from start[s] to start[s + 1]."""

    start: npt.NDArray[np.uint32]
    shard: npt.NDArray[np.uint16]
    row: npt.NDArray[np.uint32]

    @classmethod
    def of(
        cls,
        slots: int,
        slot: npt.NDArray[np.uint32],
        shard: npt.NDArray[np.uint16],
        row: npt.NDArray[np.uint32],
    ) -> Self:
        order = rising(slot, slots)
        start = np.zeros(slots + 1, dtype=np.uint32)
        np.bincount(slot, minlength=slots).cumsum(out=start[1:])
        return cls(start, shard.take(order), row.take(order))

    @property
    def nbytes(self) -> int:
        return self.start.nbytes + self.shard.nbytes + self.row.nbytes

    def rows_of(self, slot: int) -> dict[int, int]:
        if slot + 1 >= len(self.start):
            return {}
        mine = slice(self.start[slot], self.start[slot + 1])
        return dict(zip(self.shard[mine].tolist(), self.row[mine].tolist(), strict=True))

    def move(self, slot: int, shard: int, row: int) -> None:
        mine = slice(self.start[slot], self.start[slot + 1])
        self.row[mine][self.shard[mine] == shard] = row


def nothing_elsewhere() -> Elsewhere:
    return Elsewhere(
        np.zeros(1, dtype=np.uint32), np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.uint32)
    )


class Directory:
    """Slot → id and rows; a slot whose `home_shard` is GONE stands for nobody now."""

    def __init__(
        self,
        ids: Words | None = None,
        home_shard: npt.NDArray[np.int32] | None = None,
        home_row: npt.NDArray[np.uint32] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`ids` has the shape (slots, 2), the high and the low half of each, in their order."""
        self.ids = np.zeros((0, 2), dtype=np.uint64) if ids is None else ids
        self.slots = self._sorted = len(self.ids)
        self.home_shard = np.zeros(0, np.int32) if home_shard is None else home_shard
        self.home_row = np.zeros(0, np.uint32) if home_row is None else home_row
        self._loaded = nothing_elsewhere() if elsewhere is None else elsewhere
        self._moved: dict[int, dict[int, int]] = {}
        self._added: dict[int, int] = {}

    @classmethod
    def of(
        cls,
        ids: Words,
        slot: npt.NDArray[np.uint32],
        shard: npt.NDArray[np.uint16],
        row: npt.NDArray[np.uint32],
        is_home: npt.NDArray[np.bool_],
    ) -> Self:
        """From `ids` (slots, 2) in their order, and all rows: whose, in which shard, which row."""
        home_shard, home_row = np.empty(len(ids), np.int32), np.empty(len(ids), np.uint32)
        home, others = np.flatnonzero(is_home), np.flatnonzero(~is_home)
        home_shard[slot.take(home)], home_row[slot.take(home)] = shard.take(home), row.take(home)
        of_others = slot.take(others), shard.take(others), row.take(others)
        return cls(ids, home_shard, home_row, Elsewhere.of(len(ids), *of_others))

    @property
    def nbytes(self) -> int:
        arrays = self.ids.nbytes + self.home_shard.nbytes + self.home_row.nbytes
        aside = len(self._added) + sum(2 + len(rows) for rows in self._moved.values())
        return arrays + self._loaded.nbytes + ENTRY * aside

    def find(self, therapist_id: str) -> int | None:
        """The slot of somebody who is in the index."""
        slot = self._slot(whole_id(therapist_id))
        return None if slot is None or self.home_shard[slot] == GONE else slot

    def open(self, therapist_id: str) -> int:
        """The slot of this id, a new one if need be."""
        whole = whole_id(therapist_id)
        slot = self._slot(whole)
        return self._new(whole) if slot is None else slot

    def texts_of(self, slots: npt.NDArray[np.uint32]) -> list[str]:
        """The ids of these slots as they are written."""
        return texts(self.ids.take(slots, axis=0))

    def in_order(self) -> npt.NDArray[np.intp]:
        """The slots of those who are there, in order of id."""
        there = np.flatnonzero(self.home_shard[: self.slots] != GONE)
        return there[order_of(self.ids[there])]

    def rows_of(self, slot: int) -> dict[int, int]:
        """{shard: row}, the home first; empty for a slot that stands for nobody."""
        if self.home_shard[slot] == GONE:
            return {}
        moved = self._moved.get(slot)
        others = self._loaded.rows_of(slot) if moved is None else moved
        return {int(self.home_shard[slot]): int(self.home_row[slot]), **others}

    def set_rows(self, slot: int, home: int, rows: dict[int, int]) -> None:
        """Where somebody stands now: `rows` is {shard: row}, `home` one of the shards."""
        self.home_shard[slot], self.home_row[slot] = home, rows[home]
        others = {shard: row for shard, row in rows.items() if shard != home}
        if slot in self._moved or others != self._loaded.rows_of(slot):
            self._moved[slot] = others

    def move(self, slot: int, shard: int, row: int) -> None:
        """A row of theirs has another number now."""
        if int(self.home_shard[slot]) == shard:
            self.home_row[slot] = row
        elif slot in self._moved:
            self._moved[slot][shard] = row
        else:
            self._loaded.move(slot, shard, row)

    def close(self, slot: int) -> None:
        self.home_shard[slot] = GONE
        self._moved[slot] = {}

    def _slot(self, whole: int) -> int | None:
        found = self._added.get(whole)
        return found if found is not None else self._among_sorted(whole)

    def _among_sorted(self, whole: int) -> int | None:
        high, low = np.uint64(whole >> HALF), np.uint64(whole & LOW)
        slot = int(np.searchsorted(self.ids[: self._sorted, 0], high))
        while slot < self._sorted and self.ids[slot, 0] == high:
            if self.ids[slot, 1] == low:
                return slot
            slot += 1
        return None

    def _new(self, whole: int) -> int:
        if self.slots == len(self.ids):
            self._reserve(self.slots + max(SPARE, self.slots // GROWTH))
        slot = self.slots
        self.slots += 1
        self.ids[slot] = whole >> HALF, whole & LOW
        self.home_shard[slot] = GONE
        self._added[whole] = slot
        return slot

    def _reserve(self, room: int) -> None:
        self.ids = _longer(self.ids, room)
        self.home_shard = _longer(self.home_shard, room)
        self.home_row = _longer(self.home_row, room)


def _longer(array: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    longer = np.zeros((room, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer
