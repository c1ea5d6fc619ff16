"""Writes one batch in one transaction; writing the same batch twice changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert

from callflow.adapters.store.backlog import Batch, CallEntry, Confirmed, EventRow, Pending
from callflow.adapters.store.schema import outbox
from callflow.core.call_record import CallRecord
from callflow.records.calls import calls, happenings, timeline_row
from callflow.records.kind import Kinds, RecordKind

IDS_PER_QUERY = 500

_KNOWN = sa.select(calls.c.call_id).where(
    calls.c.node == sa.bindparam("asked_node"), calls.c.call_id.in_(sa.bindparam("asked", expanding=True))
)


def _sql(statement: sa.ClauseElement, columns: Sequence[str] | None = None) -> str:
    """A statement as SQLite reads it, compiled once: SQLAlchemy would prepare the values of every row anew.

    `columns`: those that an INSERT fills, all by default.
    """
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=columns))


_ADD_ENTRY = _sql(insert(happenings).on_conflict_do_nothing())
"""An entry is a fact: the first version stands."""
_ADD_EVENT = _sql(insert(outbox).on_conflict_do_nothing(), ["node", *(field.name for field in fields(EventRow))])
_DELETE_EVENT = _sql(sa.delete(outbox).where(outbox.c.seq == sa.bindparam("confirmed")))
_DELETE_EVENTS = sa.delete(outbox).where(
    outbox.c.node == sa.bindparam("of_node"),
    outbox.c.destination == sa.bindparam("to"),
    outbox.c.seq <= sa.bindparam("upto"),
    outbox.c.refused_ms.is_(None),
)
_REFUSE = _sql(
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("refused"))
    .values(refused_ms=sa.bindparam("at_ms"), reason=sa.bindparam("because"))
)


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a batch."""

    calls: int = 0
    entries: int = 0
    measured: int = 0
    """Ended records of every other kind."""
    early: tuple[CallEntry, ...] = ()
    """Timeline entries whose call is not in the database yet."""
    rejected: int = 0
    """Rows that the database can never take, left out."""


class BatchWriter:
    """Writes the batches of one daemon, `node`."""

    def __init__(self, kinds: Kinds, node: str) -> None:
        self._kinds = kinds
        self._node = node
        self._save = {kind.record: _upsert(kind) for kind in kinds}

    def write(self, connection: sa.Connection, batch: Batch) -> Written:
        """Write a batch into the open transaction; raises what SQLAlchemy raises, and then nothing of it is kept."""
        records = (*batch.live, *batch.ended)
        rejected, saved = self._write_records(connection, records)
        known = self._known(connection, {call_id for call_id, _ in batch.timeline}, saved)
        ready = [entry for entry in batch.timeline if entry[0] in known]
        early = tuple(entry for entry in batch.timeline if entry[0] not in known)
        entries = [row for call_id, entry in ready if (row := _converted(timeline_row, call_id, entry, self._node))]
        rejected += len(ready) - len(entries) + _execute(connection, _ADD_ENTRY, entries)
        events = [self._event_row(event) for pending in records for event in pending.events]
        rejected += _execute(connection, _ADD_EVENT, events)
        self._delete_events(connection, batch.confirmed)
        ended_calls = sum(isinstance(pending.record, CallRecord) for pending in batch.ended)
        return Written(ended_calls, len(ready), len(batch.ended) - ended_calls, early, rejected)

    def _write_records(self, connection: sa.Connection, records: Iterable[Pending]) -> tuple[int, set[str]]:
        """How many rows were left out, and the ids of the calls written."""
        rows: dict[type[Any], list[dict[str, Any]]] = {record: [] for record in self._save}
        rejected = 0
        for pending in records:
            kind = self._kinds.of(pending.record)
            row = _converted(kind.row, pending.record, self._node, final=pending.final, interrupted=pending.interrupted)
            if row is None:
                rejected += 1
            else:
                rows[kind.record].append(row)
        rejected += sum(_execute(connection, self._save[record], some) for record, some in rows.items())
        return rejected, {row["call_id"] for row in rows.get(CallRecord, ())}

    def _known(self, connection: sa.Connection, asked: set[str], saved: set[str]) -> set[str]:
        """Which of these calls have a row, those just saved included."""
        unsure = list(asked - saved)
        known = asked & saved
        for start in range(0, len(unsure), IDS_PER_QUERY):
            some = unsure[start : start + IDS_PER_QUERY]
            known.update(connection.execute(_KNOWN, {"asked_node": self._node, "asked": some}).scalars())
        return known

    def _event_row(self, event: EventRow) -> dict[str, Any]:
        return {"node": self._node, **asdict(event)}

    def _delete_events(self, connection: sa.Connection, confirmed: Confirmed) -> None:
        _execute(connection, _DELETE_EVENT, [{"confirmed": event.seq} for event in confirmed.events])
        for destination, event in confirmed.upto.items():
            connection.execute(_DELETE_EVENTS, {"of_node": self._node, "to": destination, "upto": event.seq})
        refused = [
            {"refused": one.event.seq, "at_ms": one.refused_ms, "because": one.reason} for one in confirmed.refused
        ]
        _execute(connection, _REFUSE, refused)


def _upsert(kind: RecordKind[Any]) -> str:
    """Insert or update. What is not final never reopens what has ended, nor an older revision replaces a newer one."""
    table, new = kind.table, insert(kind.table)
    replaces = sa.or_(kind.is_open(table.c), sa.not_(kind.is_open(new.excluded)))
    if "revision" in table.c:
        newer = new.excluded.revision > table.c.revision
        replaces = sa.or_(newer, sa.and_(new.excluded.revision == table.c.revision, replaces))
    columns = {c.name: new.excluded[c.name] for c in table.columns if not c.primary_key}
    return _sql(new.on_conflict_do_update(index_elements=list(table.primary_key), set_=columns, where=replaces))


def _converted(convert: Callable[..., dict[str, Any]], *values: Any, **more: Any) -> dict[str, Any] | None:
    """A row; None for a record with a value of another type than its field's, which would fail for ever."""
    try:
        return convert(*values, **more)
    except (AttributeError, TypeError, ValueError):
        return None


def _execute(connection: sa.Connection, statement: str, rows: list[dict[str, Any]]) -> int:
    """Execute for all rows; when one of them can never be stored, the others are. Returns how many were left out.

    No savepoints: SQLite undoes a failed statement alone, and rows written before it may be written again.
    """
    if not rows:
        return 0
    try:
        connection.exec_driver_sql(statement, rows)
    except Exception as error:
        if not _is_the_row(error):
            raise
        return _one_by_one(connection, statement, rows)
    return 0


def _one_by_one(connection: sa.Connection, statement: str, rows: Iterable[dict[str, Any]]) -> int:
    rejected = 0
    for row in rows:
        try:
            connection.exec_driver_sql(statement, row)
        except Exception as error:
            if not _is_the_row(error):
                raise
            rejected += 1
    return rejected


def _is_the_row(error: Exception) -> bool:
    """True when the row itself is at fault, and so would be for ever."""
    faults = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.InterfaceError, sa.exc.ProgrammingError)
    return isinstance(error, (*faults, ValueError, TypeError, OverflowError)) or type(error) is sa.exc.StatementError
