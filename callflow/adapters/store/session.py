"""The daemon's one connection to its database, opened again after every failure."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
import structlog

from callflow.adapters.store.backlog import Batch
from callflow.adapters.store.database import explained, writing_engine
from callflow.adapters.store.left_open import LeftOpen, left_open
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.writing import BatchWriter, Written
from callflow.errors import DatabaseMissing
from callflow.records.kind import Kinds

log = structlog.get_logger()


class Session:
    """Used by one thread at a time.

    Makes a database only in `open`. When its file disappears later, nothing is made in its place, because an empty
    database would look as if all were well. Another file in its place (a restored backup) is used, with a warning.
    """

    def __init__(
        self, path: Path, node: str, kinds: Kinds, busy_s: float, migrating: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._node = node
        self._kinds = kinds
        self._batches = BatchWriter(kinds, node)
        self._busy_s = busy_s
        self._migrating = migrating
        self._engine = writing_engine(path, busy_s)
        self._connection: sa.Connection | None = None
        self._file: tuple[int, int] | None = None
        """The file that is written to, by device and inode."""
        self._held: int | None = None
        """That file, held open without a connection, too: no other file gets its inode meanwhile."""
        self.file_number = 0
        """Grows whenever another file takes its place."""

    def open(self) -> LeftOpen:
        """Bring the database to the present schema; returns what was left open, raises StoreError."""
        bring_to_head(self._path, busy_s=self._busy_s, progress=self._migrating)
        self._hold()
        try:
            with self._engine.connect() as connection:
                return left_open(connection, self._kinds, self._node)
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def write(self, batch: Batch, *, last_chance: bool = False) -> Written:
        """Write one batch; it is on the disk when this returns. Raises whatever prevented it.

        With `last_chance` a database that has disappeared is made anew: otherwise its records would be lost.
        """
        connection = self._ready(last_chance and bool(batch))
        if not batch:
            return Written()
        batch = replace(batch, confirmed=batch.confirmed.of_file(self.file_number))
        try:
            with connection.begin():
                return self._batches.write(connection, batch)
        except BaseException:
            self._disconnect()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._disconnect()
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _hold(self) -> None:
        """The file that is there now is the one that is written to.

        O_PATH: to close any other descriptor would end the locks of this process's connections (POSIX).
        """
        held = os.open(self._path, os.O_PATH | os.O_CLOEXEC)
        if self._held is not None:
            os.close(self._held)
        self._held, found = held, os.fstat(held)
        self._file = found.st_dev, found.st_ino

    def _ready(self, make_anew: bool) -> sa.Connection:
        """The connection to the file that is there now; raises DatabaseMissing if there is none."""
        found = _identity(self._path)
        if found is None and not make_anew:
            # The connection stays open: should the same file come back, it goes on with it.
            raise DatabaseMissing(
                f"the database {self._path} has been deleted or moved away",
                remedy="put it back, or restart callflow: at its end it saves what it has in memory in a new database",
            )
        if found != self._file:
            self._disconnect()
            self.file_number += 1
            what = (
                "the database is gone; what is in memory is saved in a new one"
                if found is None
                else "another database file is in place of the one written to; it is used from now on"
            )
            log.warning(what, path=str(self._path))
        if self._connection is None:
            bring_to_head(self._path, busy_s=self._busy_s)
            self._hold()
            self._connection = self._engine.connect()
        return self._connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
