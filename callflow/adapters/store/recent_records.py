"""Records of the last days that may put a caller on the call-back list of a daemon, in order of their ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.core.assist.steps import TO_CALL_BACK
from callflow.records.assist_steps import ASSIST_STEPS
from callflow.records.calls import CALLS
from callflow.records.kind import RecordKind
from callflow.records.offers import OFFERS
from callflow.records.stays import STAYS

PAGE = 200
MOST = 100_000
ENDED: tuple[tuple[RecordKind[Any], str], ...] = (
    (CALLS, "ended_ms"),
    (STAYS, "left_ms"),
    (OFFERS, "ended_ms"),
    (ASSIST_STEPS, "at_ms"),
)
"""The kinds of records, and when each ended."""


def recent_records(path: Path, node: str, since_ms: int) -> Iterator[list[Any]]:
    """Pages of this node's ended records that began since then; at most the newest 100,000. Raises StoreError.

    Of the steps in talks those of callers who are to be called back.
    """
    with Reader(path) as reader:
        keys = sorted(_keys(reader, node, since_ms))[-MOST:]
    return _pages(path, keys)


def _keys(reader: Reader, node: str, since_ms: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """When each record ended, its kind, its key."""
    for number, (kind, ended_name) in enumerate(ENDED):
        columns = kind.table.c
        ended = columns[ended_name]
        key: list[sa.Column[Any]] = [columns[name] for name in (*kind.key_fields, "node")]
        query = sa.select(ended, *key).where(kind.began >= since_ms, ended.is_not(None), columns.node == node)
        if kind is ASSIST_STEPS:
            query = query.where(columns.kind.in_([step.value for step in TO_CALL_BACK]))
        for row in reader.rows(query):
            at_ms, *names = (row[column] for column in (ended, *key))
            yield at_ms, number, tuple(names)


def _pages(path: Path, keys: list[tuple[int, int, tuple[str, ...]]]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), PAGE):
        with Reader(path) as reader:
            page = [_record(reader, *key) for key in keys[start : start + PAGE]]
        yield [record for record in page if record is not None]


def _record(reader: Reader, at_ms: int, number: int, key: tuple[str, ...]) -> Any:
    kind, _ = ENDED[number]
    named = zip((*kind.key_fields, "node"), key, strict=True)
    rows = reader.rows(sa.select(kind.table).where(*(kind.table.c[name] == value for name, value in named)))
    return kind.rows.record(rows[0]) if rows else None
