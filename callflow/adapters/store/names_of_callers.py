"""Spoken names in the database: which files there must be, and which are a caller's."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import explained, version_of, writing_engine
from callflow.adapters.store.schema import HEAD
from callflow.core.assist.steps import StepKind
from callflow.errors import StoreError
from callflow.records.assist_steps import assist_steps
from callflow.records.callbacks import callback_changes, callbacks

BUSY_S = 5.0


def settle_names(database: Path, before_ms: int) -> set[str]:
    """Forget the names of call-backs settled before; the names of all the others. Raises StoreError."""
    has_name = callbacks.c.spoken_name != ""
    over = sa.update(callbacks).where(has_name, callbacks.c.closed_ms < before_ms).values(spoken_name="")
    with _transaction(database) as connection:
        if version_of(connection) != HEAD:
            raise StoreError(f"the database {database} is of another version", "start the daemon of this version once")
        connection.execute(over)
        return set(connection.execute(sa.select(callbacks.c.spoken_name).where(has_name)).scalars())


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
