"""Where places are scarce and where they are not: parts that have nothing to do with each other.

Of all placements with as many as can be, each keeps to the same three parts (Dulmage and Mendelsohn
1958), so that each part can be settled by itself: where more ask than there are places, and every
place is taken; where there are as many places as clients, all of whom are placed; and where a place
is or could be left open. Nobody uses a place in another part.
Steps: (1) from those who wait on, to whom they could ask and who is there now, and so on; (2) from
open places back to whoever could ask for them, to the places these have now, and so on; (3) the
rest is exactly filled.
Cost: O(clients · k), for (2) at worst as often as a chain of moves is long.
"""

from dataclasses import dataclass, replace

import numpy as np

from matching.allocation.candidates import NOBODY, Allocation, Choice, Flags, Whole
from matching.allocation.seating import Seating
from matching.allocation.theorems import duality_gap


@dataclass(frozen=True)
class Part:
    """`clients` by number, `therapists` (therapists,), and what is left to choose here."""

    clients: Whole
    therapists: Flags
    choice: Choice


def parts_of(choice: Choice, placed: Whole) -> list[Part]:
    """`placed` (clients,) is one of the allocations that the choice leaves."""
    crowded = _crowded(choice, placed)
    roomy = _roomy(choice, placed)
    filled = ~(crowded | roomy)
    found = [_part(choice, placed, each) for each in (crowded, filled, roomy)]
    return [part for part in found if len(part.clients)]


def joined(choice: Choice, parts: list[Part], found: list[Allocation]) -> Allocation:
    """One allocation of what was found in each part, with the certificate."""
    chosen = np.full(choice.candidates.clients, NOBODY)
    prices = np.zeros_like(choice.candidates.capacity)
    must = np.zeros_like(choice.must)
    kept = np.zeros_like(choice.candidates.is_there)
    for part, each in zip(parts, found, strict=True):
        chosen[part.clients] = each.therapist
        prices[part.therapists] = each.prices[part.therapists]
        must[part.clients] = part.choice.must
        kept[part.clients] = part.choice.candidates.is_there
    whole = Choice(choice.candidates.only(kept), must, choice.placed)
    plain = Allocation(chosen, choice.candidates.score_of(chosen), prices, whole)
    return replace(plain, gap=duality_gap(plain))


def _crowded(choice: Choice, placed: Whole) -> Flags:
    """Shape (therapists,): those whom somebody who waits on could reach, if others moved."""
    candidates = choice.candidates
    waiting = np.flatnonzero((placed == NOBODY) & candidates.has_any)
    seating = Seating(candidates.therapist, candidates.capacity, placed)
    seating.seat(waiting)
    return seating.closed[:-1]


def _roomy(choice: Choice, placed: Whole) -> Flags:
    """Shape (therapists,): those with an open place, or who would have one if others moved."""
    candidates = choice.candidates
    load = np.bincount(placed[placed != NOBODY], minlength=len(candidates.capacity))
    # The last stands for NOBODY.
    found: Flags = np.append(load < candidates.capacity, False)
    rest = np.flatnonzero((placed != NOBODY) & ~found[placed])
    while len(rest):
        could_go = found[candidates.therapist[rest]].any(axis=1)
        if not could_go.any():
            break
        found[placed[rest[could_go]]] = True
        rest = rest[~found[placed[rest]]]
    return found[:-1]


def _part(choice: Choice, placed: Whole, therapists: Flags) -> Part:
    is_here = np.append(therapists, False)
    has_any = choice.candidates.has_any
    waits_here = (placed == NOBODY) & has_any
    waits_here &= is_here[choice.candidates.therapist].any(axis=1)
    clients = np.flatnonzero(is_here[placed] | waits_here)
    here = choice.candidates.of_clients(clients)
    here = here.only(is_here[here.therapist])
    count = int(np.count_nonzero(placed[clients] != NOBODY))
    must = np.full(len(clients), count == len(clients))
    return Part(clients, therapists, Choice(here, must, count))
