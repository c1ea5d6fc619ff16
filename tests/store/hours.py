"""Counts the hours of a database as the daemon or the collector does, without their pauses."""

from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.counting import FileHours, Hours, count_hours
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.fleet.counting import FleetHours
from callflow.adapters.store.hourly import counted_hours
from callflow.adapters.store.places import Postgres, Where


def count_all(database: Where, now_ms: int) -> int:
    """Count all that is closed; returns the hours that have counts then, of all kinds."""
    engine, hours = engine_of(database)
    with engine.connect() as connection:
        count_hours(connection, hours, now_ms, lambda _: False)
        return int(connection.scalar(sa.select(sa.func.count()).select_from(counted_hours)) or 0)


def uncount_all(database: Where) -> None:
    """Take all marks away, so that everything is counted from records."""
    engine, _ = engine_of(database)
    with engine.begin() as connection:
        connection.execute(sa.delete(counted_hours))


def engine_of(database: Where) -> tuple[sa.Engine, Hours]:
    """An engine that writes, and how hours are counted there."""
    if isinstance(database, Path):
        return writing_engine(database, 5.0), FileHours()
    return Postgres(database).writing_engine(), FleetHours()
