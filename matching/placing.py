"""How many can be placed at all, and how well the worst-off of them.

Objective: the largest number of clients with a candidate each, capacities kept; then the highest
floor at which as many can still be placed when nobody gets a candidate below it.
Steps (Hopcroft and Karp 1973, with capacities): (1) everybody takes the first candidate with an
open place; (2) whoever is left looks, level by level, for a chain of moves that ends at an open
place; (3) chains of the shortest length are carried out; (4) until there is none. The floor is
found by bisection over the scores there are, each try starting from the one before.
Cost: O(candidates · √clients) a try, about log₂(different scores) tries.
"""

from collections.abc import Iterator

import numpy as np

from matching.allocating import NOBODY, Candidates, Whole


def most_placed(candidates: Candidates, start: Whole | None = None) -> Whole:
    """Shape (clients,): a largest placement, whoever they are placed with. `start` is feasible."""
    chosen = np.full(candidates.clients, NOBODY) if start is None else start.copy()
    lists = [[one for one in row if one != NOBODY] for row in candidates.therapist.tolist()]
    return _Chains(lists, candidates.capacity.tolist(), chosen.tolist()).grown()


def highest_floor(candidates: Candidates) -> int:
    """The highest score that nobody need go below when as many as possible are placed.

    0 when nobody can be placed.
    """
    best = most_placed(candidates)
    wanted = int(np.count_nonzero(best != NOBODY))
    if not wanted:
        return 0
    scores = np.unique(candidates.score[candidates.is_there])
    low, high = 0, len(scores) - 1
    while low < high:
        middle = (low + high + 1) // 2
        kept = candidates.at_least(int(scores[middle]))
        tried = most_placed(kept, _still_there(kept, best))
        if np.count_nonzero(tried != NOBODY) >= wanted:
            low, best = middle, tried
        else:
            high = middle - 1
    return int(scores[low])


def _still_there(candidates: Candidates, chosen: Whole) -> Whole:
    among = ((candidates.therapist == chosen[:, None]) & candidates.is_there).any(axis=1)
    return np.where(among, chosen, NOBODY)


class _Chains:
    """A placement that grows by chains of moves."""

    def __init__(self, lists: list[list[int]], capacity: list[int], chosen: list[int]) -> None:
        self.lists, self.chosen = lists, chosen
        self.room = capacity
        self.held: list[set[int]] = [set() for _ in capacity]
        for client, therapist in enumerate(chosen):
            if therapist != NOBODY:
                self._seat(client, therapist)

    def grown(self) -> Whole:
        self._seat_where_there_is_room()
        while self._carry_out_shortest():
            pass
        return np.array(self.chosen, dtype=np.int64)

    def _seat(self, client: int, therapist: int) -> None:
        self.chosen[client] = therapist
        self.held[therapist].add(client)
        self.room[therapist] -= 1

    def _seat_where_there_is_room(self) -> None:
        for client in self._waiting():
            therapist = next((one for one in self.lists[client] if self.room[one]), NOBODY)
            if therapist != NOBODY:
                self._seat(client, therapist)

    def _waiting(self) -> list[int]:
        return [client for client, chosen in enumerate(self.chosen) if chosen == NOBODY]

    def _carry_out_shortest(self) -> bool:
        """One phase: levels from everybody who waits, then disjoint chains down the levels."""
        level, found = self._levels()
        if not found:
            return False
        carried = [self._follow(client, level) for client in self._waiting()]
        return any(carried)

    def _levels(self) -> tuple[dict[int, int], bool]:
        """Therapist → how many moves away; whether an open place was reached."""
        level: dict[int, int] = {}
        clients, depth, found = self._waiting(), 0, False
        while clients and not found:
            reached = []
            for client in clients:
                for therapist in self.lists[client]:
                    if therapist not in level:
                        level[therapist] = depth
                        reached.append(therapist)
                        found = found or self.room[therapist] > 0
            clients = [client for therapist in reached for client in self.held[therapist]]
            depth += 1
        return level, found

    def _follow(self, waiting: int, level: dict[int, int]) -> bool:
        """Look for a chain, depth first; carry it out when there is one."""
        trail = [(waiting, self._steps(waiting, 0, level))]
        moves: list[tuple[int, int]] = []
        while trail:
            client, steps = trail[-1]
            therapist, other = next(steps, (NOBODY, NOBODY))
            if therapist == NOBODY:
                trail.pop()
                del moves[-1:]
            elif other == NOBODY:
                self._carry_out([*moves, (client, therapist)])
                return True
            else:
                moves.append((client, therapist))
                trail.append((other, self._steps(other, len(trail), level)))
        return False

    def _steps(self, client: int, depth: int, level: dict[int, int]) -> Iterator[tuple[int, int]]:
        """(therapist, whom they would let go), NOBODY for an open place; each is tried once."""
        for therapist in self.lists[client]:
            if level.get(therapist) != depth:
                continue
            if self.room[therapist]:
                yield therapist, NOBODY
            del level[therapist]
            for other in tuple(self.held[therapist]):
                yield therapist, other

    def _carry_out(self, moves: list[tuple[int, int]]) -> None:
        for client, therapist in reversed(moves):
            left = self.chosen[client]
            if left != NOBODY:
                self.held[left].discard(client)
                self.room[left] += 1
            self._seat(client, therapist)
