"""Waits for the collector of a fleet: hears what it has stored, and sends again what it misses."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from callflow.adapters.mqtt.outgoing import Event
from callflow.core.documents import json_of
from callflow.core.fleet.delivery import Delivery, Resend
from callflow.errors import StoreError

LONGEST_MS = 600_000
ANNOUNCE_S = 30.0


class CollectedOutbox(Protocol):
    """An outbox that keeps an event until the collector has stored it."""

    @property
    def stream(self) -> str: ...
    def stored(self, stream: str, upto: int) -> None: ...
    def read_again_from(self, seq: int) -> None: ...
    def has_news(self) -> None: ...
    async def first_after(self, seq: int) -> Event | None: ...


class AwaitedCollector:
    """Outlives connections, for what is not stored outlives them too. `announcement`: who publishes here, JSON."""

    def __init__(
        self,
        outbox: CollectedOutbox,
        now_ms: Callable[[], int],
        timeout_s: float,
        announcement: Callable[[str], str],
        log: Any,
    ) -> None:
        self._outbox = outbox
        self._now_ms = now_ms
        self._timeout_ms = round(1000 * timeout_s)
        self._announcement = announcement
        self._log = log
        self._stream = ""
        self._delivery = Delivery(self._timeout_ms, LONGEST_MS)
        self._changed = asyncio.Event()
        self.resent = 0
        """Times that events were sent again."""

    def sent(self, event: Event) -> None:
        """The broker has this event."""
        if event.stream == self._current():
            self._delivery.sent(event.seq, self._now_ms())
            self._changed.set()

    def heard(self, text: str) -> None:
        """A message of the collector; one that cannot be read, or is for an earlier life, changes nothing."""
        try:
            told = json_of(text)
            stream, upto, gap = str(told["stream"]), int(told["seq"]), bool(told["gap"])
        except (ValueError, KeyError, TypeError, OverflowError):
            self._log.debug("a message of a collector cannot be read", text=text[:200])
            return
        if stream != self._current():
            return
        resend = self._delivery.heard(upto, gap, self._now_ms())
        self._outbox.stored(stream, self._delivery.stored)
        self._changed.set()
        if resend is Resend.ALL:
            self.resent += 1
            self._log.info("the collector misses events; they are sent again", after=self._delivery.stored)
            self._outbox.read_again_from(self._delivery.stored + 1)
            self._outbox.has_news()

    async def overdue(self) -> Event | None:
        """Wait until nothing was heard for too long; the event to send again, None if there is none any more."""
        while True:
            due_at = self._delivery.next_deadline()
            if due_at is not None and self._delivery.expire(self._now_ms()) is not None:
                try:
                    return await self._outbox.first_after(self._delivery.stored)
                except StoreError as error:
                    self._log.debug("the outbox cannot be read; tried again", reason=str(error))
            self._changed.clear()
            try:
                async with asyncio.timeout(None if due_at is None else max(0.01, (due_at - self._now_ms()) / 1000)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def announcement(self) -> str:
        """Who publishes here, with the time by this node's clock."""
        return self._announcement(self._current())

    def _current(self) -> str:
        if self._stream != self._outbox.stream:
            self._stream = self._outbox.stream
            self._delivery = Delivery(self._timeout_ms, LONGEST_MS)
        return self._stream
