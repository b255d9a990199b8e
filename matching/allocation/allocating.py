"""A waiting list placed at once: as many as possible, the neediest first, and nobody badly.

Objective, in this order: as many placed as can be placed at all; nobody waiting on while somebody
of lower priority has a place that could have been theirs; the lowest score as high as it can be;
the greatest total of scores. The first three are exact. The last is nearly so, and says how nearly:
`Allocation.gap` is certified by the prices (`theorems.duality_gap`).
Steps: (1) where there is room, an auction that places everybody is tried; without a floor that is
the answer; (2) else a largest placement is found, in order of priority (`clearing`, `placing`);
(3) the floor is raised as far as nobody loses their place by it, or without a priority, as far as
as many are placed (`placing`); (4) of the allocations that this leaves, the total is sought by an
auction that begins at the prices found.
Sources: what can be placed at every level of priority at once, Edmonds and Fulkerson 1965; the
floor is the bottleneck assignment (Gross 1959); the auction, Bertsekas 1988. That need comes before
fit, and the floor before the total, is the product's choice: a total looks at nobody's need.
Shapes: `Candidates` has lists (clients, k) and places (therapists,); `priority` (clients,). Units:
scores and prices in whole points, up to a million; priority in severity times days.
Cost: that of `placing` and of `auction`. `stability` and `arrival` are what it is compared with.
"""

from dataclasses import replace

import numpy as np

from matching.allocation.auction import GAP, auction, everybody_placed
from matching.allocation.candidates import Allocation, Candidates, Whole, whole
from matching.allocation.clearing import Cleared, cleared
from matching.allocation.placing import choice_left, highest_floor, in_turn, placeable
from matching.errors import BadRow

__all__ = ["Allocation", "Candidates", "allocate", "priority_of"]

MOST_PRIORITY = 2**40
# Days that the severity of somebody who has come today is multiplied by.
HEAD_START = 30


def allocate(
    candidates: Candidates,
    priority: Whole | None = None,
    *,
    floor: bool = True,
    gap: float = GAP,
) -> Allocation:
    """Place a waiting list. See the module.

    `priority` (clients,): whole numbers, higher first; among equals whoever stands first in the
    list. Without it nobody comes before anybody, and of those who cannot all be placed the total of
    scores decides. Without `floor` the lowest score may be lower than it need be, and the answer
    comes sooner. `gap` is the share of the total that may be missing. Raises BadRow.
    """
    _check(candidates, priority)
    candidates = candidates.with_places
    found = everybody_placed(candidates, gap)
    if found is not None and not floor:
        return found
    start = found or _begun(candidates, priority)
    placed, any_of_them = start.therapist, priority is None
    if floor:
        placed = highest_floor(candidates, placed, any_of_them=any_of_them)
    choice = choice_left(candidates, placed, any_of_them=any_of_them, floor=floor)
    return auction(choice, gap, placed, start.prices)


def _begun(candidates: Candidates, priority: Whole | None) -> Cleared:
    """A largest placement, and prices as if whoever comes first could be placed."""
    clients, places = in_turn(candidates, priority), candidates.places
    first = clients if priority is None else clients[:places]
    begun = cleared(candidates, first, places)
    return replace(begun, therapist=placeable(candidates, priority, begun.therapist))


def priority_of(severity: Whole, days: Whole) -> Whole:
    """Severity (1 to 3) times the days waited, with a head start of thirty days for everybody.

    So nobody waits for ever: somebody of severity 1 comes before somebody of severity 3 who has
    come today after sixty days. Shapes (clients,) both. The rule is the product's own, from no
    standard; docs/reference/waiting-list.md says what it does.
    """
    priority: Whole = np.asarray(severity) * (np.asarray(days) + HEAD_START)
    return priority


def _check(candidates: Candidates, priority: Whole | None) -> None:
    if priority is None:
        return
    if np.shape(priority) != (candidates.clients,):
        raise BadRow(0, "priority", "must be given for every client")
    whole(priority, "priority", MOST_PRIORITY)
