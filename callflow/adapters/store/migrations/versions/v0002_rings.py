"""Rings and queues: stays, offers, legs, and what agents were doing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, with an index by time and one of what is open."""
    op.create_table(
        "stays",
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
    )
    op.create_index("ix_stays_joined", "stays", ["joined_ms"])
    op.create_index("ix_stays_open", "stays", ["node"], sqlite_where=sa.text("open"))
    op.create_table(
        "offers",
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
    )
    op.create_index("ix_offers_began", "offers", ["began_ms"])
    op.create_index("ix_offers_open", "offers", ["node"], sqlite_where=sa.text("open"))
    op.create_table(
        "legs",
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
    )
    op.create_index("ix_legs_began", "legs", ["began_ms"])
    op.create_index("ix_legs_open", "legs", ["node"], sqlite_where=sa.text("open"))
    op.create_table(
        "spells",
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("began_ms", sa.BigInteger, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("work", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_spells_open", "spells", ["node"], sqlite_where=sa.text("open"))
    op.create_table(
        "deleted",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("before_ms", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Remove the tables and all that was measured."""
    for name in ("deleted", "spells", "legs", "offers", "stays"):
        op.drop_table(name)
