"""Who can be placed: as many as possible, those of highest priority first, nobody badly.

Objective, in this order: (1) the largest number of clients with a candidate each, capacities kept;
(2) of all such placements one that leaves nobody out for somebody of lower priority; (3) the
highest floor: the lowest score among those placed, as high as it can be. (1) and (2) never
conflict: the sets of clients that can be placed are a transversal matroid (Edmonds and Fulkerson
1965), in which taking whoever still fits, in order of priority, leads to a set that is best at
every level of priority at once, and so to a largest one.
Steps: (1) as many as there are places are seated at once, in order of priority (`seating`). (2)
Where not all of them can be, those who cannot and everybody whom they compete with (those with a
therapist whom they can reach) are more than the places within their reach, which nobody else needs:
all others have theirs for good (Dulmage and Mendelsohn 1958). Of these, so many as are too many
wait on, those of lowest priority if the rest can all be placed, which is nearly always so; else the
first half of them is seated and then the second. (3) The floor is found by bisection over the
scores, each try starting from the last placement that was possible.
Shapes: clients by their candidates, (clients, k).
Cost: that of `seating`, a few times for the priority, and log₂(different scores) times for the
floor.
"""

import numpy as np

from matching.allocation.candidates import NOBODY, Candidates, Choice, Flags, Whole
from matching.allocation.seating import Seating


def placeable(
    candidates: Candidates, priority: Whole | None = None, start: Whole | None = None
) -> Whole:
    """Shape (clients,): a largest placement, NOBODY for whoever waits on, whatever the scores.

    With `priority` (clients,), higher first and equals as they stand, nobody waits on who could be
    placed if only those who come after them gave way. `start` (clients,) is a placement to begin
    from, of some of those who come first.
    """
    seating = Seating(candidates.therapist, candidates.capacity, start)
    everybody = in_turn(candidates, priority)
    waiting = seating.waiting(everybody)
    if priority is None or seating.places >= len(waiting):
        if seating.seat(waiting) == len(waiting) or priority is None:
            return seating.chosen
        seating = Seating(candidates.therapist, candidates.capacity)
    _seat_in_turn(seating, everybody)
    return seating.chosen


def in_turn(candidates: Candidates, priority: Whole | None) -> Whole:
    """Everybody who has a candidate, highest priority first, equals as they stand."""
    everybody = np.flatnonzero(candidates.has_any)
    if priority is None:
        return everybody
    return everybody[np.argsort(-priority[everybody], kind="stable")]


def _seat_in_turn(seating: Seating, clients: Whole) -> None:
    """Place everybody for whom there is still a way, the first before those who follow."""
    groups = [clients]
    while groups:
        group = seating.with_a_way(groups.pop())
        waiting = seating.waiting(group)
        first, rest = np.split(group, [seating.places + len(group) - len(waiting)])
        groups += [rest] if len(first) and len(rest) else []
        open_before = ~seating.closed
        waiting = seating.waiting(first)
        if seating.seat(waiting) < len(waiting):
            groups += _those_who_compete(seating, first, open_before)[::-1]


def _those_who_compete(seating: Seating, group: Whole, open_before: Flags) -> list[Whole]:
    """Some of a group found no way: whoever has to give way does, or halves of those in question.

    In the latter case they have no place, and what only they can reach is open again.
    """
    within_reach = seating.closed & open_before
    is_waiting = seating.chosen[group] == NOBODY
    rivals = group[is_waiting | within_reach[seating.chosen[group]]]
    kept, last = np.split(rivals, [len(rivals) - np.count_nonzero(is_waiting)])
    if (seating.chosen[kept] != NOBODY).all():
        return []
    _reopen(seating, last, ~open_before)
    waiting = seating.waiting(kept)
    if seating.seat(waiting) == len(waiting):
        seating.closed |= within_reach
        return []
    _reopen(seating, rivals, ~open_before)
    return np.array_split(rivals, 2)


def _reopen(seating: Seating, clients: Whole, closed: Flags) -> None:
    """These give up their places."""
    chosen = seating.chosen.copy()
    chosen[clients] = NOBODY
    seating.begin_from(chosen, closed)


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
    lists = np.where(candidates.score >= floor, candidates.therapist, NOBODY)
    seating = Seating(lists, candidates.capacity, np.where(stays, placed, NOBODY))
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
    seating = Seating(choice.candidates.therapist, choice.candidates.capacity, chosen)
    free = (chosen == NOBODY) & choice.candidates.has_any
    seating.seat(np.flatnonzero(free & choice.must))
    missing = choice.placed - np.count_nonzero(seating.chosen != NOBODY)
    seating.seat(np.flatnonzero(free & ~choice.must), int(missing))
    return seating.chosen
