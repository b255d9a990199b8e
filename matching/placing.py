"""Who can be placed: as many as possible, those of highest priority first, nobody badly.

Objective, in this order: (1) the largest number of clients with a candidate each, capacities kept;
(2) of all such placements one that leaves nobody out for somebody of lower priority; (3) the
highest floor: the lowest score among those placed, as high as it can be. (1) and (2) never
conflict: the sets of clients that can be placed are a transversal matroid (Edmonds and Fulkerson
1965), in which taking whoever still fits, in order of priority, leads to a set that is best at
every level of priority at once, and so to a largest one.
Steps: (1) everybody takes their first candidate with an open place; (2) from everybody who found
none, a tree of moves grows breadth first: whom they ask, who is there now, whom those could ask;
trees share no therapist, and one that reaches an open place is carried out (Berge 1957; Hopcroft
and Karp 1973; many trees at once: Azad, Buluç and Pothen 2015). When no tree reaches one, nobody
more can be placed, and what the trees have reached is closed for good. (3) By priority: all of a
group at once, or, where not all can be placed, its first half and then its second. (4) The floor is
found by bisection over the scores, each try starting from the last placement that was possible.
Shapes: clients by their candidates, (clients, k).
Cost: O(clients · k) for growing all trees once, at worst as often as there are clients to place;
in practice some ten times. About log₂(different scores) tries for the floor.
"""

import numpy as np

from matching.candidates import NOBODY, Candidates, Choice, Flags, Whole


def placeable(candidates: Candidates, priority: Whole | None = None) -> Whole:
    """Shape (clients,): a largest placement, NOBODY for whoever waits on, whatever the scores.

    With `priority` (clients,), higher first and equals as they stand, nobody waits on who could be
    placed if only those who come after them gave way.
    """
    seating = Seating(candidates)
    everybody = np.flatnonzero(candidates.has_any)
    if seating.places >= len(everybody) and seating.seat(everybody) == len(everybody):
        return seating.chosen
    if priority is None:
        seating.seat(everybody)
        return seating.chosen
    seating = Seating(candidates)
    in_turn = everybody[np.argsort(-priority[everybody], kind="stable")]
    _seat_in_turn(seating, in_turn)
    return seating.chosen


def _seat_in_turn(seating: "Seating", clients: Whole) -> None:
    """Place everybody for whom there is still a way, the first before those who follow."""
    groups = [clients]
    while groups and seating.places:
        group = seating.with_a_way(groups.pop())
        first, rest = np.split(group, [seating.places])
        groups += [rest] if len(rest) else []
        before = seating.chosen, seating.closed
        if seating.seat(first) < len(first) and len(first) > 1:
            seating.begin_from(*before)
            groups += np.array_split(first, 2)[::-1]


def highest_floor(candidates: Candidates, placed: Whole, *, any_of_them: bool) -> Whole:
    """As `placed`, with the highest lowest score at which as many can be placed.

    The same clients, or any of them all.
    """
    is_placed = placed != NOBODY
    if not is_placed.any():
        return placed
    best = candidates.best if any_of_them else np.where(is_placed, candidates.best, NOBODY)
    own = candidates.score_of(placed)
    low, high = int(own[is_placed].min()), int(np.sort(best)[-np.count_nonzero(is_placed)])
    # So many of them have nothing better than `high`.
    steps = np.unique(candidates.score[(candidates.score > low) & (candidates.score <= high)])
    done, left = 0, len(steps)
    while done < left:
        middle = (done + left + 1) // 2
        tried = _above(candidates, placed, own, best, int(steps[middle - 1]))
        if tried is None:
            left = middle - 1
        else:
            placed, is_placed, own = tried, tried != NOBODY, candidates.score_of(tried)
            done = int(np.searchsorted(steps, own[is_placed].min(), side="right"))
    return placed


def _above(
    candidates: Candidates, placed: Whole, own: Whole, best: Whole, floor: int
) -> Whole | None:
    """As many as in `placed`, with the scores `own`, and nobody below the floor, if that can be."""
    wanted = int(np.count_nonzero(placed != NOBODY))
    stays = (placed != NOBODY) & (own >= floor)
    seating = Seating(candidates, np.where(stays, placed, NOBODY), floor)
    missing = wanted - int(np.count_nonzero(stays))
    waiting = np.flatnonzero(~stays & (best >= floor))
    return seating.chosen if seating.seat(waiting, missing) == missing else None


def choice_left(candidates: Candidates, placed: Whole, *, any_of_them: bool, floor: bool) -> Choice:
    """What the total of scores may choose from, when as many are placed as in `placed`.

    The same clients, or any of them all; and, with `floor`, nobody worse than anybody there.
    """
    is_placed = placed != NOBODY
    count = int(np.count_nonzero(is_placed))
    kept = candidates.is_there
    if floor and count:
        kept = kept & (candidates.score >= candidates.score_of(placed)[is_placed].min())
    if any_of_them and count < np.count_nonzero(candidates.has_any):
        return Choice(candidates.only(kept), np.zeros_like(is_placed), count)
    return Choice(candidates.only(kept & is_placed[:, None]), is_placed, count)


def completed(choice: Choice, chosen: Whole) -> Whole:
    """As in `chosen`, and further clients until as many are placed as the choice says."""
    seating = Seating(choice.candidates, chosen)
    free = (chosen == NOBODY) & choice.candidates.has_any
    seating.seat(np.flatnonzero(free & choice.must))
    missing = choice.placed - np.count_nonzero(seating.chosen != NOBODY)
    seating.seat(np.flatnonzero(free & ~choice.must), int(missing))
    return seating.chosen


class Seating:
    """Who is with whom. It grows by chains of moves, in which nobody loses a place."""

    def __init__(self, candidates: Candidates, chosen: Whole | None = None, floor: int = 0) -> None:
        self._candidates, self.floor = candidates, floor
        self._capacity = candidates.capacity
        nobody = np.full(candidates.clients, NOBODY)
        # The last stands for NOBODY: without room, and closed to every tree.
        closed = np.arange(len(self._capacity) + 1) == len(self._capacity)
        self.begin_from(nobody if chosen is None else chosen, closed)

    def begin_from(self, chosen: Whole, closed: Flags) -> None:
        self.chosen, self.closed = chosen, closed
        load = np.bincount(chosen[chosen != NOBODY], minlength=len(self._capacity))
        self.room = np.append(self._capacity - load, 0)

    @property
    def places(self) -> int:
        """How many are open."""
        return int(self.room.sum())

    def with_a_way(self, clients: Whole) -> Whole:
        """Those of `clients` who have a candidate that is not closed."""
        return clients[~self.closed[self._candidates.therapist[clients]].all(axis=1)]

    def seat(self, clients: Whole, most: int | None = None) -> int:
        """Place as many as possible of `clients`, who have no place; returns how many.

        At most `most` of them. Where nobody had a way, what they could reach is closed.
        """
        self.chosen = self.chosen.copy()
        most = len(clients) if most is None else min(most, len(clients))
        placed = self._seat_where_there_is_room(clients, most)
        while placed < most:
            grown = self._grow(clients[self.chosen[clients] == NOBODY], most - placed)
            if not grown:
                break
            placed += grown
        return placed

    def asked_by(self, clients: Whole) -> Whole:
        """Whom each could ask, NOBODY for those below the floor."""
        therapist = self._candidates.therapist.take(clients, axis=0)
        if not self.floor:
            return therapist
        return np.where(
            self._candidates.score.take(clients, axis=0) >= self.floor, therapist, NOBODY
        )

    def _seat_where_there_is_room(self, clients: Whole, most: int) -> int:
        placed = 0
        lists = self.asked_by(clients)
        for at in range(lists.shape[1]):
            if placed >= most or not len(clients):
                break
            asked = lists[:, at]
            order = np.argsort(asked, kind="stable")
            turn = np.empty(len(asked), dtype=np.int64)
            turn[order] = _turns(asked[order])
            finds = turn < self.room[asked]
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
        self.seating, self.room = seating, seating.room
        self.seen: Flags = seating.closed.copy()
        self.asked_by: Whole = np.full(len(self.seen), NOBODY)
        self.root_of: Whole = np.full(len(self.seen), NOBODY)
        self.is_done = np.zeros(len(seating.chosen), dtype=np.bool_)
        self.frontier = self.roots = roots
        self.ends: list[int] = []
        placed = np.flatnonzero(seating.chosen != NOBODY)
        self.held = placed[np.argsort(seating.chosen[placed], kind="stable")]
        load = np.bincount(seating.chosen[placed], minlength=len(self.room) - 1)
        self.load, self.start = load, np.append(0, load.cumsum())

    def grow(self) -> None:
        """Everybody of the frontier asks; whoever is with those asked is the next frontier."""
        asked = self.seating.asked_by(self.frontier)
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
    """For therapists in order: 0, 1, 2 … within each."""
    starts = np.flatnonzero(np.append(True, therapist[1:] != therapist[:-1])[: len(therapist)])
    lengths = np.diff(np.append(starts, len(therapist)))
    return np.arange(len(therapist)) - np.repeat(starts, lengths)
