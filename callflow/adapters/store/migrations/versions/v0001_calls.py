"""Calls and what happened in them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables and the indices for listing."""
    op.create_table(
        "calls",
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
    )
    op.create_index("ix_calls_result", "calls", ["result", "arrived_ms"])
    op.create_index("ix_calls_caller", "calls", ["caller_number", "arrived_ms"])
    op.create_index(
        "ix_calls_arrived", "calls", ["arrived_ms", "result", "mode", "would", "heard_after_would", "interrupted"]
    )
    op.create_index("ix_calls_open", "calls", ["node"], sqlite_where=sa.text("ended_ms IS NULL"))
    op.create_table(
        "happenings",
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


def downgrade() -> None:
    """Remove both tables and all calls."""
    op.drop_table("happenings")
    op.drop_table("calls")
