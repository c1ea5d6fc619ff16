"""How a service of a fleet keeps on: it waits while its database or broker is away, says so, and goes on by itself.

It ends only before its database was ever open, and only where a person must mend something: a password, a database of a
newer release. systemd is told as soon as it is known which of these it is (READY=1), and of every change (STATUS=...).
"""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import sdnotify
import structlog

from callflow.core.backoff import Backoff
from callflow.core.printable import printable
from callflow.errors import StoreAway, StoreError, first_of

RETRY_MIN_S, RETRY_MAX_S = 0.2, 10.0

log = structlog.get_logger()


class Persisting:
    """Takes turns at the work of a service; a turn says with `well` that it works, or fails."""

    def __init__(self, stopped: str, others: tuple[type[Exception], ...] = (), remedy: str = "", **fields: str) -> None:
        """`stopped`: what the log says after a failure; `others`: failures beside StoreError, and their `remedy`."""
        self._stopped = stopped
        self._failures: tuple[type[Exception], ...] = (StoreError, *others)
        self._remedy = remedy
        self._fields = fields
        self._systemd = sdnotify.SystemdNotifier()
        self._said = ""
        self._is_ready = False
        self._has_opened = False
        self.failures = 0
        self.trouble = ""
        """Why it cannot work; "" while it can."""
        self.is_known = False
        """Whether it can work: unknown until the first turn has said so, or failed."""

    async def run(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled; raises StoreError where only a person can mend it, and the database was never open."""
        backoff = Backoff(RETRY_MIN_S, RETRY_MAX_S)
        while True:
            began_s, failed = time.monotonic(), None
            try:
                await turn()
            except* self._failures as errors:
                failed = first_of(errors)
            if failed is None:
                continue
            self._failed(failed)
            backoff.session_ended(time.monotonic() - began_s)
            await asyncio.sleep(backoff.pause_s())

    def well(self, what: str) -> None:
        """It works."""
        self.opened()
        self.trouble = ""
        self._say(what, what)

    def opened(self) -> None:
        """The database can be used: from now on every failure of it is waited out."""
        self._has_opened = True

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, StoreError) and not isinstance(error, StoreAway) and not self._has_opened:
            raise error
        self.failures, self.trouble = self.failures + 1, getattr(error, "problem", "") or str(error)
        remedy = getattr(error, "remedy", "") or self._remedy
        self._say(self._stopped, f"waiting: {self.trouble}", reason=self.trouble, remedy=remedy)

    def _say(self, what: str, status: str, **more: str) -> None:
        """The first of a kind is seen; its repeats are logged at debug."""
        self.is_known = True
        say = log.debug if self._said == status else log.warning if more else log.info
        say(what, **self._fields, **more)
        if self._said != status:
            ready = "" if self._said else "READY=1\n"
            self._systemd.notify(f"{ready}STATUS={printable(status)}")
        self._said = status


async def until_stopped(*works: Coroutine[Any, Any, None]) -> None:
    """Work until SIGTERM, SIGINT or the end of one of them; raises what that one raised."""
    loop, tasks = asyncio.get_running_loop(), [asyncio.ensure_future(work) for work in works]
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    ended = asyncio.ensure_future(end.wait())
    done, _ = await asyncio.wait({*tasks, ended}, return_when=asyncio.FIRST_COMPLETED)
    sdnotify.SystemdNotifier().notify("STOPPING=1")
    for task in (*tasks, ended):
        task.cancel()
    await asyncio.gather(*tasks, ended, return_exceptions=True)
    for task in done - {ended}:
        task.result()
