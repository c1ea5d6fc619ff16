"""Migrates a database to the current schema.

To change the schema: change schema.py, add versions/vNNNN_what.py whose `down_revision` is the present HEAD, set HEAD.
A test compares what the migrations make with schema.py.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from callflow.adapters.store.database import connect, explained, make_file, version_of, writing_engine
from callflow.adapters.store.locks import beside, held
from callflow.adapters.store.schema import HEAD
from callflow.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

FIRST = "0001"
LOCK_WAIT_S = 30.0
STEPS = 1_000_000
"""Of SQLite's own machine, between two signs of progress: some hundredths of a second."""
MIGRATIONS = Path(__file__).parent / "migrations"


def bring_to_head(
    path: Path, *, busy_s: float = 5.0, target: str = HEAD, progress: Callable[[], None] = lambda: None
) -> None:
    """Create or upgrade the database, one process at a time, all or nothing; raises StoreError.

    `progress` is called again and again while a migration goes on, and not while it hangs; it must not raise.
    """
    make_file(path)
    engine = writing_engine(path, busy_s)
    try:
        with held(beside(path, "migration"), LOCK_WAIT_S):
            _use_wal(path, busy_s)
            with engine.begin() as connection:
                _upgrade(connection, path, target, progress)
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise explained(error, path) from error
    finally:
        engine.dispose()


def _use_wal(path: Path, busy_s: float) -> None:
    with closing(connect(path, busy_s)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(
            f"the disk of {path} does not allow readers beside a writer (journal mode {mode})",
            remedy="put the database on a local disk, not on a network share",
        )


def _upgrade(connection: sa.Connection, path: Path, target: str, progress: Callable[[], None]) -> None:
    version = version_of(connection)
    if version == target:
        return
    # Only now, because Alembic takes long to load and a restart should not.
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise newer(path, version)
    progress()
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(progress, STEPS)
    try:
        command.upgrade(config, target)
    finally:
        driver.set_progress_handler(None, 0)


def _config(connection: sa.Connection) -> "Config":
    """Alembic's view of the migrations, on this connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def take_back(path: Path, *, busy_s: float = 5.0) -> str:
    """Undo the newest migration, all or nothing; returns the version then. Raises StoreError. No daemon may run."""
    from alembic import command

    engine = writing_engine(path, busy_s)
    try:
        with engine.begin() as connection:
            if version_of(connection) in (None, FIRST):
                raise StoreError(f"{path} has no earlier version", remedy="an older release cannot use it")
            command.downgrade(_config(connection), "-1")
            return str(version_of(connection))
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise explained(error, path) from error
    finally:
        engine.dispose()


def newer(path: Path, version: str) -> StoreError:
    """The refusal of a database that a later callflow has changed."""
    return StoreError(
        f"the database {path} was made by a newer callflow (schema {version}, this one knows {HEAD})",
        remedy="install that callflow again, or set another store.path; the file has not been touched",
    )
