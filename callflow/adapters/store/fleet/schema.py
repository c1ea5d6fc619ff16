"""The tables of the fleet's database: those of a daemon's database, and what the collector notes.

The same queries read both, so a column has the same name and meaning here as there. Differences: text is compared byte
by byte, as SQLite does; records of calls are in one partition for each day on which they began, and in a partition the
id of their event is unique. A change of a record's table needs a migration in both `migrations` folders.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.schema import SchemaItem

from callflow.adapters.store.schema import counted_short_calls, outbox
from callflow.records.callbacks import callbacks
from callflow.records.collected import BY_DAY, COLLECTED
from callflow.records.kind import metadata

OF_THE_NODE = {"ix_callbacks_one_live"}
"""Indexes that are unique at a node, which sees to it; here an event may come before the one that makes room for it."""

fleet_metadata = sa.MetaData()
"""Every table of the fleet's database."""


def _text() -> sa.Text:
    return sa.Text(collation="C")


def _columns(table: sa.Table, keyed: bool) -> list[sa.Column[Any]]:
    return [
        sa.Column(
            column.name,
            _text() if isinstance(column.type, sa.Text) else column.type,
            primary_key=keyed and column.primary_key,
            nullable=column.nullable,
            server_default=_default(column),
            autoincrement=False,
        )
        for column in table.columns
    ]


def _default(column: sa.Column[Any]) -> str | None:
    default = column.server_default
    return str(default.arg) if isinstance(default, sa.DefaultClause) else None


def _of_event() -> list[sa.Column[Any]]:
    return [
        sa.Column("event_id", UUID(as_uuid=False), nullable=False),
        sa.Column("event_revision", sa.Integer, nullable=False),
    ]


def _indexes(table: sa.Table) -> list[sa.Index]:
    return [
        sa.Index(
            index.name,
            *(column.name for column in index.columns),
            unique=index.unique and index.name not in OF_THE_NODE,
            postgresql_where=index.dialect_options["sqlite"].get("where"),
        )
        for index in table.indexes
    ]


def _build() -> None:
    by_day = {kind.table.name: kind for kind in BY_DAY}
    collected = {kind.table.name for kind in COLLECTED.values()}
    for table in metadata.sorted_tables:
        if table in (outbox, counted_short_calls):
            continue
        kind = by_day.get(table.name)
        parts: list[SchemaItem] = [*_columns(table, keyed=kind is None), *_indexes(table)]
        if table.name in collected:
            parts += _of_event()
        if table is callbacks:
            parts.append(sa.Column("site", _text(), nullable=False, server_default=""))
        if table.name == "calls":
            parts.append(sa.Index("ix_calls_call_id", "call_id", "node"))
        partition_by = None if kind is None else f"RANGE ({kind.began.name})"
        sa.Table(table.name, fleet_metadata, *parts, postgresql_partition_by=partition_by)


_build()

publishers = sa.Table(
    "publishers",
    fleet_metadata,
    sa.Column("site", _text(), primary_key=True),
    sa.Column("stream", _text(), primary_key=True),
    sa.Column("node", _text(), nullable=False, server_default=""),
    sa.Column("host", _text(), nullable=False, server_default=""),
    sa.Column("version", _text(), nullable=False, server_default=""),
    sa.Column("settings", _text(), nullable=False, server_default="{}"),
    sa.Column("committed_seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first_ms", sa.BigInteger, nullable=False),
    sa.Column("last_ms", sa.BigInteger, nullable=False),
    sa.Column("skew_ms", sa.BigInteger),
    sa.Column("lag_ms", sa.BigInteger),
    sa.Column("events", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("gaps", sa.BigInteger, nullable=False, server_default="0"),
)
"""One row per life of a daemon. `committed_seq`: its events up to here are stored. `settings`: fingerprints, JSON."""

short_calls = sa.Table(
    "short_calls",
    fleet_metadata,
    sa.Column("site", _text(), primary_key=True),
    sa.Column("node", _text(), primary_key=True),
    sa.Column("call_id", _text(), primary_key=True),
    sa.Column("caller", _text(), nullable=False),
    sa.Column("ended_ms", sa.BigInteger, nullable=False),
    sa.Column("looked", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Index("ix_short_calls_caller", "caller", "ended_ms"),
    sa.Index("ix_short_calls_new", "caller", postgresql_where=sa.text("NOT looked")),
)
"""Calls of the last days that may be short. `looked`: counted since it came."""

repeat_orders = sa.Table(
    "repeat_orders",
    fleet_metadata,
    sa.Column("order_id", _text(), primary_key=True),
    sa.Column("site", _text(), nullable=False),
    sa.Column("action", _text(), nullable=False),
    sa.Column("caller", _text(), nullable=False),
    sa.Column("call_id", _text(), nullable=False),
    sa.Column("call_ms", sa.BigInteger, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("profile", _text(), nullable=False),
    sa.Column("why", _text(), nullable=False),
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    sa.Column("answered_ms", sa.BigInteger),
    sa.Column("answer", _text(), nullable=False, server_default=""),
    sa.Column("callback_id", _text(), nullable=False, server_default=""),
    sa.Index("ix_repeat_orders_caller", "caller", "at_ms"),
    sa.Index("ix_repeat_orders_open", "site", postgresql_where=sa.text("answered_ms IS NULL")),
)
"""What nodes are asked to do for callers with short calls at several of them; calls up to `at_ms` are counted."""

unread_events = sa.Table(
    "unread_events",
    fleet_metadata,
    sa.Column("topic", _text(), primary_key=True),
    sa.Column("event_id", _text(), primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", _text(), nullable=False),
    sa.Column("reason", _text(), nullable=False),
    sa.Column("came_ms", sa.BigInteger, nullable=False),
)
"""Events that this release cannot store, as they came; a later release reads them again."""
