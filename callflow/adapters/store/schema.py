"""The tables. A change here needs a new file in migrations/versions and a new HEAD."""

import sqlalchemy as sa

HEAD = "0004"
"""The newest migration, so that readers and a daemon in a hurry need not load Alembic."""

metadata = sa.MetaData()

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("uniqueid", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("ladder", sa.Text, nullable=False),
    sa.Column("ear", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("caller_number", sa.Text, nullable=False),
    sa.Column("caller_name", sa.Text, nullable=False),
    sa.Column("dialled", sa.Text, nullable=False),
    sa.Column("arrived_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("result", sa.Text),
    sa.Column("would", sa.Text),
    sa.Column("rung", sa.Integer, nullable=False),
    sa.Column("heard_at_ms", sa.BigInteger),
    sa.Column("heard_after_would", sa.Boolean, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("interrupted", sa.Boolean, nullable=False),
    sa.Column("heard", sa.Text),
    sa.Column("level_dbov", sa.Float),
    sa.Column("gain_db", sa.Float, nullable=False, server_default="0"),
    sa.Index("ix_calls_result", "result", "arrived_ms"),
    sa.Index("ix_calls_caller", "caller_number", "arrived_ms"),
    # Holds all that a summary counts, so that counting reads no rows.
    sa.Index("ix_calls_arrived", "arrived_ms", "result", "mode", "would", "heard_after_would", "interrupted"),
    sa.Index("ix_calls_open", "node", sqlite_where=sa.text("ended_ms IS NULL")),
)
"""One row per screened call. Times are epoch ms; `ended_ms` and `result` are null while the call lasts."""

happenings = sa.Table(
    "happenings",
    metadata,
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["call_id", "node"], ["calls.call_id", "calls.node"], ondelete="CASCADE"),
    sqlite_with_rowid=False,
)
"""One row per thing that happened in a call, stored together by call."""
