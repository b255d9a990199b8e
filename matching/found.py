"""Everybody whom no rule fails, with their points, and who of them comes first."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from matching.codes import Words
from matching.directory import Directory
from matching.model import Weights
from matching.reasons import Match
from matching.scan import Asked, Figures, Points, Rows, eligible, points_of, totals_of

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Found:
    """`rows` (n,) of the shard ascending, `totals` (n,), `points` by factor; all by position."""

    rows: Rows
    totals: Figures
    points: dict[str, Points]
    slots: npt.NDArray[np.uint32]
    directory: Directory

    @classmethod
    def ask(cls, asked: Asked, weights: Weights, directory: Directory) -> Self:
        rows = eligible(asked)
        points = points_of(asked, rows, weights)
        return cls(rows, totals_of(points, rows), points, asked.shard.slot, directory)

    def checked(self, limit: int | None) -> int:
        if limit is None:
            return len(self.rows)
        if limit < 0:
            raise ValueError("a limit is not negative")
        return limit

    def first(self, limit: int) -> Positions:
        """Positions of the best `limit`, by falling total, equals by id.

        A partition finds the last total that is good enough; of those who have just that, another
        one finds the ids that come first; only who is left is sorted.
        """
        near = np.arange(len(self.rows))
        if 0 < limit < len(near):
            near = self._near(limit)
        ids = self._ids(near)
        order = np.lexsort((ids[:, 1], ids[:, 0], -self.totals[near]))
        return near[order][:limit]

    def place_of(self, position: int) -> int:
        """Where somebody stands in the whole list, from 1."""
        better = int(np.count_nonzero(self.totals > self.totals[position]))
        equal = np.flatnonzero(self.totals == self.totals[position])
        ids = self._ids(equal)
        order = equal[np.lexsort((ids[:, 1], ids[:, 0]))]
        return better + int(np.flatnonzero(order == position)[0]) + 1

    def matches(self, positions: Positions) -> tuple[Match, ...]:
        points = [
            [each] * len(positions) if isinstance(each, int) else each.take(positions).tolist()
            for each in self.points.values()
        ]
        ids = self.directory.ids_of(self.slots.take(self.rows.take(positions)))
        totals = self.totals.take(positions).tolist()
        lines = zip(*points, strict=True)
        return tuple(
            Match(each, dict(zip(self.points, line, strict=True)), total)
            for each, line, total in zip(ids, lines, totals, strict=True)
        )

    def points_at(self, position: int) -> dict[str, int]:
        return {
            factor: each if isinstance(each, int) else int(each[position])
            for factor, each in self.points.items()
        }

    def id_at(self, position: int) -> str:
        return self.directory.ids_of(self.slots[self.rows[[position]]])[0]

    def _near(self, limit: int) -> Positions:
        from_below = len(self.totals) - limit
        threshold = np.partition(self.totals, from_below)[from_below]
        better = np.flatnonzero(self.totals > threshold)
        equal = np.flatnonzero(self.totals == threshold)
        missing = limit - len(better)
        if missing < len(equal):
            high = self._ids(equal)[:, 0]
            equal = equal[high <= np.partition(high, missing - 1)[missing - 1]]
        return np.concatenate((better, equal))

    def _ids(self, positions: Positions) -> Words:
        return self.directory.ids[self.slots[self.rows[positions]]]


def nobody(weights: Weights) -> Found:
    """What is found in a place where nobody has authority."""
    rows = np.zeros(0, dtype=np.intp)
    points: dict[str, Points] = dict.fromkeys(weights.by_factor, 0)
    empty = np.zeros(0, dtype=np.uint32)
    return Found(rows, np.zeros(0, dtype=np.int32), points, empty, Directory())
