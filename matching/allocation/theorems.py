"""What is true of an allocation, each truth computed from the candidates alone.

Objective: to certify what an algorithm says, without knowing how it came to it. A search shares
with this only the bounds, by which it knows that it may end, and whom a therapist rather has.
Sources: weak duality (Gale, Kuhn and Tucker 1951), for assignments as a market with prices
(Koopmans and Beckmann 1957; Shapley and Shubik 1971); stability (Gale and Shapley 1962); chains of
moves (Berge 1957) and what sets of clients can be placed (Edmonds and Fulkerson 1965).
Shapes: an allocation is `therapist` (clients,), numbers of therapists or NOBODY; `prices`
(therapists,); `priority` (clients,). Units: scores, prices and bounds in whole points; sums are
exact beyond 64 bits, too.
Cost: O(clients · k) each; besides, `upper_bound_of` sorts the clients, and `passed_over` looks at
each candidate once for those who wait in vain, and again for each who could be placed.
"""

import numpy as np

from matching.allocation.candidates import (
    MOST_POINTS,
    NOBODY,
    Allocation,
    Candidates,
    Choice,
    Whole,
)


def is_feasible(candidates: Candidates, therapist: Whole) -> bool:
    """Everybody is with one of their own candidates or nobody, and no capacity is exceeded.

    `therapist` (clients,), NOBODY for whoever waits on.
    """
    placed = therapist != NOBODY
    if not np.any(candidates.is_with(therapist), axis=1, keepdims=True)[placed].all():
        return False
    return bool((_load(candidates, therapist) <= candidates.capacity).all())


def upper_bound(candidates: Candidates, prices: Whole) -> int:
    """D = Σ capacity · price + Σ max(0, max(score − price)): no total of scores is higher.

    For any `prices` (therapists,) ≥ 0 (weak duality of linear programming).
    """
    best = _best_worth(candidates, prices)
    return _sum(candidates.capacity * prices) + _sum(np.maximum(best, 0))


def upper_bound_of(choice: Choice, prices: Whole) -> int:
    """The same for the allocations that a choice leaves: no total of theirs is higher.

    Whoever must be placed counts with max(score − price), below 0 too, and of the others only as
    many as are placed, those with most: so it lies at or below `upper_bound`.
    """
    best = _best_worth(choice.candidates, prices)
    others = np.sort(best[~choice.must])[::-1][: choice.placed - np.count_nonzero(choice.must)]
    certain = _sum(choice.candidates.capacity * prices) + _sum(best[choice.must])
    return certain + _sum(others[others > _NEVER // 2])


def duality_gap(allocation: Allocation) -> float:
    """By what share of its total another allocation of the same choice could be better at most.

    (D − total) / total with D = `upper_bound_of` its own prices; 0 proves that none is better. For
    what `allocate` found: others carry no choice.
    """
    assert allocation.choice is not None
    bound = upper_bound_of(allocation.choice, allocation.prices)
    return (bound - allocation.total) / max(allocation.total, 1)


def blocking_pairs(candidates: Candidates, therapist: Whole, priority: Whole | None = None) -> int:
    """How many (client, therapist) pairs would both rather have each other.

    Clients prefer by score, equals by the place in their list; therapists by the client's
    `priority` (clients,), then by score, then whoever comes first. A therapist with an open place
    takes anybody. None is what makes an allocation stable (Gale and Shapley 1962).
    """
    k = candidates.therapist.shape[1]
    mine = candidates.is_with(therapist)
    own = np.where(mine.any(axis=1), mine.argmax(axis=1) if k else 0, k)
    rather = candidates.is_there & (np.arange(k) < own[:, None])
    liking = liking_of(candidates, priority)
    least = np.full(len(candidates.capacity), np.iinfo(np.int64).max)
    np.minimum.at(least, therapist[therapist != NOBODY], liking[mine])
    has_room = _load(candidates, therapist) < candidates.capacity
    wanted = candidates.therapist[rather]
    return int(np.count_nonzero(has_room[wanted] | (liking[rather] > least[wanted])))


def passed_over(candidates: Candidates, therapist: Whole, priority: Whole | None = None) -> int:
    """How many wait on who could have been placed, if only those who come after them gave way.

    A chain of moves leads from them to an open place, or to somebody of lower `priority`. None
    means: as many are placed as can be at all, and for every level of priority as many of that
    level or above (the placeable sets are a transversal matroid; Edmonds and Fulkerson 1965).
    """
    level = np.zeros(candidates.clients, dtype=np.int64) if priority is None else priority
    held: list[list[int]] = [[] for _ in candidates.capacity]
    for client in np.flatnonzero(therapist != NOBODY).tolist():
        held[therapist[client]].append(client)
    has_room = _load(candidates, therapist) < candidates.capacity
    town = _Town(candidates.therapist.tolist(), held, has_room.tolist(), level.tolist())
    waiting = np.flatnonzero(therapist == NOBODY)
    # Where a client found no way, nobody of lower priority will.
    in_turn = waiting[np.argsort(-level[waiting], kind="stable")].tolist()
    return sum(map(town.has_way_in_for, in_turn))


class _Town:
    def __init__(
        self,
        lists: list[list[int]],
        held: list[list[int]],
        has_room: list[bool],
        level: list[int],
    ) -> None:
        self.lists, self.held, self.has_room, self.level = lists, held, has_room, level
        self.closed: set[int] = {NOBODY}

    def has_way_in_for(self, waiting: int) -> bool:
        seen, reached = set(self.closed), [waiting]
        for client in reached:
            if self.level[client] < self.level[waiting]:
                return True
            new = [each for each in self.lists[client] if each not in seen]
            if any(self.has_room[each] for each in new):
                return True
            seen.update(new)
            reached.extend(other for each in new for other in self.held[each])
        self.closed = seen
        return False


_NEVER = np.iinfo(np.int64).min // 2
# So many clients at once are counted in the processor's own memory.
_BLOCK = 500


def _best_worth(candidates: Candidates, prices: Whole) -> Whole:
    """Shape (clients,): max(score − price), below what is possible where there is no candidate."""
    # The last stands for NOBODY.
    prices = np.append(prices, -_NEVER)
    best = np.empty(candidates.clients, dtype=np.int64)
    for start in range(0, len(best), _BLOCK):
        rows = slice(start, start + _BLOCK)
        worth = candidates.score[rows] - prices.take(candidates.therapist[rows])
        best[rows] = worth.max(axis=1, initial=_NEVER)
    return best


def _sum(numbers: Whole) -> int:
    """Exact, also beyond 64 bits."""
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


def _load(candidates: Candidates, therapist: Whole) -> Whole:
    return np.bincount(therapist[therapist != NOBODY], minlength=len(candidates.capacity))


def liking_of(candidates: Candidates, priority: Whole | None) -> Whole:
    """Shape (clients, k): one number for each pair, higher for whom a therapist rather has."""
    clients = candidates.clients
    # Ranks, so that everything fits into 64 bits: (rank · points + score) · clients.
    rank = np.zeros(clients, dtype=np.int64)
    if priority is not None:
        rank = np.unique(priority, return_inverse=True)[1]
    by_need = rank[:, None] * (MOST_POINTS + 1) + candidates.score
    liking: Whole = by_need * clients + np.arange(clients)[::-1, None]
    return liking
