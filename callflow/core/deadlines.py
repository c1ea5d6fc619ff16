"""When what is due: one deadline for each key, the earliest first."""

import heapq
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
STALE = 64
"""Entries of the heap that may be out of date before it is built anew."""


class Deadlines(Generic[K]):
    """Deadlines by key, epoch ms of our own clock. Nothing is kept of a key without one."""

    def __init__(self) -> None:
        self._at: dict[K, int] = {}
        self._heap: list[tuple[int, int, K]] = []
        self._pushed = 0
        """Of two deadlines at the same moment, the one that was set first comes first; keys need no order."""

    def __len__(self) -> int:
        return len(self._at)

    def of(self, key: K) -> int | None:
        """The deadline of a key; None without one."""
        return self._at.get(key)

    def set(self, key: K, at_ms: int | None) -> None:
        """The deadline of a key is this one, whatever it was before; None for none."""
        if at_ms is None:
            self._at.pop(key, None)
        elif self._at.get(key) != at_ms:
            self._at[key] = at_ms
            self._pushed += 1
            heapq.heappush(self._heap, (at_ms, self._pushed, key))
        if len(self._heap) > 2 * len(self._at) + STALE:
            self._rebuild()

    def next(self) -> int | None:
        """The earliest deadline; None where there is none."""
        heap, at = self._heap, self._at
        while heap and at.get(heap[0][2]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now_ms: int) -> Iterator[K]:
        """Each key whose deadline has come, without it; also those that are set meanwhile, if they are due."""
        while (at_ms := self.next()) is not None and at_ms <= now_ms:
            key = heapq.heappop(self._heap)[2]
            del self._at[key]
            yield key

    def shift(self, by_ms: int) -> None:
        """The clock has been set by so much: every deadline keeps its distance."""
        for key in self._at:
            self._at[key] += by_ms
        self._heap = [(at + by_ms, order, key) for at, order, key in self._heap]

    def _rebuild(self) -> None:
        at = self._at
        self._heap = [entry for entry in self._heap if at.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)
