"""Hourly counts of a fleet's database: the hours of each partition, while nobody writes to it."""

from collections.abc import Iterator

import sqlalchemy as sa

from callflow.adapters.store.counting import last_closed_ms, marked_hours
from callflow.adapters.store.fleet.rows import day_of, day_table
from callflow.adapters.store.hourly import Source
from callflow.core.service.grouping import DAY_MS, HOUR_MS

LOCK_WAIT = "2s"
"""Those who want to write wait as long behind a lock that is asked for."""


class FleetHours:
    """Hours of the days that have a partition. Two collectors may count at the same time."""

    def uncounted(self, connection: sa.Connection, source: Source, now_ms: int) -> Iterator[list[int]]:
        marked, last_ms = marked_hours(connection, source), last_closed_ms(now_ms)
        for day in sorted(days_of(connection, source.records.name), reverse=True):
            hours = range((day + 1) * DAY_MS - HOUR_MS, day * DAY_MS - 1, -HOUR_MS)
            if waiting := [at_ms for at_ms in hours if at_ms <= last_ms and at_ms not in marked]:
                yield waiting

    def hold(self, connection: sa.Connection, source: Source, at_ms: int) -> None:
        name = day_table(source.records.name, at_ms // DAY_MS)
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
        connection.exec_driver_sql(
            f"LOCK TABLE {connection.dialect.identifier_preparer.quote(name)} IN SHARE ROW EXCLUSIVE MODE"
        )


PARTITIONS = sa.text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = to_regclass(:of)"
)


def days_of(connection: sa.Connection, table: str) -> list[int]:
    """The days that have a partition, counted from the epoch; not those outside the calendar."""
    names = connection.scalars(PARTITIONS, {"of": table})
    return [day for name in names if (day := day_of(name)) is not None]
