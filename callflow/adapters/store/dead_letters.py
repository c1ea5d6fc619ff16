"""Events that a destination refused for good: listed, sent again, or dropped by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import explained, writing_engine
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import outbox

BUSY_S = 5.0
_KEPT = [column for column in outbox.c if column.name not in ("seq", "refused_ms", "reason")]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused event; `body` is its JSON without `seq`."""

    seq: int
    node: str
    destination: str
    event_id: str
    topic: str
    body: str
    saved_ms: int
    refused_ms: int
    reason: str


def dead_letters(reader: Reader, destination: str | None = None, limit: int = 1000) -> list[DeadLetter]:
    """The oldest first."""
    wanted = (outbox.c.refused_ms.is_not(None), *([outbox.c.destination == destination] if destination else []))
    columns = [outbox.c[name] for name in DeadLetter.__slots__]
    query = sa.select(*columns).where(*wanted).order_by(outbox.c.seq).limit(limit)
    return [DeadLetter(**row) for row in reader.rows(query)]


def retry(path: Path, seqs: Sequence[int] | None) -> int:
    """Let these be sent again, or all of them, behind what waits; returns how many. Raises StoreError."""
    return _change(path, seqs, again=True)


def drop(path: Path, seqs: Sequence[int] | None) -> int:
    """Delete these, or all of them; returns how many. Raises StoreError."""
    return _change(path, seqs, again=False)


def _change(path: Path, seqs: Sequence[int] | None, *, again: bool) -> int:
    which = [outbox.c.refused_ms.is_not(None)]
    if seqs is not None:
        which.append(outbox.c.seq.in_(seqs))
    with Reader(path):  # raises StoreError unless it is a database of this release
        pass
    try:
        with writing_engine(path, BUSY_S).begin() as connection:
            rows = connection.execute(sa.select(*_KEPT).where(*which).order_by(outbox.c.seq)).mappings().all()
            connection.execute(sa.delete(outbox).where(*which))
            if again and rows:
                # New numbers: the daemon has read beyond the old ones.
                connection.execute(sa.insert(outbox), [dict(row) for row in rows])
    except sa.exc.DBAPIError as error:
        raise explained(error, path) from error
    return len(rows)
