"""A ranking: everybody whom no rule fails, with their points, and who of them comes first.

Objective: the `limit` highest totals Σ weight · score of those whom no rule fails, less a price
where there is one; equals by id. Weights and scores add up as in additive weighting (Churchman and
Ackoff 1954); which factors there are, and their weights, is the product's choice, from no paper.
Steps: (1) rules about codes and hours are bitmaps, combined 64 rows at a time, rules about figures
flags, in the one shard of the client's place (`passing`); (2) each factor reads its columns for the
rows that are left, and no others (`scoring`); (3) the total of the last to be shown is found by
selection, not by sorting (Hoare 1961; numpy's `partition` is introselect, Musser 1997), once the
best of each of a few groups has told who need not be looked at; (4) only those at least as good are
put in order.
Shapes: n rows are left of the m of a shard; `rows`, `totals` and each line of `points` (n,).
Units: scores are whole, 0 to 1000, weights sum to 1000; so points and totals are whole numbers up
to a million, sums are exact, and no order depends on rounding.
Cost: m / 8 bytes for each bitmap and one column of m for each flag; besides that O(n) for each
factor and for the selection, log₂(prices) more a row where there are prices, and
O(limit · log limit) for the order.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from matching.asking import Asked
from matching.model import Weights
from matching.passing import eligible
from matching.prices import Prices
from matching.reasons import Match
from matching.scoring import Figures, Points, points_of, totals_of
from matching.shards.codes import Words
from matching.shards.directory import Directory
from matching.shards.shard import Rows
from matching.terms import LITTLE_KNOWN, NEEDED_ELSEWHERE

Positions = npt.NDArray[np.intp]

# How many groups for each one to be shown; with fewer totals in each it is as fast without.
GROUPS = 16
WORTH_GROUPING = 8
# Lines that only those have for whom they come to something.
BESIDES = {LITTLE_KNOWN, NEEDED_ELSEWHERE}


@dataclass(slots=True)
class Found:
    """`rows` (n,) of the shard ascending, `totals` (n,), `points` by line; all by position."""

    rows: Rows
    totals: Figures
    points: dict[str, Points]
    slots: npt.NDArray[np.uint32]
    directory: Directory

    @classmethod
    def ask(cls, asked: Asked, weights: Weights, prices: Prices, directory: Directory) -> Self:
        rows = eligible(asked)
        points = points_of(asked, rows, weights)
        if prices:
            ids = directory.ids.take(asked.shard.slot.take(rows), axis=0)
            points[NEEDED_ELSEWHERE] = -prices.of(ids)
        return cls(rows, totals_of(points, rows), points, asked.shard.slot, directory)

    def checked(self, limit: int | None) -> int:
        if limit is None:
            return len(self.rows)
        if limit < 0:
            raise ValueError("a limit is not negative")
        return limit

    def best(self, limit: int) -> list[Match]:
        """The best `limit`, by falling total, equals by id; only they are sorted."""
        if not limit:
            return []
        near = self._near(limit) if limit < len(self.rows) else np.arange(len(self.rows))
        return sorted(self._matches(near), key=lambda match: (-match.total, match.id))[:limit]

    def match(self, position: int) -> Match:
        return self._matches(np.array([position]))[0]

    def position_of(self, slot: int) -> int:
        """The position of somebody who is among them."""
        return int(np.flatnonzero(self.slots.take(self.rows) == slot)[0])

    def place_of(self, position: int) -> int:
        """Where somebody stands in the whole list, from 1."""
        better = int(np.count_nonzero(self.totals > self.totals[position]))
        ids = self._ids(np.flatnonzero(self.totals == self.totals[position]))
        (high, low), own = ids.T, self._ids(np.array([position]))[0]
        before = (high < own[0]) | (high == own[0]) & (low < own[1])
        return better + int(np.count_nonzero(before)) + 1

    def _matches(self, positions: Positions) -> list[Match]:
        names, columns = self.points.keys(), self.points.values()
        lines = zip(*[_at(each, positions) for each in columns], strict=True)
        points = [dict(zip(names, line, strict=True)) for line in lines]
        for line in BESIDES & names:
            points = [_without_nothing(each, line) for each in points]
        ids = self.directory.texts_of(self.slots.take(self.rows.take(positions)))
        return [*map(Match, ids, points, self.totals.take(positions).tolist())]

    def _near(self, limit: int) -> Positions:
        """Those no worse than the last to be shown; of many who equal that one, the first ids."""
        last = self._last_total(limit)
        near = (self.totals >= last).nonzero()[0]
        if len(near) == limit:
            return near
        is_equal = self.totals.take(near) == last
        better, equal = near[~is_equal], near[is_equal]
        high, missing = self._ids(equal)[:, 0], limit - len(better) - 1
        return np.concatenate((better, equal[high <= np.partition(high, missing)[missing]]))

    def _last_total(self, limit: int) -> int:
        """The total of the last one to be shown, of more than `limit`.

        The limit-th of the best of several groups has that total at most, so that whoever has less
        need not be looked at.
        """
        totals, groups = self.totals, GROUPS * limit
        each = len(totals) // groups
        if each >= WORTH_GROUPING:
            best = totals[: each * groups].reshape(each, groups).max(axis=0)
            totals = totals[totals >= _at_place(best, limit)]
        return _at_place(totals, limit)

    def _ids(self, positions: Positions) -> Words:
        slots = self.slots.take(self.rows.take(positions))
        return self.directory.ids.take(slots, axis=0)


def _at(points: Points, positions: Positions) -> list[int]:
    if isinstance(points, int):
        return [points] * len(positions)
    figures: list[int] = points.take(positions).tolist()
    return figures


def _at_place(totals: Figures, place: int) -> int:
    """The total that stands at this place, from 1, when the highest comes first."""
    from_below, ordered = len(totals) - place, totals.copy()
    ordered.partition(from_below)
    return int(ordered[from_below])


def _without_nothing(points: dict[str, int], line: str) -> dict[str, int]:
    """A price or a bonus of nothing is no line."""
    if not points[line]:
        del points[line]
    return points
