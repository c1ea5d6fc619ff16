"""Erases one caller from a database: in every text of every table, and then in the bytes of its files."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.copying import PARTS
from callflow.adapters.store.database import connect, explained, reading_engine, version_of, writing_engine
from callflow.adapters.store.names_of_callers import name_deleted
from callflow.core.publishing.privacy import bare
from callflow.errors import StoreError
from callflow.records.callbacks import callbacks

BUSY_S = 30.0
CHECKPOINT_S = 10.0
CHUNK_BYTES = 1 << 20
IDENTITY = ("caller_number", "caller_name")
OUTBOX = "outbox"
OF_NO_CALLER = ("alembic_version", "deleted")
IDS = ("call_id", "uniqueid")

Column = sa.Column[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for: a number in every spelling that the database has, and its hashes."""

    numbers: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    anywhere: bool = True
    """Long enough that these digits are this number wherever they stand alone; a short one must be a whole value."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that may stand nowhere afterwards, but inside longer numbers."""
        return (*(self.numbers if self.anywhere else ()), *self.hashes)


@dataclass(slots=True)
class Found:
    """How much there is of a caller: rows by table, and the ids of the calls."""

    rows: dict[str, int] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)


def spellings(database: Path, number: str) -> tuple[str, ...]:
    """The number as given, bare, and in every spelling that the database has of it. Raises StoreError."""
    wanted = bare(number).removeprefix("+")
    found = dict.fromkeys([number, bare(number), wanted])
    with _reading(database) as connection:
        for table in tables_of(connection):
            for column in filter(is_number, table.columns):
                stored = connection.execute(sa.select(column).distinct()).scalars()
                found |= dict.fromkeys(text for text in stored if text and bare(text).removeprefix("+") == wanted)
    return tuple(found)


def search(database: Path, wanted: Wanted) -> Found:
    """What there is of a caller. Changes nothing. Raises StoreError."""
    found = Found()
    with _reading(database) as connection:
        for table in tables_of(connection):
            holds = _holds(table, wanted)
            count = connection.execute(sa.select(sa.func.count()).select_from(table).where(holds)).scalar_one()
            if count:
                found.rows[table.name] = count
                ids = [table.c[name] for name in IDS if name in table.c]
                if ids:
                    rows = connection.execute(sa.select(*ids).where(holds))
                    found.ids |= {str(one) for row in rows for one in row}
    return found


def erase(database: Path, wanted: Wanted, progress: Callable[[str], None]) -> None:
    """Empty what names the caller, delete events that wait, and leave no trace in the files. Raises StoreError.

    Daemons may run: each table is one transaction. Records stay, without the caller, for the figures.
    """
    engine = writing_engine(database, BUSY_S)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
            _teach(connection)
            for table in tables_of(connection):
                progress(table.name)
                with connection.begin():
                    for change in _changes(table, wanted):
                        connection.execute(change)
        progress("files")
        with closing(connect(database, BUSY_S)) as raw:
            _empty_log(raw)
            if in_files(database, wanted.texts):
                raw.execute("VACUUM")
                _empty_log(raw)
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise explained(error, database) from None


def inside_longer_numbers(database: Path, wanted: Wanted) -> int:
    """Values in which the digits are part of a longer number, an id for example: those bytes stay in the files."""
    count = 0
    with _reading(database) as connection:
        for table in tables_of(connection):
            for column in _texts(table):
                holds = sa.or_(sa.false(), *(sa.func.instr(column, text) > 0 for text in wanted.texts))
                count += connection.execute(sa.select(sa.func.count()).select_from(table).where(holds)).scalar_one()
    return count


def in_files(database: Path, texts: Sequence[str]) -> list[str]:
    """Names of the database's files in whose bytes any of the texts stands, if only inside a longer number."""
    wanted = [text.encode() for text in texts]
    paths = (database.with_name(database.name + part) for part in PARTS)
    return [path.name for path in paths if path.exists() and _stands_in(path, wanted)]


def _stands_in(path: Path, wanted: Sequence[bytes]) -> bool:
    return any(text in chunk for chunk in _chunks(path, wanted) for text in wanted)


def _changes(table: sa.Table, wanted: Wanted) -> Iterator[sa.Insert | sa.Update | sa.Delete]:
    if table.name == OUTBOX:
        yield sa.delete(table).where(_holds(table, wanted))
        return
    if table.name == callbacks.name and "spoken_name" in table.c:
        mine = callbacks.c.number.in_(wanted.numbers)
        yield from name_deleted(mine, time.time_ns() // 1_000_000, number=sa.literal(""))
    elif "spoken_name" in table.c:
        yield sa.update(table).where(table.c.number.in_(wanted.numbers)).values(spoken_name="")
    if "caller_number" in table.c:
        emptied = {name: "" for name in IDENTITY if name in table.c}
        yield sa.update(table).where(table.c.caller_number.in_(wanted.numbers)).values(emptied)
    for column in _texts(table):
        if is_number(column):
            yield sa.update(table).where(column.in_(wanted.numbers)).values({column.name: ""})
        for text in wanted.texts:
            yield sa.update(table).where(_has(column, text)).values({column.name: sa.func.without(column, text)})


def _holds(table: sa.Table, wanted: Wanted) -> sa.ColumnElement[bool]:
    """The condition that a row has something of the caller."""
    anywhere = [_has(column, text) for column in _texts(table) for text in wanted.texts]
    whole = [column.in_(wanted.numbers) for column in _texts(table) if is_number(column)]
    return sa.or_(sa.false(), *anywhere, *whole)


def _has(column: Column, text: str) -> sa.ColumnElement[bool]:
    """A text stands in a value, alone: SQLite's own search first, because ours is slow."""
    return sa.and_(sa.func.instr(column, text) > 0, sa.func.without(column, text) != column)


def _without(value: str | float | bytes | None, text: str) -> str | float | bytes | None:
    """A value without a text, where no digit is before or after it."""
    return re.sub(rf"(?<![0-9]){re.escape(text)}(?![0-9])", "", value) if isinstance(value, str) else value


def _teach(connection: sa.Connection) -> None:
    """Give SQLite the function `without`."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.create_function("without", 2, _without, deterministic=True)
    connection.rollback()


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    """Every table, as the database itself tells: a later release may have more."""
    found = sa.MetaData()
    found.reflect(connection)
    connection.rollback()
    return [table for table in found.sorted_tables if table.name not in OF_NO_CALLER]


def _texts(table: sa.Table) -> list[Column]:
    return [column for column in table.columns if isinstance(column.type, sa.Text | sa.String | sa.types.NullType)]


def is_number(column: sa.Column[str]) -> bool:
    """The column holds numbers of callers, or numbers that they dialled."""
    return column.name.endswith("number")


@contextmanager
def _reading(database: Path) -> Iterator[sa.Connection]:
    """A connection that changes nothing; raises StoreError."""
    try:
        with reading_engine(database).connect() as connection:
            if version_of(connection) is None:
                remedy = "name the right file with --db, or set store.path"
                raise StoreError(f"{database} holds no calls of callflow", remedy=remedy)
            _teach(connection)
            yield connection
    except sa.exc.DBAPIError as error:
        raise explained(error, database) from None


def _empty_log(connection: sqlite3.Connection) -> None:
    """Move everything out of the write-ahead log and cut it to nothing; raises StoreError if readers hold it."""
    until = time.monotonic() + CHECKPOINT_S
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > until:
            remedy = "end reports and exports that read the database, and repeat it"
            raise StoreError("the write-ahead log is in use, so the number may still be in it", remedy)
        time.sleep(0.05)


def _chunks(path: Path, wanted: Sequence[bytes]) -> Iterator[bytes]:
    """The bytes of a file, each chunk beginning with the end of the one before."""
    overlap = max((len(text) for text in wanted), default=1) - 1
    with path.open("rb") as file:
        kept = b""
        while chunk := file.read(CHUNK_BYTES):
            yield kept + chunk
            kept = (kept + chunk)[len(kept + chunk) - overlap :]
