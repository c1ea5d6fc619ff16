"""Makes hourly counts for the hours that have none: in its own thread, one hour in each transaction, with pauses.

Nobody waits for it. An upgraded database has no counts: the newest hours are counted first.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
import structlog

from callflow.adapters.store.database import reason_of, writing_engine
from callflow.adapters.store.hourly import BY_HOUR, Source, count_hour, counted_hours
from callflow.core.service.grouping import HOUR_MS
from callflow.errors import StoreError

CLOSED_MS = 10 * 60_000
"""An hour is counted this long after its end: most of its records have ended by then."""
OLDEST_MS = 4000 * 24 * HOUR_MS
"""Older hours are not counted: such a record is of a clock that was not set."""
STEP_HOURS = 24
"""Most empty hours in one transaction."""
ROUND_S = 300.0
FIRST_S = 30.0
PAUSE_S = 0.05
PAUSES = 5
"""A pause is this many times as long as the transaction took."""
BUSY_S = 5.0

log = structlog.get_logger()

Pause = Callable[[float], bool]
"""Waits so many seconds; says whether to stop."""


class Hours(Protocol):
    """How the hours of one kind of database are found and counted."""

    def uncounted(self, connection: sa.Connection, source: Source, now_ms: int) -> Iterator[list[int]]:
        """Closed hours without counts, newest first; each list is for one transaction or more."""
        ...

    def hold(self, connection: sa.Connection, source: Source, at_ms: int) -> None:
        """Keep others from writing records of the hour until the transaction ends."""
        ...


def count_hours(connection: sa.Connection, hours: Hours, now_ms: int, pause: Pause) -> int:
    """Count every closed hour that has no counts; returns the transactions. May raise what SQLAlchemy raises."""
    steps = 0
    for source in BY_HOUR:
        with connection.begin():
            waiting = list(hours.uncounted(connection, source, now_ms))
        for some in waiting:
            while some:
                begun = time.monotonic()
                with connection.begin():
                    hours.hold(connection, source, some[0])
                    _count_some(connection, source, some)
                steps += 1
                if pause(max(PAUSE_S, PAUSES * (time.monotonic() - begun))):
                    return steps
    return steps


def _count_some(connection: sa.Connection, source: Source, waiting: list[int]) -> None:
    """Take hours from the beginning of the list and count them, up to the first that is not empty."""
    while waiting:
        if count_hour(connection, source, waiting.pop(0)):
            return


def marked_hours(connection: sa.Connection, source: Source) -> set[int]:
    """The hours that have counts."""
    return set(connection.scalars(sa.select(counted_hours.c.at_ms).where(counted_hours.c.kind == source.records.name)))


def last_closed_ms(now_ms: int) -> int:
    """The start of the newest hour that can be counted."""
    return (now_ms - CLOSED_MS) // HOUR_MS * HOUR_MS - HOUR_MS


class FileHours:
    """For a SQLite file: a writing transaction runs alone."""

    def uncounted(self, connection: sa.Connection, source: Source, now_ms: int) -> Iterator[list[int]]:
        first_ms = connection.scalar(sa.select(sa.func.min(source.at)))
        if first_ms is None:
            return
        first_ms = max(first_ms, now_ms - OLDEST_MS) // HOUR_MS * HOUR_MS
        marked = marked_hours(connection, source)
        hours = [at_ms for at_ms in range(last_closed_ms(now_ms), first_ms - 1, -HOUR_MS) if at_ms not in marked]
        for start in range(0, len(hours), STEP_HOURS):
            yield hours[start : start + STEP_HOURS]

    def hold(self, connection: sa.Connection, source: Source, at_ms: int) -> None:
        """Every transaction of a writing engine holds the file from its beginning."""


class Counting:
    """Counts hours every five minutes from `start` to `stop`; a failure is logged and tried again then."""

    def __init__(self, engine: Callable[[], sa.Engine], hours: Hours) -> None:
        self._engine = engine
        self._hours = hours
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="counting", daemon=True)

    def start(self) -> None:
        """Begin half a minute from now."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End after the present step, at most `timeout_s` later."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s = FIRST_S
        while not self._stopping.wait(wait_s):
            wait_s = ROUND_S
            try:
                with self._engine().connect() as connection:
                    count_hours(connection, self._hours, time.time_ns() // 1_000_000, self._stopping.wait)
            except (sa.exc.SQLAlchemyError, StoreError, OSError) as error:
                log.warning("hours could not be counted for reports; tried again soon", reason=reason_of(error))


def file_counting(path: Path) -> Counting:
    """For the database of a daemon."""
    return Counting(lambda: writing_engine(path, BUSY_S), FileHours())
