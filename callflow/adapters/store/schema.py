"""The tables. A change here needs a new file in migrations/versions and a new HEAD."""

import sqlalchemy as sa

HEAD = "0005"
"""The newest migration, so that readers and a daemon in a hurry need not load Alembic."""

OPEN = sa.text("open")
"""The condition of the indexes of what is open: only a query that has it word for word can use them."""

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

stays = sa.Table(
    "stays",
    metadata,
    sa.Column("entry_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("caller_number", sa.Text, nullable=False),
    sa.Column("caller_name", sa.Text, nullable=False),
    sa.Column("dialled", sa.Text, nullable=False),
    sa.Column("trunk", sa.Text, nullable=False),
    sa.Column("joined_ms", sa.BigInteger, nullable=False),
    sa.Column("left_ms", sa.BigInteger),
    sa.Column("outcome", sa.Text),
    sa.Column("wait_ms", sa.BigInteger),
    sa.Column("offers", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("talk_end_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_stays_joined", "joined_ms"),
    sa.Index("ix_stays_open", "node", sqlite_where=OPEN),
)
"""One row per caller's time in a queue. `open`: more may follow; `marks`: short names with spaces between."""

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("offer_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("target_type", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ring_start_ms", sa.BigInteger),
    sa.Column("ring_source", sa.Text),
    sa.Column("pickup_ms", sa.BigInteger),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("legs", sa.Integer, nullable=False),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("rings", sa.Integer),
    sa.Column("answer_class", sa.Text),
    sa.Column("picked_up", sa.Boolean, nullable=False),
    sa.Column("cadence", sa.Text, nullable=False),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_offers_began", "began_ms"),
    sa.Index("ix_offers_open", "node", sqlite_where=OPEN),
)
"""One row per attempt to hand a caller to a queue's agents or to a direct line."""

legs = sa.Table(
    "legs",
    metadata,
    sa.Column("leg_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("interface", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ring_start_ms", sa.BigInteger),
    sa.Column("ring_source", sa.Text),
    sa.Column("pickup_ms", sa.BigInteger),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("end", sa.Text),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("rings", sa.Integer),
    sa.Column("answer_class", sa.Text),
    sa.Column("auto_answer", sa.Boolean, nullable=False),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_legs_began", "began_ms"),
    sa.Index("ix_legs_open", "node", sqlite_where=OPEN),
)
"""One row per phone dialled for an offer."""

spells = sa.Table(
    "spells",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("began_ms", sa.BigInteger, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("work", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_spells_agent", "agent", "node", "began_ms"),
    sa.Index("ix_spells_open", "node", sqlite_where=OPEN),
    sqlite_with_rowid=False,
)
"""One row per stretch of time in which an agent did one thing, stored together by agent."""

deleted = sa.Table(
    "deleted",
    metadata,
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("before_ms", sa.BigInteger, nullable=False),
)
"""How far back the database has been cleared of `details` and of `records`."""

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
    sa.Index("ix_outbox_event", "node", "event_id", "revision", unique=True),
    sa.Index("ix_outbox_saved", "node", "saved_ms"),
    sqlite_autoincrement=True,
)
"""One row per event that the broker has not confirmed yet; `seq` is never given twice."""
