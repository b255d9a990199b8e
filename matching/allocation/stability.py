"""Stable placement: nobody would rather have somebody who would rather have them.

Objective: the stable matching of hospitals and residents that is best for every client (Gale and
Shapley 1962): clients prefer by score, equals as they stand in the list; therapists by the client's
priority, then by score, then whoever comes first.
Steps: (1) a client without a place asks the next in their list; (2) a therapist with an open place
takes them; (3) a full one keeps those they prefer and lets the least preferred go, who asks on;
(4) it ends when nobody without a place has anybody left to ask.
Cost: O(candidates · log capacity): each is asked at most once.
"""

from heapq import heappush, heapreplace

import numpy as np

from matching.allocation.candidates import NOBODY, Allocation, Candidates, Whole
from matching.allocation.theorems import liking_of


def stable(candidates: Candidates, priority: Whole | None = None) -> Allocation:
    """`priority` (clients,): whole numbers, higher first; without it the score decides alone."""
    liking = liking_of(candidates, priority).tolist()
    chosen = _asking(candidates.therapist.tolist(), liking, candidates.capacity.tolist())
    prices = np.zeros(len(candidates.capacity), dtype=np.int64)
    return Allocation(chosen, candidates.score_of(chosen), prices)


def _asking(lists: list[list[int]], liking: list[list[int]], capacity: list[int]) -> Whole:
    # For each therapist those who are kept, the least liked on top; the last stands for NOBODY.
    held: list[list[tuple[int, int]]] = [[] for _ in (*capacity, 0)]
    room = [*capacity, 0]
    asked = [0] * len(lists)
    for newcomer in range(len(lists)):
        client = newcomer
        while client != NOBODY and asked[client] < len(lists[client]):
            at = asked[client]
            asked[client] += 1
            therapist = lists[client][at]
            place = liking[client][at], client
            kept = held[therapist]
            if len(kept) < room[therapist]:
                heappush(kept, place)
                client = NOBODY
            elif kept and place > kept[0]:
                client = heapreplace(kept, place)[1]
    chosen = np.full(len(lists), NOBODY)
    for therapist, kept in enumerate(held):
        for _, client in kept:
            chosen[client] = therapist
    return chosen
