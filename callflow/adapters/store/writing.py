"""Writes one batch in one transaction; writing the same batch twice changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from callflow.adapters.store.backlog import Batch, Told
from callflow.adapters.store.pending import Also, Record
from callflow.adapters.store.rows import TABLES, record_row, timeline_row
from callflow.adapters.store.schema import calls, happenings
from callflow.core.call_record import CallRecord

IDS_PER_QUERY = 500


def _save_into(table: sa.Table, replaces: sa.ColumnElement[bool], new: Insert) -> sa.Executable:
    """Insert a row, or update the one there is if the new one `replaces` it."""
    columns = {c.name: new.excluded[c.name] for c in table.columns if not c.primary_key}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=columns, where=replaces)


def _save(table: sa.Table) -> sa.Executable:
    """Insert or update; a telling that is not final never reopens what has ended, nor an older revision a newer one."""
    new = insert(table)
    if table is calls:
        return _save_into(table, sa.or_(calls.c.ended_ms.is_(None), new.excluded.ended_ms.is_not(None)), new)
    replaces = sa.or_(table.c.open, sa.not_(new.excluded.open))
    if "revision" in table.c:
        newer = new.excluded.revision > table.c.revision
        replaces = sa.or_(newer, sa.and_(new.excluded.revision == table.c.revision, replaces))
    return _save_into(table, replaces, new)


SAVE = {kind: _save(table) for kind, table in TABLES.items()}
_KNOWN = sa.select(calls.c.call_id).where(
    calls.c.node == sa.bindparam("asked_node"), calls.c.call_id.in_(sa.bindparam("asked", expanding=True))
)
TELL = insert(happenings).on_conflict_do_nothing()
"""A happening is a fact: the first telling stands."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch; `early` are happenings whose call is not in the database yet."""

    calls: int
    happenings: int
    measured: int
    """Final records of rings and queues."""
    early: tuple[Told, ...]
    rejected: int
    """Rows that SQLite can never take, left out."""


def write(connection: sa.Connection, batch: Batch, node: str) -> Written:
    """Write a batch into the open transaction; raises what SQLAlchemy raises, and then nothing of it is kept."""
    rows: dict[type[Record], list[dict[str, Any]]] = {kind: [] for kind in SAVE}
    for pending in (*batch.live, *batch.ended):
        rows[type(pending.record)].append(record_row(pending, node))
    rejected = sum(_execute(connection, SAVE[kind], some) for kind, some in rows.items())
    saved = {row["call_id"] for row in rows[CallRecord]}
    known = _known(connection, {call_id for call_id, _ in batch.told}, saved, node)
    ready = [timeline_row(call_id, entry, node) for call_id, entry in batch.told if call_id in known]
    early = tuple(told for told in batch.told if told[0] not in known)
    rejected += _execute(connection, TELL, ready)
    beside = (also for pending in (*batch.live, *batch.ended) for also in pending.also)
    rejected += write_also(connection, (*beside, *batch.also))
    ended_calls = sum(isinstance(pending.record, CallRecord) for pending in batch.ended)
    return Written(ended_calls, len(ready), len(batch.ended) - ended_calls, early, rejected)


def write_also(connection: sa.Connection, also: Iterable[Also]) -> int:
    """Execute what goes with records or stands alone, in order; returns how many rows can never be taken."""
    rejected = 0
    for statement, some in groupby(also, key=lambda one: one.statement):
        rejected += _execute(connection, statement, [dict(one.row) for one in some])
    return rejected


def _known(connection: sa.Connection, told: set[str], saved: set[str], node: str) -> set[str]:
    """Which of the calls told about have a row, those just saved included."""
    asked = list(told - saved)
    known = told & saved
    for start in range(0, len(asked), IDS_PER_QUERY):
        some = asked[start : start + IDS_PER_QUERY]
        known.update(connection.execute(_KNOWN, {"asked_node": node, "asked": some}).scalars())
    return known


def _execute(connection: sa.Connection, statement: sa.Executable, rows: Sequence[dict[str, Any]]) -> int:
    """Execute for all rows; when one of them can never be stored, the others are. Returns how many were left out.

    No savepoints: SQLite undoes a failed statement alone, and rows written before it may be written again.
    """
    if not rows:
        return 0
    try:
        connection.execute(statement, rows)
    except Exception as error:
        if not _is_the_row(error):
            raise
        return _one_by_one(connection, statement, rows)
    return 0


def _one_by_one(connection: sa.Connection, statement: sa.Executable, rows: Iterable[dict[str, Any]]) -> int:
    rejected = 0
    for row in rows:
        try:
            connection.execute(statement, [row])
        except Exception as error:
            if not _is_the_row(error):
                raise
            rejected += 1
    return rejected


def _is_the_row(error: Exception) -> bool:
    """True when the row itself is at fault, and so would be for ever."""
    faults = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.InterfaceError, sa.exc.ProgrammingError)
    return isinstance(error, (*faults, ValueError, TypeError, OverflowError)) or type(error) is sa.exc.StatementError
