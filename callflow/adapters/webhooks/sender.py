"""Posts the events of one outbox to one receiver, one after the other, until each is confirmed or refused."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
import structlog

from callflow import __version__
from callflow.adapters.webhooks.options import WebhookOptions
from callflow.adapters.webhooks.signature import signature
from callflow.core.backoff import Backoff
from callflow.core.publishing.envelope import with_seq
from callflow.core.publishing.topics import event_name
from callflow.errors import StoreError

READ = 50
POLL_S = 10.0
"""Dead letters that somebody sends again are found so soon: they are written by another process."""
AWAY = (408, 425, 429, 502, 503, 504)
"""Answers that say nothing about the event: the receiver, or what is before it, is away or busy."""

log = structlog.get_logger()


class Event(Protocol):
    """One event as it waits; `body` is its JSON without `seq`, `stream` tells whose numbers these are."""

    @property
    def seq(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def stream(self) -> str: ...


class Outbox(Protocol):
    """Events in the order in which they were saved. `read` returns those not read yet; it may raise StoreError."""

    async def news(self, at_most_s: float | None = None) -> None: ...
    async def read(self, most: int) -> Sequence[Event]: ...
    def confirmed(self, event: Event) -> None: ...
    def refuse(self, event: Event, reason: str) -> None: ...
    def is_given_up(self, event: Event) -> bool: ...


class WebhookSender:
    """`start` and `stop` it; nothing here delays a call."""

    def __init__(self, name: str, options: WebhookOptions, outbox: Outbox) -> None:
        self.name = name
        self._options = options
        self._outbox = outbox
        self._backoff = Backoff(options.retry_min_s, options.retry_max_s)
        self._task: asyncio.Task[None] | None = None
        self._failing = ""
        self.attempts: Counter[str] = Counter()
        """Attempts by result: delivered, refused, failed, away."""

    def start(self) -> None:
        """Begin to send; returns at once."""
        self._task = asyncio.create_task(self._run(), name=f"webhook {self.name}")

    async def stop(self) -> None:
        """End; what was not confirmed is sent after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=self._options.timeout_s, trust_env=False) as client:
            while True:
                try:
                    await self._send_what_waits(client)
                except StoreError as error:
                    log.debug("a webhook's events cannot be read; tried again", webhook=self.name, reason=str(error))
                    await asyncio.sleep(POLL_S)

    async def _send_what_waits(self, client: httpx.AsyncClient) -> None:
        events = await self._outbox.read(READ)
        for event in events:
            await self._deliver(client, event)
        if not events:
            await self._outbox.news(POLL_S)

    async def _deliver(self, client: httpx.AsyncClient, event: Event) -> None:
        """Return once the receiver has the event, will never take it, or it has been given up."""
        failed = 0
        while not self._outbox.is_given_up(event):
            status, reason, wait_s = await self._post(client, event)
            if 200 <= status < 300:
                self._delivered(event)
                return
            if status == 0 or status in AWAY:
                self._away("away", reason)
            elif status >= 500:
                failed += 1
                self._away("failed", reason)
                if failed >= self._options.max_attempts:
                    self._refused(event, f"{reason}, {failed} times")
                    return
            else:
                self._refused(event, reason)
                return
            await asyncio.sleep(max(wait_s, self._backoff.pause_s()))

    async def _post(self, client: httpx.AsyncClient, event: Event) -> tuple[int, str, float]:
        """(status, what happened, seconds that the receiver asks to wait); status 0 without an answer."""
        body = with_seq(event.body, event.seq).encode()
        try:
            answer = await client.post(self._options.url, content=body, headers=self._headers(event, body))
        except httpx.HTTPError as error:
            return 0, type(error).__name__, 0.0
        answer.stream = httpx.ByteStream(b"")  # it has been read: its own holds the answer, and would for minutes
        return answer.status_code, f"status {answer.status_code}", _retry_after_s(answer, self._options.retry_max_s)

    def _headers(self, event: Event, body: bytes) -> dict[str, str]:
        secret = self._options.secret.get_secret_value().encode()
        return {
            "Content-Type": "application/json",
            "User-Agent": f"callflow/{__version__}",
            "Callflow-Event": event_name(event.topic),
            "Callflow-Signature": signature(secret, int(time.time()), body),
        }

    def _delivered(self, event: Event) -> None:
        self.attempts["delivered"] += 1
        self._outbox.confirmed(event)
        self._backoff = Backoff(self._options.retry_min_s, self._options.retry_max_s)
        if self._failing:
            log.info("a webhook's receiver is back", webhook=self.name)
        self._failing = ""

    def _away(self, result: str, reason: str) -> None:
        """The first failure for a reason is a warning, the repeats are debug."""
        self.attempts[result] += 1
        say = log.debug if self._failing == reason else log.warning
        self._failing = reason
        say("a webhook cannot be delivered; tried again", webhook=self.name, reason=reason)

    def _refused(self, event: Event, reason: str) -> None:
        self.attempts["refused"] += 1
        self._outbox.refuse(event, reason)
        remedy = "callflow webhooks list shows it; retry or drop it there"
        log.warning("a webhook's receiver refuses an event", webhook=self.name, reason=reason, remedy=remedy)


def _retry_after_s(answer: Any, most_s: float) -> float:
    """What Retry-After asks for in seconds, at most `most_s`; 0 without it."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), most_s) if text.isascii() and text.isdigit() else 0.0
