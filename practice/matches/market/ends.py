"""Whose place in the market runs out when."""

import heapq
from collections.abc import Mapping
from datetime import datetime

ROOM_FOR_OLD_ONES = 64


class Ends:
    """The next end of each, the earliest first.

    An entry of the heap that was overtaken by a newer end stays until it comes up; when most of
    the heap is like that, it is made anew. Cost: O(log n) a change.
    """

    def __init__(self, ends: Mapping[int, datetime] | None = None) -> None:
        self._ends = dict(ends or {})
        self._make_heap()

    def __contains__(self, key: object) -> bool:
        return key in self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def put(self, key: int, end: datetime) -> None:
        self._ends[key] = end
        heapq.heappush(self._heap, (end, key))
        if len(self._heap) > 2 * len(self._ends) + ROOM_FOR_OLD_ONES:
            self._make_heap()

    def drop(self, key: int) -> None:
        self._ends.pop(key, None)

    def is_due(self, at: datetime) -> bool:
        """Whether anybody's end has passed; the instant of the end itself has."""
        while self._heap and self._is_overtaken(*self._heap[0]):
            heapq.heappop(self._heap)
        return bool(self._heap) and self._heap[0][0] <= at

    def due(self, at: datetime) -> set[int]:
        return {key for end, key in self._heap if end <= at and self._ends.get(key) == end}

    def _is_overtaken(self, end: datetime, key: int) -> bool:
        return self._ends.get(key) != end

    def _make_heap(self) -> None:
        self._heap = [(end, key) for key, end in self._ends.items()]
        heapq.heapify(self._heap)
