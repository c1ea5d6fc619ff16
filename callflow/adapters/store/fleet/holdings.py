"""What a fleet's database holds, for `callflow doctor`: release, version, tables, partitions. It names no caller."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from callflow.adapters.store.fleet.migrate import COLLECTORS
from callflow.adapters.store.fleet.rows import day_of
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres, fleet_version
from callflow.records.collected import BY_DAY

COUNTED_BYTES = 256 * 1024 * 1024
"""Of a larger table PostgreSQL's own estimate is told: counting a billion rows takes hours."""
ANSWER_S = 30
_BY_DAY = {kind.table.name for kind in BY_DAY}
_PARTS = sa.text(
    "SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes, c.reltuples AS rows FROM pg_class c"
    " WHERE c.oid = to_regclass(:table)"
    " OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(:table))"
    " ORDER BY c.oid <> to_regclass(:table), c.relname"
)


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL itself, and this database of it."""

    release: str
    now_ms: int
    """Its clock, epoch ms."""
    version: str | None
    """The migration; None without callflow's tables."""
    bytes: int
    connections: int
    collectors: int
    """Active ones, each of which holds a lock."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One table, with all its partitions."""

    table: str
    rows: int
    exact: bool
    """False: as PostgreSQL estimates; it may be years old without its autovacuum."""
    bytes: int
    partitions: tuple[str, ...] | None
    """None: it has none by its nature."""

    @property
    def days(self) -> str:
        """First and last day of the partitions."""
        days = sorted(day for name in self.partitions or () if (day := day_of(name)) is not None)
        first_last = [f"{datetime.fromtimestamp(86_400 * day, UTC):%Y-%m-%d}" for day in (days[:1] + days[-1:])]
        return " to ".join(first_last)


def server(place: Postgres) -> Server:
    """Raises StoreError."""
    with _reading(place) as connection:
        asked = connection.exec_driver_sql(
            "SELECT current_setting('server_version') AS release,"
            " (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms,"
            " pg_database_size(current_database()) AS bytes,"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections"
        )
        row = asked.mappings().one()
        collectors = connection.exec_driver_sql(f"{COLLECTORS} AND granted").scalar_one()
        return Server(version=fleet_version(connection), collectors=collectors, **row)


def holdings(place: Postgres) -> Iterator[Holding]:
    """Every table of callflow that is there, in order. Raises StoreError."""
    with _reading(place) as connection:
        for table in sorted(fleet_metadata.tables.values(), key=lambda table: table.name):
            parts = list(connection.execute(_PARTS, {"table": table.name}).mappings())
            if not parts:
                continue
            size = sum(part["bytes"] for part in parts)
            by_day = table.name in _BY_DAY
            exact = size <= COUNTED_BYTES
            rows = (
                connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                if exact
                else round(sum(max(0.0, part["rows"]) for part in parts[1 if by_day else 0 :]))
            )
            yield Holding(table.name, rows, exact, size, tuple(part["name"] for part in parts[1:]) if by_day else None)


@contextlib.contextmanager
def _reading(place: Postgres) -> Iterator[sa.Connection]:
    engine = place.engine()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SET statement_timeout = '{ANSWER_S}s'")
            yield connection
    except sa.exc.DBAPIError as error:
        raise place.explained(error) from error
    finally:
        engine.dispose()
