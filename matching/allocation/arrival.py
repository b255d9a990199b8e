"""First come, first served: what most platforms do, and what a proposal is compared with.

Objective: none over the list; each takes what is best for themselves among what is left. That is
serial dictatorship (Satterthwaite and Sonnenschein 1981): nobody gains by stating something else,
but the total and the worst-off are left to the order, and only half as many may be placed as could
be (a matching to which nothing can be added has at least half the pairs of a largest one; Karp,
Vazirani and Vazirani 1990, for clients who come one by one).
Steps: one client after the other takes the best of their candidates who still has a place.
Shapes: lists (clients, k), best first; places (therapists,). Units: scores in points.
Cost: O(clients · k), and mostly far less.
"""

import numpy as np

from matching.allocation.candidates import NOBODY, Allocation, Candidates


def by_arrival(candidates: Candidates) -> Allocation:
    """Clients come in the order of the list. Prices are 0: nobody bids, nothing is certified."""
    chosen = np.array(
        serve(candidates.therapist.tolist(), candidates.capacity.tolist()), dtype=np.int64
    )
    prices = np.zeros(len(candidates.capacity), dtype=np.int64)
    return Allocation(chosen, candidates.score_of(chosen), prices)


def serve(lists: list[list[int]], capacity: list[int]) -> list[int]:
    """Whom each gets, best candidates first in each list; NOBODY when all their places are gone.

    `lists` (clients, k) and `capacity` (therapists,) as plain lists; the answer has one number for
    each client. Neither is changed.
    """
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
