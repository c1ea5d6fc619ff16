"""Where records are read: in the SQLite file of a daemon, or in the PostgreSQL database of a fleet."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from callflow.adapters.store.database import explained, reading_engine, reason_of, version_of
from callflow.adapters.store.fleet import HEAD as FLEET_HEAD
from callflow.adapters.store.locks import beside, is_held
from callflow.adapters.store.migrate import newer
from callflow.adapters.store.schema import HEAD
from callflow.errors import StoreAway, StoreError

Where = Path | str
"""The path of a SQLite file, or the URL of a PostgreSQL database."""
DRIVER = "postgresql+psycopg"
CONNECT_S = 10
READING = "-c default_transaction_read_only=on -c jit=off -c work_mem=32MB"
"""Of connections that read. Compiling the sums of a report (jit) takes longer than to add up a day without it."""
RUNS_AND_IS_RIGHT = "check that PostgreSQL runs and that [fleet] database_url, or --db, is right"
MENDED_BY_A_PERSON = {
    "permission denied": "give the user of the URL the right to do it (GRANT)",
    'database ".*" does not exist': "createdb makes it",
    'role ".*" does not exist': "createuser makes it, or name another user in the URL",
    "authentication failed|no password supplied": "correct user and password of [fleet] database_url, or of --db",
    r"pg_hba\.conf": "let the user in, in pg_hba.conf of PostgreSQL",
}
"""What PostgreSQL says, and the remedy. In another language than English it counts as away, and says why."""


class Place(Protocol):
    """A database that a Reader reads."""

    def engine(self) -> sa.Engine:
        """An engine that changes nothing and blocks no writer; raises StoreError if there is no such database."""
        ...

    def check(self, connection: sa.Connection) -> None:
        """Raise StoreError unless the tables are those that this release reads."""
        ...

    def explained(self, error: Exception) -> StoreError:
        """An error of the database as a problem and a remedy."""
        ...

    def is_written_by(self, node: str) -> bool:
        """Whether the daemon of this name runs and writes to the database."""
        ...

    def interrupt(self, raw: Any) -> None:
        """End the query under way on a connection of the driver, from another thread."""
        ...


def is_url(text: str) -> bool:
    """Whether a text names a PostgreSQL database rather than a file."""
    return text.startswith(("postgresql://", "postgres://", "postgresql+psycopg://"))


def where(text: str) -> Where:
    """What `--db` or a setting names."""
    return text if is_url(text) else Path(text)


def place_of(named: Where) -> Place:
    """The database of a path or a URL; raises StoreError for a URL of another kind."""
    return SqliteFile(named) if isinstance(named, Path) else Postgres(named)


class SqliteFile:
    """The database of one or more daemons of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def engine(self) -> sa.Engine:
        try:
            there = self._path.is_file()
        except PermissionError as error:
            raise StoreError(
                f"the database {self._path} cannot be read: {error.strerror}",
                remedy="do this as the user that callflow runs as, or name another with --db",
            ) from None
        if not there:
            raise StoreError(
                f"there is no call database at {self._path}",
                remedy="start the daemon (callflow run), which makes it, or name another with --db",
            )
        return reading_engine(self._path)

    def check(self, connection: sa.Connection) -> None:
        version = version_of(connection)
        if version is None:
            raise StoreError(
                f"{self._path} holds no calls of callflow", remedy="name the right file with --db, or set store.path"
            )
        if version > HEAD:
            raise newer(self._path, version)
        if version < HEAD:
            raise StoreError(
                f"the database {self._path} is from an older callflow (schema {version}, this one reads {HEAD})",
                remedy="start the daemon of this callflow once: it brings the database up to date",
            )

    def explained(self, error: Exception) -> StoreError:
        return explained(error, self._path)

    def is_written_by(self, node: str) -> bool:
        """Never true of a copy."""
        return is_held(beside(self._path, node))

    def interrupt(self, raw: Any) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):
            raw.interrupt()


class Postgres:
    """The database of a fleet. Its password is never shown."""

    def __init__(self, url: str) -> None:
        self.url = parsed(url)
        hidden = self.url.update_query_dict({name: "***" for name in self.url.query if "password" in name})
        self.shown = hidden.render_as_string(hide_password=True).replace(f"{DRIVER}://", "postgresql://", 1)

    def engine(self) -> sa.Engine:
        return self._engine(READING, isolation_level="AUTOCOMMIT")

    def writing_engine(self) -> sa.Engine:
        """An engine that collects; one connection at a time."""
        return self._engine()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A connection of its own and one transaction; raises StoreError, and then nothing has changed."""
        engine = self.writing_engine()
        try:
            with engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self.explained(error) from error
        finally:
            engine.dispose()

    def _engine(self, options: str = "", **more: Any) -> sa.Engine:
        arguments: dict[str, Any] = {"connect_timeout": CONNECT_S, "application_name": "callflow"}
        if options:
            arguments["options"] = options
        try:
            return sa.create_engine(self.url, poolclass=NullPool, hide_parameters=True, connect_args=arguments, **more)
        except ModuleNotFoundError as error:
            raise StoreError(
                f"PostgreSQL needs the package {error.name}", remedy="pip install psycopg[binary]"
            ) from None

    def check(self, connection: sa.Connection) -> None:
        version = fleet_version(connection)
        if version is None:
            raise StoreAway(
                f"{self.shown} holds no calls of callflow",
                remedy="start callflow collect, which makes the tables, or name another database",
            )
        if version > FLEET_HEAD:
            raise self.newer(version)
        if version < FLEET_HEAD:
            raise StoreAway(
                f"{self.shown} is from an older callflow (schema {version}, this one reads {FLEET_HEAD})",
                remedy="start callflow collect of this release once: it brings the database up to date",
            )

    def newer(self, version: str) -> StoreError:
        """The refusal of a database that a later callflow has changed."""
        return StoreError(
            f"{self.shown} was made by a newer callflow (schema {version}, this one knows {FLEET_HEAD})",
            remedy="install that callflow here too; the database has not been touched",
        )

    def explained(self, error: Exception) -> StoreError:
        whole = reason_of(error).strip() or type(error).__name__
        problem = f"the database {self.shown} cannot be used: {whole.splitlines()[0]}"
        for words, remedy in MENDED_BY_A_PERSON.items():
            if re.search(words, whole):
                return StoreError(problem, remedy=remedy)
        if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
            return StoreError(problem, remedy=RUNS_AND_IS_RIGHT)
        full = "No space left" in whole
        return StoreAway(problem, remedy="make room on the disk of PostgreSQL" if full else RUNS_AND_IS_RIGHT)

    def is_written_by(self, node: str) -> bool:
        """Never: what a node does now is not here yet."""
        return False

    def interrupt(self, raw: Any) -> None:
        raw.cancel_safe()


def parsed(url: str) -> sa.URL:
    """The URL with the driver that callflow uses; raises StoreError for one that is not of PostgreSQL."""
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        found = None
    if found is None or not is_url(url) or "@" in (found.host or ""):
        raise StoreError(
            "database_url is not the URL of a PostgreSQL database",
            remedy="write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with @ : / of a password as %40 %3A %2F",
        )
    return found.set(drivername=DRIVER)


def fleet_version(connection: sa.Connection) -> str | None:
    """The migration that a PostgreSQL database is at; None for one without callflow's tables."""
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)
