"""Who is with whom, growing by chains of moves in which nobody loses a place.

Objective: the largest number of given clients with one of those they may ask, capacities kept.
Steps: (1) everybody takes the first in their list with an open place; (2) from everybody who found
none, a tree of moves grows breadth first: whom they ask, who is there now, whom those could ask;
trees share no therapist, and one that reaches an open place is carried out (Berge 1957; Hopcroft
and Karp 1973; many trees at once: Azad, Buluç and Pothen 2015). When no tree reaches one, nobody
more can be placed, and what the trees have reached is closed for good.
Shapes: lists (clients, k), NOBODY where they are shorter.
Cost: O(clients · k) for growing all trees once, at worst as often as there are clients to place;
in practice some ten times.
"""

import numpy as np

from matching.allocation.candidates import NOBODY, Flags, Whole
from matching.ordering import rising


class Seating:
    """Begins from `chosen` (clients,), NOBODY for whoever has no place."""

    def __init__(self, lists: Whole, capacity: Whole, chosen: Whole | None = None) -> None:
        self.lists, self._capacity = lists, capacity
        nobody = np.full(len(lists), NOBODY)
        # The last stands for NOBODY: without room, and closed to every tree.
        closed = np.arange(len(capacity) + 1) == len(capacity)
        self.begin_from(nobody if chosen is None else chosen, closed)

    def begin_from(self, chosen: Whole, closed: Flags) -> None:
        self.chosen, self.closed = chosen, closed
        load = np.bincount(chosen[chosen != NOBODY], minlength=len(self._capacity))
        self.room = np.append(self._capacity - load, 0)

    @property
    def places(self) -> int:
        """How many are open."""
        return int(self.room.sum())

    def waiting(self, clients: Whole) -> Whole:
        """Those of `clients` who have no place."""
        waiting: Whole = clients[self.chosen[clients] == NOBODY]
        return waiting

    def with_a_way(self, clients: Whole) -> Whole:
        """Those of `clients` who have a candidate that is not closed."""
        return clients[~self.closed[self.lists[clients]].all(axis=1)]

    def seat(self, clients: Whole, most: int | None = None) -> int:
        """Place as many as possible of `clients`, who have no place; returns how many.

        At most `most` of them. Where nobody had a way, what they could reach is closed.
        """
        self.chosen = self.chosen.copy()
        most = len(clients) if most is None else min(most, len(clients))
        placed = self._seat_where_there_is_room(clients, most)
        while placed < most:
            grown = self._grow(self.waiting(clients), most - placed)
            if not grown:
                break
            placed += grown
        return placed

    def _seat_where_there_is_room(self, clients: Whole, most: int) -> int:
        """Again and again, everybody takes the first in their list with an open place."""
        placed = 0
        lists = self.lists.take(clients, axis=0)
        while placed < most and len(clients) and lists.shape[1]:
            is_open = self.room.take(lists) > 0
            first = is_open.argmax(axis=1)
            at = np.flatnonzero(is_open[np.arange(len(clients)), first])
            clients, lists = clients[at], lists[at]
            asked = lists[np.arange(len(clients)), first[at]]
            finds = _turns(asked) < self.room[asked]
            finds &= finds.cumsum() <= most - placed
            self.chosen[clients[finds]] = asked[finds]
            self.room -= np.bincount(asked[finds], minlength=len(self.room))
            placed += int(np.count_nonzero(finds))
            clients, lists = clients[~finds], lists[~finds]
        return placed

    def _grow(self, roots: Whole, most: int) -> int:
        """One tree from each of `roots`, and those carried out that reach an open place."""
        forest = _Forest(self, roots)
        while len(forest.frontier) and len(forest.ends) < most:
            forest.grow()
        if not forest.ends:
            self.closed = forest.seen
        ends = forest.ends[:most]
        for therapist in ends:
            self._move(therapist, forest.asked_by)
        return len(ends)

    def _move(self, therapist: int, asked_by: Whole) -> None:
        """Back along the chain: everybody moves to whom they asked, the last to the open place."""
        self.room[therapist] -= 1
        while therapist != NOBODY:
            client = asked_by[therapist]
            therapist, self.chosen[client] = int(self.chosen[client]), therapist


class _Forest:
    """Trees of moves: a client asks therapists, full ones have clients who could ask others."""

    def __init__(self, seating: Seating, roots: Whole) -> None:
        self.lists, self.room = seating.lists, seating.room
        self.seen: Flags = seating.closed.copy()
        self.asked_by: Whole = np.full(len(self.seen), NOBODY)
        self.root_of: Whole = np.full(len(self.seen), NOBODY)
        self.is_done = np.zeros(len(seating.chosen), dtype=np.bool_)
        self.frontier = self.roots = roots
        self.ends: list[int] = []
        placed = np.flatnonzero(seating.chosen != NOBODY)
        self.held = placed[rising(seating.chosen[placed], len(self.room))]
        load = np.bincount(seating.chosen[placed], minlength=len(self.room) - 1)
        self.load, self.start = load, np.append(0, load.cumsum())

    def grow(self) -> None:
        """Everybody of the frontier asks; whoever is with those asked is the next frontier."""
        asked = self.lists.take(self.frontier, axis=0)
        before = self.seen.copy()
        at = np.flatnonzero(~before.take(asked))
        therapist, row = asked.ravel()[at], at // asked.shape[1]
        self.asked_by[therapist] = self.frontier[row]
        self.root_of[therapist] = self.roots[row]
        self.seen[therapist] = True
        new = np.flatnonzero(self.seen & ~before)
        self._end_at(new[self.room[new] > 0])
        self._pass_on(new[self.room[new] == 0])

    def _end_at(self, therapists: Whole) -> None:
        """One for each tree, which then grows no further."""
        roots, first = np.unique(self.root_of[therapists], return_index=True)
        self.is_done[roots] = True
        self.ends += therapists[first].tolist()

    def _pass_on(self, therapists: Whole) -> None:
        therapists = therapists[~self.is_done[self.root_of[therapists]]]
        load = self.load[therapists]
        offset = np.arange(load.sum()) - np.repeat(load.cumsum() - load, load)
        self.frontier = self.held[np.repeat(self.start[therapists], load) + offset]
        self.roots = np.repeat(self.root_of[therapists], load)


def _turns(therapist: Whole) -> Whole:
    """0, 1, 2 … for the first, second, third … who asks the same therapist."""
    order = rising(therapist, int(therapist.max(initial=0)) + 1)
    asked = therapist[order]
    starts = np.flatnonzero(np.append(True, asked[1:] != asked[:-1])[: len(asked)])
    lengths = np.diff(np.append(starts, len(asked)))
    turn = np.empty(len(asked), dtype=np.int64)
    turn[order] = np.arange(len(asked)) - np.repeat(starts, lengths)
    return turn
