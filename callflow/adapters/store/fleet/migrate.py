"""Migrates a fleet's database to the current schema.

To change the schema: change the tables of records or schema.py, add migrations/versions/vNNNN_what.py, set HEAD in
`__init__.py`. A test compares what the migrations make with schema.py.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from callflow.adapters.store.fleet import HEAD
from callflow.adapters.store.places import Postgres, fleet_version
from callflow.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x63616C6C666C6F77
"""The advisory lock of who changes the schema: `callflow`, as eight bytes."""
FIRST = "0001"
COLLECTORS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The active collectors, each of which holds a lock; and who else changes the schema."""


def bring_to_head(place: Postgres, target: str = HEAD) -> None:
    """Create or upgrade the tables, one process at a time, all or nothing; raises StoreError."""
    with place.transaction() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        version = fleet_version(connection)
        if version != target:
            _upgrade(connection, place, version, target)


def take_back(place: Postgres) -> str:
    """Undo the newest migration, all or nothing; returns the version then. Raises StoreError; nobody may collect."""
    from alembic import command

    with place.transaction() as connection:
        place.check(connection)
        if connection.exec_driver_sql(COLLECTORS).scalar():
            raise StoreError(f"a collector uses {place.shown}", remedy="stop every callflow collect, then start again")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if fleet_version(connection) == FIRST:
            raise StoreError(f"{place.shown} has no earlier version", remedy="an older release cannot use it")
        command.downgrade(_config(connection), "-1")
        return str(fleet_version(connection))


def _config(connection: sa.Connection) -> "Config":
    """Alembic's view of the migrations, on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: sa.Connection, place: Postgres, version: str | None, target: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise place.newer(version)
    command.upgrade(config, target)
