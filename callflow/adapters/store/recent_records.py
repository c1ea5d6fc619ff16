"""Calls, queue stays and offers of the last days, in the order in which they ended."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.records.calls import CALLS
from callflow.records.kind import RecordKind
from callflow.records.offers import OFFERS
from callflow.records.stays import STAYS

PAGE = 200
MOST = 100_000
KINDS: tuple[RecordKind[Any], ...] = (CALLS, STAYS, OFFERS)


def recent_records(path: Path, since_ms: int) -> Iterator[list[Any]]:
    """Pages of ended records that began since then; at most the newest 100,000. Raises StoreError."""
    with Reader(path) as reader:
        keys = sorted(_keys(reader, since_ms))[-MOST:]
    return _pages(path, keys)


def _keys(reader: Reader, since_ms: int) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """When each record ended, its kind, its key."""
    for number, kind in enumerate(KINDS):
        columns = kind.table.c
        ended = columns.left_ms if kind is STAYS else columns.ended_ms
        key: list[sa.Column[Any]] = [columns[name] for name in (*kind.key_fields, "node")]
        query = sa.select(ended, *key).where(kind.began >= since_ms, ended.is_not(None))
        for row in reader.rows(query):
            at_ms, *names = (row[column] for column in (ended, *key))
            yield at_ms, number, tuple(names)


def _pages(path: Path, keys: list[tuple[int, int, tuple[str, ...]]]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), PAGE):
        with Reader(path) as reader:
            page = [_record(reader, *key) for key in keys[start : start + PAGE]]
        yield [record for record in page if record is not None]


def _record(reader: Reader, at_ms: int, number: int, key: tuple[str, ...]) -> Any:
    kind = KINDS[number]
    named = zip((*kind.key_fields, "node"), key, strict=True)
    rows = reader.rows(sa.select(kind.table).where(*(kind.table.c[name] == value for name, value in named)))
    return kind.rows.record(rows[0]) if rows else None
