"""A waiting list placed at once: as many as possible, the neediest first, and nobody badly.

`Candidates` are the places that each client could take, with how well each would fit. `auction`
gives nearly the best total with a certificate of how near; `stable` an allocation that no client
and therapist would both leave; `most_placed` how many can be placed at all; `highest_floor` how
well the worst-off can be placed. Clients and therapists are numbers from 0 here, in the order of
the lists; scores are whole numbers, the totals of a ranking.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOBODY = -1


@dataclass(frozen=True)
class Candidates:
    """`therapist` (clients, k), NOBODY where a list is shorter; `score` (clients, k) ≥ 0.

    `capacity` (therapists,) open places. Nobody stands twice in one client's list.
    Raises ValueError for shapes that do not fit, numbers out of range or a repeated therapist.
    """

    therapist: Whole
    score: Whole
    capacity: Whole

    def __post_init__(self) -> None:
        if self.therapist.shape != self.score.shape or self.therapist.ndim != 2:
            raise ValueError("therapist and score must have one shape, (clients, k)")
        if (self.capacity < 0).any():
            raise ValueError("a capacity is not negative")
        if ((self.therapist < NOBODY) | (self.therapist >= len(self.capacity))).any():
            raise ValueError("a candidate is not among the therapists")
        if (self.score[self.is_there] < 0).any():
            raise ValueError("a score is not negative")
        in_order = np.sort(self.therapist, axis=1)
        if ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] != NOBODY)).any():
            raise ValueError("a therapist stands twice in one list")

    @property
    def clients(self) -> int:
        return len(self.therapist)

    @property
    def is_there(self) -> Flags:
        there: Flags = self.therapist != NOBODY
        return there

    def at_least(self, floor: int) -> "Candidates":
        """The same without candidates who score less."""
        kept = np.where(self.score >= floor, self.therapist, NOBODY)
        return Candidates(kept, self.score, self.capacity)


@dataclass(frozen=True)
class Allocation:
    """`therapist` (clients,), NOBODY for whoever waits on; `score` (clients,), 0 for them.

    `prices` (therapists,) are what a place was worth in the end, in points of score.
    """

    therapist: Whole
    score: Whole
    prices: Real

    @property
    def placed(self) -> int:
        return int(np.count_nonzero(self.therapist != NOBODY))

    @property
    def total(self) -> int:
        return int(self.score.sum())

    @property
    def worst(self) -> int | None:
        """The lowest score among those who are placed."""
        scores = self.score[self.therapist != NOBODY]
        return int(scores.min()) if len(scores) else None


def is_feasible(candidates: Candidates, allocation: Allocation) -> bool:
    """Everybody is with one of their own candidates or nobody, and no capacity is exceeded."""
    placed = np.flatnonzero(allocation.therapist != NOBODY)
    chosen = allocation.therapist[placed]
    among = (candidates.therapist[placed] == chosen[:, None]).any(axis=1).all()
    load = np.bincount(chosen, minlength=len(candidates.capacity))
    return bool(among and (load <= candidates.capacity).all())


def score_of(candidates: Candidates, therapist: Whole) -> Whole:
    """Shape (clients,): the score of whom each was given, 0 for nobody."""
    mine = (candidates.therapist == therapist[:, None]) & candidates.is_there
    score: Whole = np.where(mine, candidates.score, 0).sum(axis=1)
    return score


def duality_gap(value: Real, candidates: Candidates, therapist: Whole, prices: Real) -> float:
    """By how much the best total of `value` could exceed this one at most.

    D = Σ capacity · price + Σ max(0, max(value − price)) bounds every allocation's total from
    above for any prices ≥ 0 (weak duality of linear programming); the gap is D less the total.
    """
    worth = np.where(candidates.is_there, value - prices[candidates.therapist], 0)
    bound = float(candidates.capacity @ prices) + float(worth.max(axis=1, initial=0).sum())
    mine = (candidates.therapist == therapist[:, None]) & candidates.is_there
    return bound - float(np.where(mine, value, 0).sum())


def blocking_pairs(candidates: Candidates, therapist: Whole, preference: Whole) -> int:
    """How many (client, therapist) pairs would both rather have each other.

    Clients prefer by score, equals by the place in their list; therapists prefer a higher
    `preference` (clients, k), equals the client of lower number. A therapist with an open place
    takes anybody. None is what makes an allocation stable (Gale and Shapley 1962).
    """
    position = np.argsort(np.argsort(-candidates.score, axis=1, kind="stable"), axis=1)
    mine = (candidates.therapist == therapist[:, None]) & candidates.is_there
    own = np.where(mine.any(axis=1), np.where(mine, position, 0).sum(axis=1), position.shape[1])
    rather = candidates.is_there & (position < own[:, None])
    load = np.bincount(therapist[therapist != NOBODY], minlength=len(candidates.capacity))
    worst = _worst_held(candidates, mine, preference)
    client = np.arange(candidates.clients)[:, None]
    level, last = worst[0][candidates.therapist], worst[1][candidates.therapist]
    better = (preference > level) | ((preference == level) & (client < last))
    has_room = (load < candidates.capacity)[candidates.therapist]
    any_place = (candidates.capacity > 0)[candidates.therapist]
    return int(np.count_nonzero(rather & any_place & (has_room | better)))


def _worst_held(candidates: Candidates, mine: Flags, preference: Whole) -> tuple[Whole, Whole]:
    """For each therapist, preference and number of the client they would let go first."""
    client, column = np.nonzero(mine)
    held, level = candidates.therapist[client, column], preference[client, column]
    order = np.lexsort((client, -level, held))
    last = np.full(len(candidates.capacity), -1)
    last[held[order]] = order
    has = last >= 0
    lowest = np.where(has, level[last], np.iinfo(np.int64).min)
    return lowest, np.where(has, client[last], -1)
