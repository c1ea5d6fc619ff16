"""The tables of the store's own; those of records are in callflow/records.

A change of any table needs a new file in migrations/versions and a new HEAD.
"""

import sqlalchemy as sa

from callflow.adapters.store import hourly
from callflow.records.kind import metadata

HEAD = "0015"
"""The newest migration, so that readers and a daemon in a hurry need not load Alembic."""

counted_hours = hourly.counted_hours

deleted = sa.Table(
    "deleted",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("before_ms", sa.BigInteger, nullable=False),
)
"""How far back the database has been cleared of `details` and of `records`."""

counted_short_calls = sa.Table(
    "counted_short_calls",
    metadata,
    sa.Column("counted_id", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("upto_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_counted_short_calls_upto", "node", "upto_ms"),
)
"""One row each time that a caller's short calls were enough: those that ended up to `upto_ms` count no more."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("saved_ms", sa.BigInteger, nullable=False),
    sa.Column("destination", sa.Text, nullable=False, server_default="mqtt"),
    sa.Column("refused_ms", sa.BigInteger),
    sa.Column("reason", sa.Text),
    sa.Index("ix_outbox_event", "node", "destination", "event_id", "revision", unique=True),
    sa.Index("ix_outbox_saved", "node", "destination", "saved_ms"),
    sqlite_autoincrement=True,
)
"""One row per event and destination that has not confirmed it yet; `seq` is never given twice.

`refused_ms` and `reason`: the destination will never take it, and a person decides (a dead letter).
"""
