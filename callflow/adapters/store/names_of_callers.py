"""Spoken names in the database: which files there must be, and which are a caller's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.database import explained, version_of, writing_engine
from callflow.adapters.store.schema import HEAD
from callflow.core.assist.steps import StepKind
from callflow.errors import StoreError
from callflow.records.assist_steps import assist_steps
from callflow.records.callbacks import callback_changes, callbacks

BUSY_S = 5.0


DELETED = "the spoken name was deleted"


def settle_names(database: Path, before_ms: int, now_ms: int) -> set[str]:
    """Forget the names of call-backs settled before; the names of all the others. Raises StoreError."""
    has_name = callbacks.c.spoken_name != ""
    with _transaction(database) as connection:
        if version_of(connection) != HEAD:
            raise StoreError(f"the database {database} is of another version", "start the daemon of this version once")
        for change in name_deleted(callbacks.c.closed_ms < before_ms, now_ms):
            connection.execute(change)
        return set(connection.execute(sa.select(callbacks.c.spoken_name).where(has_name)).scalars())


def name_deleted(
    which: sa.ColumnElement[bool], now_ms: int, number: sa.ColumnElement[str] = callbacks.c.number
) -> Iterator[sa.Insert | sa.Update]:
    """Forget the names of these call-backs; `number`: what their steps tell of the caller.

    That is a step of the entry, with the next revision: the daemon publishes it, and the database of a fleet follows.
    """
    named = sa.and_(which, callbacks.c.spoken_name != "")
    told: dict[str, Any] = {
        "revision": callbacks.c.revision + 1,
        "actor": sa.literal("callflow"),
        "why": sa.literal(DELETED),
        "spoken_name": sa.literal(""),
    }
    step = told | {"at_ms": sa.literal(now_ms), "number": number, "before": callbacks.c.state, "open": sa.true()}
    names = [column.name for column in callback_changes.columns]
    values = [step[name] if name in step else callbacks.c[name] for name in names]
    yield sa.insert(callback_changes).from_select(names, sa.select(*values).where(named))
    yield sa.update(callbacks).where(named).values(changed_ms=sa.func.max(callbacks.c.changed_ms, now_ms), **told)


def names_of(database: Path, numbers: Sequence[str]) -> set[str]:
    """Every name that a caller has ever said, as far as the database knows. Raises StoreError."""
    kind = assist_steps.c.kind == StepKind.NAME_RECORDED.value
    queries = (
        sa.select(callbacks.c.spoken_name).where(callbacks.c.number.in_(numbers)),
        sa.select(callback_changes.c.spoken_name).where(callback_changes.c.number.in_(numbers)),
        sa.select(assist_steps.c.what).where(kind, assist_steps.c.caller_number.in_(numbers)),
    )
    with _transaction(database) as connection:
        if version_of(connection) != HEAD:
            return set()
        return {name for query in queries for name in connection.execute(query).scalars() if name}


@contextmanager
def _transaction(database: Path) -> Iterator[sa.Connection]:
    try:
        with writing_engine(database, BUSY_S).begin() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise explained(error, database) from None
