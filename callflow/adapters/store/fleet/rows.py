"""Writes rows of records into the fleet's tables: the higher revision of an event wins, in whatever order they come."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.core.service.grouping import DAY_MS
from callflow.records.collected import BY_DAY
from callflow.records.kind import RecordKind

Row = Mapping[str, Any]

DAYS_LOCK = 0x63665F6461797300
"""Partitions are made one after the other: the advisory lock `cf_days`, as eight bytes."""
_IS_THERE = sa.text(
    "SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = to_regclass(:of) AND relname = :name)"
)
"""Of the name alone, PostgreSQL would remember after the wait that there was no such table before it."""


class FleetTable:
    """The table of one kind of record. Rows of calls go to the partition of their day, which is made when needed."""

    def __init__(self, kind: RecordKind[Any]) -> None:
        self._kind = kind
        self._whole = fleet_metadata.tables[kind.table.name]
        self._is_by_day = kind in BY_DAY
        self._days: dict[int, sa.Executable] = {}

    def save(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        """Insert rows or update them, in the open transaction; raises what SQLAlchemy raises."""
        by_day: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_day[row[self._kind.began.name] // DAY_MS if self._is_by_day else 0].append(row)
        # Days first: who makes one may wait for another, and then holds no row that the other needs.
        for statement, some in [(self._upsert(connection, day), some) for day, some in sorted(by_day.items())]:
            connection.execute(statement, some)

    def forget_days(self) -> None:
        """A transaction that may have made partitions was undone."""
        self._days.clear()

    def _upsert(self, connection: sa.Connection, day: int) -> sa.Executable:
        if not self._is_by_day:
            return self._plain
        if day not in self._days:
            make_day(connection, self._whole, day)
            into = self._whole.to_metadata(sa.MetaData(), name=day_table(self._whole.name, day))
            self._days[day] = self._save_into(into, [into.c.event_id])
        return self._days[day]

    @cached_property
    def _plain(self) -> sa.Executable:
        return self._save_into(self._whole, list(self._whole.primary_key))

    def _save_into(self, table: sa.Table, key: Sequence[sa.Column[Any]]) -> sa.Executable:
        """Of equal revisions the one that has ended counts, else the first."""
        new = insert(table)
        columns = {c.name: new.excluded[c.name] for c in table.columns if c not in key}
        ends = sa.and_(self._kind.is_open(table.c), sa.not_(self._kind.is_open(new.excluded)))
        name = next((name for name in ("event_revision", "revision") if name in table.c), None)
        if name is None:
            replaces: sa.ColumnElement[bool] = ends
        else:
            mine, theirs = table.c[name], new.excluded[name]
            replaces = sa.or_(theirs > mine, sa.and_(theirs == mine, ends))
        return new.on_conflict_do_update(index_elements=list(key), set_=columns, where=replaces)


def day_table(name: str, day: int) -> str:
    """stays_20260131: the partition of a day, counted from the epoch, in UTC; days before the year 1 have numbers."""
    try:
        return f"{name}_{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%Y%m%d}"
    except (OverflowError, ValueError, OSError):
        return f"{name}_d{day}".replace("-", "m")


def day_of(partition: str) -> int | None:
    """The day of a partition, counted from the epoch; None for one outside the calendar."""
    try:
        return int(datetime.strptime(f"{partition.rpartition('_')[2]}+0000", "%Y%m%d%z").timestamp()) // 86_400
    except ValueError:
        return None


def make_day(connection: sa.Connection, table: sa.Table, day: int) -> None:
    """Make the partition of a day unless it is there; readers are not held up, and who makes the same one waits."""
    name = day_table(table.name, day)
    of_day = {"of": table.name, "name": name}
    if connection.scalar(_IS_THERE, of_day):
        return
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(DAYS_LOCK)))
    if connection.scalar(_IS_THERE, of_day):
        return
    quoted = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(
        f"CREATE TABLE {quoted(name)} (LIKE {quoted(table.name)} INCLUDING DEFAULTS, PRIMARY KEY (event_id))"
    )
    connection.exec_driver_sql(
        f"ALTER TABLE {quoted(table.name)} ATTACH PARTITION {quoted(name)}"
        f" FOR VALUES FROM ({day * DAY_MS}) TO ({(day + 1) * DAY_MS})"
    )
