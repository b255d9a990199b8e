"""Stable placement: nobody would rather have somebody who would rather have them.

Objective: the client-optimal stable matching of hospitals and residents (Gale and Shapley 1962).
Steps: (1) a client without a place asks the next in their list, best score first, equals in the
order of the list; (2) a therapist with an open place takes them; (3) a full one keeps those they
prefer and lets the least preferred go, who asks on; (4) it ends when nobody without a place has
anybody left to ask.
Cost: O(candidates · log capacity): each is asked at most once.
"""

from heapq import heappush, heapreplace

import numpy as np

from matching.allocating import NOBODY, Allocation, Candidates, Whole, score_of


def stable(candidates: Candidates, preference: Whole | None = None) -> Allocation:
    """`preference` (clients, k): how much each candidate would rather have this client, whole
    numbers, higher first, equals the client of lower number; the score if not given.
    """
    liked = candidates.score if preference is None else preference
    order = np.argsort(-candidates.score, axis=1, kind="stable")
    lists = np.take_along_axis(candidates.therapist, order, axis=1).tolist()
    likings = np.take_along_axis(liked, order, axis=1).tolist()
    chosen = _proposals(lists, likings, candidates.capacity.tolist())
    prices = np.zeros(len(candidates.capacity))
    return Allocation(chosen, score_of(candidates, chosen), prices)


def _proposals(lists: list[list[int]], likings: list[list[int]], capacity: list[int]) -> Whole:
    held: list[list[tuple[int, int]]] = [[] for _ in capacity]
    asked = [0] * len(lists)
    chosen = np.full(len(lists), NOBODY)
    for newcomer in range(len(lists)):
        client = newcomer
        while client != NOBODY and asked[client] < len(lists[client]):
            at = asked[client]
            asked[client] += 1
            therapist = lists[client][at]
            if therapist == NOBODY or not capacity[therapist]:
                continue
            # The least liked on top of the heap; of equals, the highest number.
            place = (likings[client][at], -client)
            if len(held[therapist]) < capacity[therapist]:
                heappush(held[therapist], place)
                client = NOBODY
            elif place > held[therapist][0]:
                client = -heapreplace(held[therapist], place)[1]
    for therapist, places in enumerate(held):
        for _, number in places:
            chosen[-number] = therapist
    return chosen
