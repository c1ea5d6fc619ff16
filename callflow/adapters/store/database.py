"""Connections to the database file, and errors that say what to do about them."""

import os
import sqlite3
from errno import EACCES
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from callflow.errors import StoreError

WAL_LIMIT_BYTES = 64 * 1024 * 1024


def connect(path: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that writes to an existing file; waits `busy_s` for other writers.

    Every commit is on the disk when it returns.
    """
    uri = f"{path.resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    return connection


def writing_engine(path: Path, busy_s: float) -> sa.Engine:
    """An engine whose transactions take the write lock at their beginning, so that none fails half-way for it."""
    engine = sa.create_engine(
        "sqlite://", creator=lambda: connect(path, busy_s), poolclass=NullPool, hide_parameters=True
    )
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


@lru_cache(maxsize=32)
def reading_engine(path: Path) -> sa.Engine:
    """The engine that reads a file: it can change nothing, blocks no writer and keeps no connection.

    One for each file: an engine of its own for each question would put the same SQL together again and again.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"

    def connect_to_read() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect_to_read, poolclass=NullPool, hide_parameters=True)


def make_file(path: Path) -> None:
    """Create an empty database file that others cannot read, unless it exists; raises StoreError.

    One that exists is not opened: to close it again would end the locks that this process's connections have on it
    (POSIX), and then any reader who leaves takes itself for the last and removes the log that is being written to.
    """
    try:
        os.close(os.open(path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640))
    except FileExistsError:
        if not path.is_file():
            _refuse(path, "it is not a regular file")
        if not os.access(path, os.R_OK | os.W_OK):
            _refuse(path, os.strerror(EACCES))
    except FileNotFoundError:
        raise StoreError(
            f"the folder {path.parent} of the database does not exist",
            remedy="create it, writable for the user that callflow runs as, or set another store.path",
        ) from None
    except OSError as error:
        _refuse(path, error.strerror or str(error))


def _refuse(path: Path, reason: str) -> NoReturn:
    raise StoreError(
        f"the database {path} cannot be written: {reason}",
        remedy="give it and its folder to the user that callflow runs as, or set another store.path",
    ) from None


def version_of(connection: sa.Connection) -> str | None:
    """The migration that the database is at; None for one without callflow's tables."""
    tables = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    if tables.first() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def reason_of(error: Exception) -> str:
    """SQLite's own words, without the statement and its values: those may hold a caller's number."""
    return str(getattr(error, "orig", None) or getattr(error, "problem", None) or error)


def explained(error: Exception, path: Path) -> StoreError:
    """An error of SQLite as a problem and a remedy."""
    reason = reason_of(error)
    if "not a database" in reason or "malformed" in reason:
        remedy = "stop callflow, then move the file away (the next start makes a new one) or restore a backup"
    elif "full" in reason:
        remedy = "make room on its disk"
    elif "locked" in reason:
        remedy = "find the program that holds it (fuser shows it) and end that"
    else:
        remedy = "check the permissions of the file and its folder, and the disk, or name another database"
    return StoreError(f"the database {path} cannot be used: {reason}", remedy=remedy)
