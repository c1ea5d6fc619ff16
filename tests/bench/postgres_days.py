"""Makes the days of `bench_report` in PostgreSQL: the first by COPY, the others from it, rows before indexes.

This is several times as fast as inserting rows into indexed tables, and gives the same tables.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.fleet.rows import day_table
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.core.service.grouping import DAY_MS

ID_SPACE = UUID("8f1b7a0e-55c4-4d0c-9a55-6e3d1d6c1a11")
Moved = Callable[[list[str], int], str]
"""Columns of a row as SQL, so many days later."""


class PostgresDays:
    """`began`: for each table, the column that says when a row began. `first_ms`: when the first day begins."""

    def __init__(self, place: Postgres, began: dict[str, str], first_ms: int, moved: Moved) -> None:
        self._place = place
        self._began = began
        self._first_ms = first_ms
        self._moved = moved

    def build(self, first_day: Path, days: int) -> None:
        """Make so many days, or those that are missing; `first_day`: a SQLite file with the first."""
        bring_to_head(self._place)
        with self._place.transaction() as connection:
            if connection.exec_driver_sql("SELECT to_regclass('first_calls')").scalar() is None:
                self._copy_first_day(connection, first_day)
        for day in range(days + 1):
            begun = time.perf_counter()
            with self._place.transaction() as connection:
                if self._make_utc_day(connection, self._first_ms // DAY_MS + day, day, days):
                    print(f"day {day} of {days} in {time.perf_counter() - begun:.1f} s", flush=True)
        with self._place.writing_engine().connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")

    def _copy_first_day(self, connection: sa.Connection, file: Path) -> None:
        """Into tables of their own: first_calls and so on."""
        driver: Any = connection.connection.driver_connection
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source:
            for name, at in self._began.items():
                table = fleet_metadata.tables[name]
                connection.exec_driver_sql(f"CREATE TABLE first_{name} (LIKE {name} INCLUDING DEFAULTS)")
                listed = ", ".join(f'"{column}"' for column in table.c.keys())  # noqa: SIM118 - keys, not columns
                with driver.cursor() as cursor, cursor.copy(f"COPY first_{name} ({listed}) FROM STDIN") as copy:
                    for row in _rows(source, table, f"{at} < {self._first_ms + DAY_MS}"):
                        copy.write_row(row)

    def _make_utc_day(self, connection: sa.Connection, utc_day: int, day: int, days: int) -> bool:
        """One UTC day, which has the end of one day and the beginning of the next; False if it is there."""
        if connection.exec_driver_sql(f"SELECT to_regclass('{day_table('calls', utc_day)}')").scalar() is not None:
            return False
        for name, at in self._began.items():
            table = fleet_metadata.tables[name]
            columns = list(table.c.keys())
            halves = [
                f"SELECT {self._moved(columns, ago)} FROM first_{name} WHERE {at} / {DAY_MS} = {utc_day - ago}"
                for ago in (day, day - 1)
                if 0 <= ago < days
            ]
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = f"({listed}) " + " UNION ALL ".join(halves)
            if table.dialect_options["postgresql"]["partition_by"]:
                _make_partition(connection, name, utc_day, rows)
            else:
                connection.exec_driver_sql(f"INSERT INTO {name} {rows}")
        return True


def _make_partition(connection: sa.Connection, name: str, utc_day: int, rows: str) -> None:
    part, bounds = day_table(name, utc_day), f"FROM ({utc_day * DAY_MS}) TO ({(utc_day + 1) * DAY_MS})"
    for statement in (
        f"CREATE TABLE {part} (LIKE {name} INCLUDING DEFAULTS)",
        f"INSERT INTO {part} {rows}",
        f"ALTER TABLE {part} ADD PRIMARY KEY (event_id)",
        f"ALTER TABLE {name} ATTACH PARTITION {part} FOR VALUES {bounds}",
    ):
        connection.exec_driver_sql(statement)


def _rows(source: sqlite3.Connection, table: sa.Table, where: str) -> Iterator[list[Any]]:
    """Rows with the columns of a fleet's table; SQLite keeps truths as numbers, and no ids of events."""
    names = [column.name for column in table.columns]
    truths = [isinstance(column.type, sa.Boolean) for column in table.columns]
    wanted = ", ".join("1" if name in ("event_id", "event_revision") else f'"{name}"' for name in names)
    event_id = names.index("event_id")
    for number, row in enumerate(source.execute(f"SELECT {wanted} FROM {table.name} WHERE {where}")):
        values = [bool(value) if truth else value for value, truth in zip(row, truths, strict=True)]
        values[event_id] = uuid5(ID_SPACE, f"{table.name} {number}")
        yield values
