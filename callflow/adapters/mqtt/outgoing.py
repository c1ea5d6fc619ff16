"""What the MQTT link sends: events, states and answers, and once more the events that the broker may have forgotten."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

KEPT_MS = 10_000
KEPT_EVENTS = 10_000


class Event(Protocol):
    """One event as it waits; `body` is its JSON without `seq`.

    `stream`: whose numbers these are. `after`, for the collector of a fleet: the event before it.
    """

    @property
    def seq(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def after(self) -> int: ...
    @property
    def stream(self) -> str: ...


class Outbox(Protocol):
    """Events in the order in which they were saved. `read` returns those not read yet; it may raise StoreError."""

    async def news(self) -> None: ...
    async def read(self, most: int) -> Sequence[Event]: ...
    def read_again_from(self, seq: int) -> None: ...
    def confirmed(self, event: Event) -> None: ...


class States(Protocol):
    """The retained states, read afresh by every connection."""

    @property
    def filters(self) -> Sequence[str]: ...
    @property
    def birth(self) -> str | None: ...
    def connect(self) -> "StateReader": ...


class StateReader(Protocol):
    """The states that one connection sends: only the newest of each topic. `seen`: the broker retains this topic."""

    async def news(self) -> None: ...
    def take(self, most: int) -> Sequence[tuple[str, str]]: ...
    def seen(self, topic: str) -> None: ...
    def all_again(self) -> None: ...


class Commands(Protocol):
    """What agents, or a fleet's collector, ask for. `answer` returns topic and payload; it never raises."""

    @property
    def filter(self) -> str: ...
    def takes(self, topic: str) -> bool: ...
    async def answer(self, topic: str, payload: str) -> tuple[str, str]: ...


class RecentlyConfirmed:
    """Events that the broker has confirmed a moment ago: one that keeps nothing on disk may have forgotten them.

    At a break they are to be sent again, until they are confirmed again. A break is noticed up to `unnoticed_ms` late:
    what was confirmed last counts as just before it for so much longer.
    """

    def __init__(self, now_ms: Callable[[], int], unnoticed_ms: int) -> None:
        self._now_ms = now_ms
        self._unnoticed_ms = unnoticed_ms
        self._recent: deque[tuple[int, Event]] = deque(maxlen=KEPT_EVENTS)
        self._again: dict[tuple[str, int], Event] = {}

    def confirmed(self, event: Event) -> None:
        """The broker says that it has this event."""
        self._again.pop((event.stream, event.seq), None)
        now_ms = self._now_ms()
        self._recent.append((now_ms, event))
        self._forget(now_ms - KEPT_MS)

    def broken(self) -> None:
        """The connection has ended, and perhaps the broker's memory with it."""
        self._forget(self._now_ms() - self._unnoticed_ms - KEPT_MS)
        self._again.update(((event.stream, event.seq), event) for _, event in self._recent)
        self._recent.clear()

    def again(self) -> list[Event]:
        """What is to be sent again, in the order in which it was saved."""
        return sorted(self._again.values(), key=lambda event: event.seq)

    def _forget(self, oldest_ms: int) -> None:
        while self._recent and self._recent[0][0] < oldest_ms:
            self._recent.popleft()
