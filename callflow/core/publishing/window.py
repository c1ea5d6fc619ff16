"""The last while of a queue: counts within a sliding window, for those who watch."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from callflow.core.rings.record import AnswerClass, Offer, Outcome, Stay

ROOM = 20_000
_ABANDONED = (Outcome.ABANDONED_QUEUE, Outcome.ABANDONED_RINGING, Outcome.ABANDONED_POST_PICKUP)


class Window:
    """Stays and offers of one queue that ended within the last `length_ms`."""

    def __init__(self, length_ms: int, threshold_ms: int) -> None:
        self._length_ms = length_ms
        self._threshold_ms = threshold_ms
        self._ended: deque[tuple[int, tuple[str, ...]]] = deque(maxlen=ROOM)
        self._counts: Counter[str] = Counter()

    def stay(self, stay: Stay) -> None:
        """Count an ended stay."""
        if stay.outcome is None:
            return
        names = [stay.outcome.value]
        if stay.outcome is Outcome.ANSWERED and stay.wait_ms is not None and stay.wait_ms <= self._threshold_ms:
            names.append("in_time")
        self._count(stay.joined_ms if stay.left_ms is None else stay.left_ms, tuple(names))

    def offer(self, offer: Offer) -> None:
        """Count how an ended offer was answered."""
        if offer.answer_class is not None:
            at_ms = offer.began_ms if offer.ended_ms is None else offer.ended_ms
            self._count(at_ms, (f"class {offer.answer_class.value}",))

    def figures(self, now_ms: int) -> Mapping[str, Any]:
        """`service_level` by formula A (answered in time / answered + abandoned): null while nobody called."""
        self._forget(now_ms)
        counts = self._counts
        abandoned = sum(counts[outcome.value] for outcome in _ABANDONED)
        answered = counts[Outcome.ANSWERED.value]
        return {
            "seconds": self._length_ms // 1000,
            "threshold_s": self._threshold_ms / 1000,
            "answered": answered,
            "answered_in_time": counts["in_time"],
            "abandoned": abandoned,
            "other": sum(counts[o.value] for o in Outcome) - answered - abandoned,
            "service_level": round(counts["in_time"] / (answered + abandoned), 4) if answered + abandoned else None,
            "classes": {kind.value: counts[f"class {kind.value}"] for kind in AnswerClass},
        }

    def _count(self, at_ms: int, names: tuple[str, ...]) -> None:
        if len(self._ended) == ROOM:
            self._drop()
        self._ended.append((at_ms, names))
        self._counts.update(names)
        self._forget(at_ms)

    def _forget(self, now_ms: int) -> None:
        while self._ended and self._ended[0][0] <= now_ms - self._length_ms:
            self._drop()

    def _drop(self) -> None:
        self._counts.subtract(self._ended.popleft()[1])
