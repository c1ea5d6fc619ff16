"""The call-back list: entries, their changes, attempts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPEN = sa.text("open")
ONE = sa.text("open AND number <> ''")
WHERE_ONE: dict[str, Any] = {"sqlite_where": ONE, "postgresql_where": ONE}
WHERE_OPEN: dict[str, Any] = {"sqlite_where": OPEN, "postgresql_where": OPEN}


def upgrade() -> None:
    """Create the tables; an index allows one live entry for each caller and day."""
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("raised_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("wish", sa.Text, nullable=False),
        sa.Column("attempt_id", sa.Text, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index(
        "ix_callbacks_one_live",
        "callbacks",
        ["node", "number", "day"],
        unique=True,
        **WHERE_ONE,
    )
    op.create_index("ix_callbacks_open", "callbacks", ["node", "due_ms"], **WHERE_OPEN)
    op.create_index("ix_callbacks_number", "callbacks", ["number", "raised_ms"])
    op.create_index("ix_callbacks_raised", "callbacks", ["raised_ms"])
    op.create_table(
        "callback_changes",
        sa.Column("callback_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("raised_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempt_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_callback_changes_at", "callback_changes", ["at_ms"])
    op.create_index("ix_callback_changes_open", "callback_changes", ["node"], **WHERE_OPEN)
    op.create_table(
        "callback_attempts",
        sa.Column("attempt_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("callback_id", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("interface", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
        sa.Column("paused_in", sa.Text, nullable=False),
        sa.Column("placed_ms", sa.BigInteger),
        sa.Column("agent_ring_ms", sa.Integer),
        sa.Column("customer_ring_ms", sa.Integer),
        sa.Column("accepted_ms", sa.BigInteger),
        sa.Column("reached_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_callback_attempts_of", "callback_attempts", ["callback_id", "began_ms"])
    op.create_index("ix_callback_attempts_began", "callback_attempts", ["began_ms"])
    op.create_index("ix_callback_attempts_open", "callback_attempts", ["node"], **WHERE_OPEN)


def downgrade() -> None:
    """Remove the list."""
    op.drop_table("callback_attempts")
    op.drop_table("callback_changes")
    op.drop_table("callbacks")
