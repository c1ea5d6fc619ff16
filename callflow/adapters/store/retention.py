"""Deletes what is older than the settings allow: in its own thread, a few rows in each transaction, with long pauses.

Nobody waits for it: a transaction holds the database for some milliseconds, and at least ten times as long passes
before the next. What still goes on is never deleted.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.sqlite import insert

from callflow.adapters.store.database import reason_of, writing_engine
from callflow.adapters.store.hourly import BY_HOUR, Source, counted_hours
from callflow.adapters.store.options import StoreOptions
from callflow.adapters.store.schema import deleted
from callflow.records import KINDS
from callflow.records.kind import Age, Kinds, RecordKind

DAY_MS = 86_400_000
ROUND_S = 3600.0
"""From one run to the next."""
FIRST_S = 60.0
STEP = 200
"""Records in one transaction, and a few more where several began in the same millisecond."""
PAUSE_S = 0.1
PAUSES = 10
"""A pause is this many times as long as the transaction took."""
BUSY_S = 5.0
ANNOUNCED = "announced"
"""In the table `deleted`: when the default age was announced."""
GRACE_MS = 7 * DAY_MS
"""From that announcement to the first deletion by the default age."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What began before is deleted, epoch ms, 0 for nothing; each kind of record says which of the two it goes by."""

    details_ms: int
    records_ms: int


def limits(details_days: int, records_days: int, now_ms: int) -> Limits:
    """The limits for ages in days, 0 for no limit; details never outlive their records."""
    details_ms, records_ms = (now_ms - days * DAY_MS if days else 0 for days in (details_days, records_days))
    return Limits(max(details_ms, records_ms), records_ms)


def clear(
    connection: sa.Connection,
    before: Limits,
    pause: Callable[[float], bool],
    step: int = STEP,
    kinds: Kinds = KINDS,
) -> int:
    """Delete in steps, each a transaction; `pause(seconds)` between them says whether to stop. Returns the steps."""
    steps = 0
    if before.records_ms:
        with connection.begin():
            _note(connection, "records", before.records_ms)
    for work in _works(kinds, before, step):
        more = True
        while more:
            begun = time.monotonic()
            with connection.begin():
                more = work(connection)
            steps += 1
            if pause(max(PAUSE_S, PAUSES * (time.monotonic() - begun))):
                return steps
    return steps


def _works(kinds: Kinds, before: Limits, step: int) -> Iterator[Callable[[sa.Connection], bool]]:
    """What deletes one step each, details first; a call takes its timeline along."""
    for kind in kinds:
        if kind.timeline is not None:
            yield partial(_timeline, kind=kind, entries=kind.timeline, before_ms=before.details_ms, step=step)
    for age, before_ms in ((Age.DETAILS, before.details_ms), (Age.RECORDS, before.records_ms)):
        for kind in kinds:
            if kind.age is age:
                yield partial(_records, kind=kind, before_ms=before_ms, step=step)
    for source in BY_HOUR:
        yield partial(_counts, source=source, before_ms=before.records_ms, step=step)


class Retention:
    """Runs once an hour from `start` to `stop`; a failure is logged and tried again an hour later.

    Where the site has not chosen an age, the default is announced once, and nothing is deleted for a week.
    """

    def __init__(self, options: StoreOptions, kinds: Kinds = KINDS) -> None:
        self._kinds = kinds
        self._options = options
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, unless the settings keep everything for ever."""
        if self._options.details_days or self._options.records_days:
            self._thread.start()

    def change(self, options: StoreOptions) -> None:
        """Go by these ages from the next run on."""
        self._options = options
        if self._thread.ident is None and not self._stopping.is_set():
            self.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End after the present step, at most `timeout_s` later."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        engine = writing_engine(self._options.path, BUSY_S)
        self._attempt(self._may_delete, engine)
        wait_s = FIRST_S
        while not self._stopping.wait(wait_s):
            wait_s = ROUND_S
            self._attempt(self._round, engine)

    def _attempt(self, work: Callable[[sa.Connection], object], engine: sa.Engine) -> None:
        try:
            with engine.connect() as connection:
                work(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, calls and records go on
            log.warning("old records could not be deleted; tried again in an hour", reason=reason_of(error))

    def _round(self, connection: sa.Connection) -> None:
        """Delete what may be deleted now."""
        if self._may_delete(connection):
            before = limits(self._options.details_days, self._options.records_days, _now_ms())
            clear(connection, before, self._stopping.wait, kinds=self._kinds)

    def _may_delete(self, connection: sa.Connection) -> bool:
        """The site has chosen the age, or the default was announced a week ago; announces it if it never was."""
        options = self._options
        return not options.age_is_our_choice or announced_a_week_ago(connection, options.records_days, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def announced_a_week_ago(connection: sa.Connection, records_days: int, now_ms: int) -> bool:
    """Whether the default age was announced a week ago; announces it if it never was."""
    with connection.begin():
        announced_ms = connection.execute(sa.select(deleted.c.before_ms).where(deleted.c.what == ANNOUNCED)).scalar()
        if announced_ms is None:
            _note(connection, ANNOUNCED, now_ms)
    if announced_ms is None:
        log.warning(
            "records are kept for a year from now on; older ones are deleted, the first in a week",
            records_days=records_days,
            remedy="set store.records_days to the age that you want; 0 keeps them for ever",
        )
        return False
    return now_ms - int(announced_ms) >= GRACE_MS


def _timeline(connection: sa.Connection, kind: RecordKind[Any], entries: sa.Table, before_ms: int, step: int) -> bool:
    """The timelines of records long ended; how far this has come is stored, for the records themselves may stay."""
    done_ms = connection.execute(sa.select(deleted.c.before_ms).where(deleted.c.what == "details")).scalar() or 0
    if done_ms >= before_ms:
        return False
    old = sa.and_(kind.began >= done_ms, kind.began < before_ms)
    last_ms = _nth(connection, kind.began, old, step)
    upto_ms = before_ms if last_ms is None else last_ms + 1
    key = (*kind.key_fields, "node")
    over = sa.select(*(kind.table.c[name] for name in key)).where(
        kind.began >= done_ms, kind.began < upto_ms, sa.not_(kind.is_open(kind.table.c))
    )
    connection.execute(sa.delete(entries).where(sa.tuple_(*(entries.c[name] for name in key)).in_(over)))
    _note(connection, "details", upto_ms)
    return upto_ms < before_ms


def _records(connection: sa.Connection, kind: RecordKind[Any], before_ms: int, step: int) -> bool:
    """Delete up to about `step` of a kind; True while there may be more."""
    over = sa.not_(kind.is_open(kind.table.c))
    if kind.stored_by is None:
        return _older(connection, kind.began, over, before_ms, step)
    name = ""
    while name := _next(connection, kind.stored_by, name):
        mine = sa.and_(kind.stored_by == name, over, kind.table.c.ended_ms <= before_ms)
        if _older(connection, kind.began, mine, before_ms, step):
            return True
    return False


def _counts(connection: sa.Connection, source: Source, before_ms: int, step: int) -> bool:
    """Delete counts of hours whose records went, and their mark with them: no report reads these counts."""
    assert source.hourly is not None
    marked = sa.select(counted_hours.c.at_ms).where(counted_hours.c.kind == source.records.name)
    return _older(connection, source.hourly.c.at_ms, source.hourly.c.at_ms.not_in(marked), before_ms, step)


def _next(connection: sa.Connection, stored_by: sa.Column[str], name: str) -> str:
    found = connection.execute(sa.select(sa.func.min(stored_by)).where(stored_by > name)).scalar()
    return found or ""


def _older(
    connection: sa.Connection, at: sa.Column[int], over: sa.ColumnElement[bool], before_ms: int, step: int
) -> bool:
    """Delete up to about `step` rows that are over and began before; True while there may be more."""
    old = sa.and_(at < before_ms, over)
    last_ms = _nth(connection, at, old, step)
    connection.execute(sa.delete(at.table).where(old, *(() if last_ms is None else (at <= last_ms,))))
    return last_ms is not None


def _nth(connection: sa.Connection, at: sa.Column[int], condition: sa.ColumnElement[bool], step: int) -> int | None:
    """The time of the row that is the `step`th by time; None if there are fewer."""
    found = connection.execute(sa.select(at).where(condition).order_by(at).offset(step - 1).limit(1)).scalar()
    return None if found is None else int(found)


def _note(connection: sa.Connection, what: str, before_ms: int) -> None:
    """Store how far back the database has been cleared; reports say so."""
    new = insert(deleted).values(what=what, before_ms=before_ms)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["what"],
            set_={"before_ms": new.excluded.before_ms},
            where=new.excluded.before_ms > deleted.c.before_ms,
        )
    )
