"""Writes one batch in one transaction; writing the same batch twice changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from callflow.adapters.store.backlog import Batch, Told
from callflow.adapters.store.rows import call_row, happening_row
from callflow.adapters.store.schema import calls, happenings

IDS_PER_QUERY = 500


def _save_call() -> sa.Executable:
    """Insert or update a call; a record of a lasting call never reopens one that has ended."""
    new = insert(calls)
    columns = {c.name: new.excluded[c.name] for c in calls.columns if not c.primary_key}
    lasts_or_ends = sa.or_(calls.c.ended_ms.is_(None), new.excluded.ended_ms.is_not(None))
    return new.on_conflict_do_update(index_elements=["call_id", "node"], set_=columns, where=lasts_or_ends)


SAVE_CALL = _save_call()
TELL = insert(happenings).on_conflict_do_nothing()
"""A happening is a fact: the first telling stands."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch; `early` are happenings whose call is not in the database yet."""

    calls: int
    happenings: int
    early: tuple[Told, ...]
    rejected: int
    """Rows that SQLite can never take, left out."""


def write(connection: sa.Connection, batch: Batch, node: str) -> Written:
    """Write a batch into the open transaction; raises what SQLAlchemy raises, and then nothing of it is kept."""
    records = [call_row(record, node) for record in (*batch.live, *batch.ended)]
    rejected = _execute(connection, SAVE_CALL, records)
    known = _known(connection, {call_id for call_id, _ in batch.told}, {row["call_id"] for row in records}, node)
    ready = [happening_row(call_id, happening, node) for call_id, happening in batch.told if call_id in known]
    early = tuple(told for told in batch.told if told[0] not in known)
    rejected += _execute(connection, TELL, ready)
    return Written(len(batch.ended), len(ready), early, rejected)


def close_interrupted(connection: sa.Connection, node: str) -> int:
    """End the calls of `node` that its last life left open, at the last thing known of them; returns how many."""
    last = (
        sa.select(sa.func.max(happenings.c.at_ms))
        .where(happenings.c.call_id == calls.c.call_id, happenings.c.node == calls.c.node)
        .scalar_subquery()
    )
    left_open = (
        sa.update(calls)
        .where(calls.c.node == node, calls.c.ended_ms.is_(None))
        .values(
            result=sa.case((calls.c.mode == "observe", "observed"), else_="unavailable"),
            interrupted=True,
            partial=True,
            ended_ms=sa.func.max(calls.c.arrived_ms, sa.func.coalesce(last, calls.c.arrived_ms)),
        )
    )
    return connection.execute(left_open).rowcount


def _known(connection: sa.Connection, told: set[str], saved: set[str], node: str) -> set[str]:
    """Which of the calls told about have a row, those just saved included."""
    asked = list(told - saved)
    known = told & saved
    for start in range(0, len(asked), IDS_PER_QUERY):
        some = asked[start : start + IDS_PER_QUERY]
        query = sa.select(calls.c.call_id).where(calls.c.node == node, calls.c.call_id.in_(some))
        known.update(connection.execute(query).scalars())
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
