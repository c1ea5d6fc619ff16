"""Counts of a queue over a sliding time, for its live state."""

import heapq
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from callflow.core.rings.records import AnswerClass, Offer, Stay, TargetType
from callflow.core.service.level import Waiting, service_level
from callflow.core.service.tallies import ABANDONED, SENT_ON
from callflow.core.service.targets import QueueTarget, Targets

ROOM = 20_000
QUEUES = 500


class Window:
    """Outcomes of callers and offers of one queue within the last `length_ms`; partial ones are left out.

    A stay counts at the answer, whose talk may last, or else at its end: all of them as soon as it is known.
    """

    def __init__(self, length_ms: int, target: QueueTarget) -> None:
        self._length_ms = length_ms
        self._target = target
        self._recent: list[tuple[int, tuple[str, ...]]] = []
        """A heap, the oldest first: events of one moment come in any order."""
        self._counts: Counter[str] = Counter()
        self._talking: dict[str, None] = {}
        """Stays that have been counted as answered, and will come again when they end."""

    def stay(self, stay: Stay) -> int | None:
        """Count a stay once, however often it comes; returns when its outcome was decided if this record decided it."""
        if stay.entry_id in self._talking:
            if stay.outcome is not None:
                del self._talking[stay.entry_id]
            return None
        if stay.connect_ms is not None and stay.outcome is None:
            self._talking[stay.entry_id] = None
            if len(self._talking) > ROOM:
                del self._talking[next(iter(self._talking))]
        at_ms = stay.left_ms if stay.connect_ms is None else stay.connect_ms
        names = counted_as(stay, self._target)
        if stay.partial or at_ms is None or not names:
            return None
        self._count(at_ms, names)
        return at_ms

    def offer(self, offer: Offer) -> None:
        """Count how an ended offer was answered."""
        if not offer.partial and offer.answer_class is not None:
            at_ms = offer.began_ms if offer.ended_ms is None else offer.ended_ms
            self._count(at_ms, (offer.answer_class.value,))

    @property
    def offered(self) -> int:
        """All who waited until they were answered, gave up or were sent on."""
        return self._counts["answered"] + self._counts["abandoned"] + self._counts["sent_on"]

    @property
    def service_level(self) -> float | None:
        """By the queue's own formula; None while nobody was there to be served."""
        level = service_level(
            self._target.formula,
            Waiting(
                offered=self.offered,
                answered=self._counts["answered"],
                answered_in_time=self._counts["answered_in_time"],
                abandoned=self._counts["abandoned"],
                abandoned_in_time=self._counts["abandoned_in_time"],
                short=self._counts["short"],
            ),
        )
        return None if level is None else round(level, 4)

    def figures(self, now_ms: int) -> Mapping[str, Any]:
        """The figures for the state; `service_level` is None while nobody called."""
        self._forget(now_ms)
        counts = self._counts
        return {
            "seconds": self._length_ms // 1000,
            "offered": self.offered,
            "answered": counts["answered"],
            "answered_in_time": counts["answered_in_time"],
            "abandoned": counts["abandoned"],
            "service_level": self.service_level,
            "formula": self._target.formula.value,
            "threshold_s": self._target.threshold_s,
            "classes": {kind.value: counts[kind.value] for kind in AnswerClass},
        }

    def _count(self, at_ms: int, names: tuple[str, ...]) -> None:
        heapq.heappush(self._recent, (at_ms, names))
        self._counts.update(names)
        if len(self._recent) > ROOM:
            self._drop()
        self._forget(at_ms)

    def _forget(self, now_ms: int) -> None:
        while self._recent and self._recent[0][0] <= now_ms - self._length_ms:
            self._drop()

    def _drop(self) -> None:
        self._counts.subtract(heapq.heappop(self._recent)[1])


class Windows:
    """One window for each queue that had a caller; of too many the longest unused is dropped."""

    def __init__(self, length_ms: int, targets: Targets) -> None:
        self._length_ms = length_ms
        self._targets = targets
        self.by_queue: OrderedDict[str, Window] = OrderedDict()

    def receive(self, record: object) -> None:
        """Count a stay, whenever it comes, or an ended offer of a queue."""
        match record:
            case Stay():
                self.of(record.queue).stay(record)
            case Offer(target_type=TargetType.QUEUE):
                self.of(record.target).offer(record)

    def of(self, queue: str) -> Window:
        """The window of a queue, made if there is none."""
        if queue not in self.by_queue:
            self.by_queue[queue] = Window(self._length_ms, self._targets.of(queue))
            if len(self.by_queue) > QUEUES:
                self.by_queue.popitem(last=False)
        self.by_queue.move_to_end(queue)
        return self.by_queue[queue]


def counted_as(stay: Stay, target: QueueTarget) -> tuple[str, ...]:
    """What a stay counts as in a service level; nothing while the caller waits, or where nobody waited to be served."""
    waited_ms = stay.wait_ms
    in_time = waited_ms is not None and waited_ms <= 1000 * target.threshold_s
    if stay.connect_ms is not None:
        return ("answered", "answered_in_time") if in_time else ("answered",)
    if stay.outcome in ABANDONED:
        short = waited_ms is not None and waited_ms <= 1000 * target.short_abandon_s
        return ("abandoned", *(("abandoned_in_time",) if in_time else ()), *(("short",) if short else ()))
    return ("sent_on",) if stay.outcome in SENT_ON else ()
