"""Brings a fleet's database to the present schema.

To change the schema: change the tables of records or schema.py, add migrations/versions/vNNNN_what.py, set HEAD in
`__init__.py`. A test compares what the migrations make with schema.py.
"""

from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.fleet import HEAD
from callflow.adapters.store.places import Postgres, fleet_version

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x63616C6C666C6F77
"""The advisory lock of who changes the schema: `callflow`, as eight bytes."""


def bring_to_head(place: Postgres) -> None:
    """Create or upgrade the tables, one process at a time, all or nothing; raises StoreError."""
    with place.transaction() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        version = fleet_version(connection)
        if version != HEAD:
            _upgrade(connection, place, version)


def _upgrade(connection: sa.Connection, place: Postgres, version: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise place.newer(version)
    command.upgrade(config, HEAD)
