"""Events that the broker has confirmed a moment ago: one that keeps nothing on disk may have forgotten them."""

from collections import deque
from collections.abc import Callable

from callflow.adapters.mqtt.outgoing import Event

KEPT_MS = 10_000
KEPT_EVENTS = 10_000


class Lately:
    """The last seconds of what was confirmed; at a break they are to be sent again, until they are confirmed again.

    A break is noticed up to `unnoticed_ms` late: what was confirmed last counts as just before it for so much longer.
    """

    def __init__(self, now_ms: Callable[[], int], unnoticed_ms: int) -> None:
        self._now_ms = now_ms
        self._unnoticed_ms = unnoticed_ms
        self._recent: deque[tuple[int, Event]] = deque(maxlen=KEPT_EVENTS)
        self._again: dict[int, Event] = {}

    def confirmed(self, event: Event) -> None:
        """The broker says that it has this event."""
        self._again.pop(event.seq, None)
        now_ms = self._now_ms()
        self._recent.append((now_ms, event))
        self._forget(now_ms - KEPT_MS)

    def broken(self) -> None:
        """The connection has ended, and perhaps the broker's memory with it."""
        self._forget(self._now_ms() - self._unnoticed_ms - KEPT_MS)
        self._again.update((event.seq, event) for _, event in self._recent)
        self._recent.clear()

    def again(self) -> list[Event]:
        """What is to be sent again, in the order in which it was saved."""
        return sorted(self._again.values(), key=lambda event: event.seq)

    def _forget(self, oldest_ms: int) -> None:
        while self._recent and self._recent[0][0] < oldest_ms:
            self._recent.popleft()
