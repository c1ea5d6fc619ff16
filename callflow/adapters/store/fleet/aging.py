"""Deletes the oldest days of the fleet's database: the partitions of calls, and by time what is in no partition."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from callflow.adapters.store.fleet.counting import PARTITIONS
from callflow.adapters.store.fleet.rows import day_of
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.hourly import BY_HOUR, counted_hours
from callflow.adapters.store.places import Postgres
from callflow.core.service.grouping import DAY_MS
from callflow.records.agent_intervals import AGENT_INTERVALS
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS
from callflow.records.calls import happenings
from callflow.records.collected import BY_DAY, COLLECTED

LOCK_WAIT_S = 10
"""A long report is waited for; others wait behind us meanwhile."""
DELETED = fleet_metadata.tables["deleted"]
COUNTS = (counted_hours, *(source.hourly for source in BY_HOUR if source.hourly is not None))


def rows_before(place: Postgres, day: int) -> dict[str, int]:
    """How many rows of each table began before a UTC day (days since the epoch). Raises StoreError."""
    return _each(place, day, delete=False)


def delete_before(place: Postgres, day: int) -> dict[str, int]:
    """Delete the rows that began before a UTC day, in one transaction; how many there were by table. Raises StoreError.

    Their hourly counts go too, and reports say from when on there are records.
    """
    return _each(place, day, delete=True)


def _each(place: Postgres, day: int, *, delete: bool) -> dict[str, int]:
    found: dict[str, int] = {}
    with place.transaction() as connection:
        place.check(connection)
        for table, old in _old(day):
            if number := connection.execute(sa.select(sa.func.count()).select_from(table).where(old)).scalar_one():
                found[table.name] = number
        if delete:
            _delete(connection, day)
    return found


def _delete(connection: sa.Connection, day: int) -> None:
    """Partitions late: from the first of them on, reports wait for the end of the transaction.

    An hour that is being counted keeps its partition until it has its mark, so counts go after the partitions.
    """
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
    by_day = [fleet_metadata.tables[kind.table.name] for kind in BY_DAY]
    for table, old in _old(day):
        if table not in by_day:
            connection.execute(sa.delete(table).where(old))
    for table in by_day:
        _drop_days(connection, table, day)
    for counts in COUNTS:
        connection.execute(sa.delete(counts).where(counts.c.at_ms < day * DAY_MS))
    _note(connection, day * DAY_MS)


def _old(day: int) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """Timelines before the calls they belong to. What reaches into the days that stay is not old."""
    before_ms = day * DAY_MS
    timelines = fleet_metadata.tables[happenings.name]
    yield timelines, timelines.c.at_ms < before_ms
    for kind in (*COLLECTED.values(), CALLBACKS, CALLBACK_CHANGES, CALLBACK_ATTEMPTS):
        table = fleet_metadata.tables[kind.table.name]
        old = table.c[kind.began.name] < before_ms
        if kind is CALLBACKS:
            old = sa.and_(old, sa.not_(table.c.open))
        elif kind is AGENT_INTERVALS:
            old = sa.and_(old, table.c.ended_ms <= before_ms)
        yield table, old


def _drop_days(connection: sa.Connection, table: sa.Table, day: int) -> None:
    """Drop whole partitions: faster than deleting their rows, and their room is free at once."""
    quoted = connection.dialect.identifier_preparer.quote
    for name in connection.execute(PARTITIONS, {"of": table.name}).scalars().all():
        of_day = day_of(name)
        if of_day is not None and of_day < day:
            connection.exec_driver_sql(f"DROP TABLE {quoted(name)}")


def _note(connection: sa.Connection, before_ms: int) -> None:
    """Store how far back the database has been cleared; reports say so."""
    new = insert(DELETED).values([{"what": what, "before_ms": before_ms} for what in ("records", "details")])
    later = new.excluded.before_ms > DELETED.c.before_ms
    connection.execute(
        new.on_conflict_do_update(index_elements=["what"], set_={"before_ms": new.excluded.before_ms}, where=later)
    )
