"""Talks of callers with agents, and the holds in them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, with an index by time and one of what is open."""
    op.create_table(
        "talks",
        sa.Column("talk_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("originated", sa.Boolean, nullable=False),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("talk_ms", sa.BigInteger),
        sa.Column("hold_count", sa.Integer, nullable=False),
        sa.Column("hold_ms", sa.BigInteger, nullable=False),
        sa.Column("longest_hold_ms", sa.BigInteger, nullable=False),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_talks_began", "talks", ["began_ms"])
    op.create_index("ix_talks_open", "talks", ["node"], sqlite_where=sa.text("open"))
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("talk_id", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("held_by", sa.Text, nullable=False),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("hold_ms", sa.BigInteger),
        sa.Column("partial", sa.Boolean, nullable=False),
        sa.Column("marks", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_holds_began", "holds", ["began_ms"])
    op.create_index("ix_holds_open", "holds", ["node"], sqlite_where=sa.text("open"))


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("holds")
    op.drop_table("talks")
