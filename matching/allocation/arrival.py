"""First come, first served: what most platforms do, and what a proposal is compared with.

Steps: one client after the other takes the best of their candidates who still has a place.
Cost: O(clients · k), and mostly far less.
"""

import numpy as np

from matching.allocation.candidates import NOBODY, Allocation, Candidates


def by_arrival(candidates: Candidates) -> Allocation:
    """Clients come in the order of the list."""
    chosen = np.array(
        serve(candidates.therapist.tolist(), candidates.capacity.tolist()), dtype=np.int64
    )
    prices = np.zeros(len(candidates.capacity), dtype=np.int64)
    return Allocation(chosen, candidates.score_of(chosen), prices)


def serve(lists: list[list[int]], capacity: list[int]) -> list[int]:
    """Whom each gets, best candidates first in each list; NOBODY when all their places are gone."""
    # The last stands for NOBODY, who has no place.
    left = [*capacity, 0]
    chosen = []
    for row in lists:
        for therapist in row:
            if left[therapist]:
                left[therapist] -= 1
                chosen.append(therapist)
                break
        else:
            chosen.append(NOBODY)
    return chosen
