"""Deletes what is older than the settings allow: a thread of its own, a few rows in each transaction, long pauses.

Nobody waits for it: a transaction holds the database for some milliseconds, and at least ten times as long passes
before the next. What still goes on is never deleted.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.sqlite import insert

from callflow.adapters.store.database import reason_of, writing_engine
from callflow.adapters.store.options import StoreOptions
from callflow.adapters.store.schema import calls, deleted, happenings, legs, offers, spells, stays

DAY_MS = 86_400_000
ROUND_S = 3600.0
"""From one round to the next."""
FIRST_S = 60.0
STEP = 200
"""Records in one transaction, and a few more where several began in the same millisecond."""
PAUSE_S = 0.1
PAUSES = 10
"""Pauses are so many times as long as the transaction took."""
BUSY_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What began before goes, epoch ms, 0 for nothing: details are happenings and legs, records all the others."""

    details_ms: int
    records_ms: int


def limits(details_days: int, records_days: int, now_ms: int) -> Limits:
    """The limits for ages in days, 0 for no limit; details never outlive their records."""
    details_ms, records_ms = (now_ms - days * DAY_MS if days else 0 for days in (details_days, records_days))
    return Limits(max(details_ms, records_ms), records_ms)


def clear(connection: sa.Connection, before: Limits, pause: Callable[[float], bool], step: int = STEP) -> int:
    """Delete in steps, each a transaction; `pause(seconds)` between them tells whether to stop. Returns the steps."""
    steps = 0
    if before.records_ms:
        with connection.begin():
            _note(connection, "records", before.records_ms)
    for work in (_happenings, _legs, _calls, _stays, _offers, _spells):
        more = True
        while more:
            begun = time.monotonic()
            with connection.begin():
                more = work(connection, before, step)
            steps += 1
            if pause(max(PAUSE_S, PAUSES * (time.monotonic() - begun))):
                return steps
    return steps


class Retention:
    """Goes round once an hour from `start` to `stop`; a failure is logged, and tried again in the next round."""

    def __init__(self, options: StoreOptions) -> None:
        self._options = options
        self._days = options.details_days, options.records_days
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin, unless everything is to be kept for ever."""
        if any(self._days):
            self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End after the present step, at most `timeout_s` later."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        engine = writing_engine(self._options.path, BUSY_S)
        wait_s = FIRST_S
        while not self._stopping.wait(wait_s):
            wait_s = ROUND_S
            try:
                with engine.connect() as connection:
                    clear(connection, limits(*self._days, time.time_ns() // 1_000_000), self._stopping.wait)
            except Exception as error:  # noqa: BLE001 - whatever it is, calls and records go on
                log.warning("old records could not be deleted; tried again in an hour", reason=reason_of(error))


def _happenings(connection: sa.Connection, before: Limits, step: int) -> bool:
    """Those of calls long ended; how far this has come is kept, for their calls may stay."""
    done_ms = connection.execute(sa.select(deleted.c.before_ms).where(deleted.c.what == "details")).scalar() or 0
    if done_ms >= before.details_ms:
        return False
    old = sa.and_(calls.c.arrived_ms >= done_ms, calls.c.arrived_ms < before.details_ms)
    last_ms = _nth(connection, calls.c.arrived_ms, old, step)
    upto_ms = before.details_ms if last_ms is None else last_ms + 1
    over = sa.select(calls.c.call_id, calls.c.node).where(
        calls.c.arrived_ms >= done_ms, calls.c.arrived_ms < upto_ms, calls.c.ended_ms.is_not(None)
    )
    connection.execute(sa.delete(happenings).where(sa.tuple_(happenings.c.call_id, happenings.c.node).in_(over)))
    _note(connection, "details", upto_ms)
    return upto_ms < before.details_ms


def _legs(connection: sa.Connection, before: Limits, step: int) -> bool:
    return _older(connection, legs.c.began_ms, sa.not_(legs.c.open), before.details_ms, step)


def _calls(connection: sa.Connection, before: Limits, step: int) -> bool:
    """With their happenings: the database deletes those along with them."""
    return _older(connection, calls.c.arrived_ms, calls.c.ended_ms.is_not(None), before.records_ms, step)


def _stays(connection: sa.Connection, before: Limits, step: int) -> bool:
    return _older(connection, stays.c.joined_ms, sa.not_(stays.c.open), before.records_ms, step)


def _offers(connection: sa.Connection, before: Limits, step: int) -> bool:
    return _older(connection, offers.c.began_ms, sa.not_(offers.c.open), before.records_ms, step)


def _spells(connection: sa.Connection, before: Limits, step: int) -> bool:
    """Agent by agent, for they are stored by agent."""
    agent = ""
    while agent := _next_agent(connection, agent):
        over = sa.and_(spells.c.agent == agent, sa.not_(spells.c.open), spells.c.ended_ms <= before.records_ms)
        if _older(connection, spells.c.began_ms, over, before.records_ms, step):
            return True
    return False


def _next_agent(connection: sa.Connection, agent: str) -> str:
    found = connection.execute(sa.select(sa.func.min(spells.c.agent)).where(spells.c.agent > agent)).scalar()
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
    """Remember how far back the database has been cleared, for reports to tell."""
    new = insert(deleted).values(what=what, before_ms=before_ms)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["what"],
            set_={"before_ms": new.excluded.before_ms},
            where=new.excluded.before_ms > deleted.c.before_ms,
        )
    )
