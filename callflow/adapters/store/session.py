"""The daemon's one connection to its database, opened again after every failure."""

from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.backlog import Batch
from callflow.adapters.store.database import explained, writing_engine
from callflow.adapters.store.interrupted import LeftOpen, close_interrupted
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.pending import AlsoOf, nothing_else
from callflow.adapters.store.writing import Written, write, write_also


class Session:
    """Used by one thread at a time."""

    def __init__(self, path: Path, node: str, busy_s: float, also_of: AlsoOf = nothing_else) -> None:
        self._also_of = also_of
        self._path = path
        self._node = node
        self._busy_s = busy_s
        self._engine = writing_engine(path, busy_s)
        self._connection: sa.Connection | None = None
        self._file: tuple[int, int] | None = None

    def open(self) -> LeftOpen:
        """Bring the database to the present schema and end what was left open; returns it, raises StoreError."""
        bring_to_head(self._path, busy_s=self._busy_s)
        try:
            with self._engine.begin() as connection:
                left = close_interrupted(connection, self._node)
                write_also(connection, (also for record in left.closed for also in self._also_of(record, True)))
                return left
        except sa.exc.DBAPIError as error:
            raise explained(error, self._path) from error

    def write(self, batch: Batch) -> Written:
        """Write one batch; it is on the disk when this returns. Raises whatever kept it from it."""
        try:
            connection = self._ready()
            with connection.begin():
                return write(connection, batch, self._node)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ready(self) -> sa.Connection:
        """The connection, a new one when the file has been moved away or removed: it would be written to for nobody."""
        if self._connection is not None and self._file != _identity(self._path):
            self.close()
        if self._connection is None:
            bring_to_head(self._path, busy_s=self._busy_s)
            self._connection = self._engine.connect()
            self._file = _identity(self._path)
        return self._connection


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
