"""Steps of assistance in talks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of steps."""
    op.create_table(
        "assist_steps",
        sa.Column("step_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("talk_id", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("lasted_ms", sa.BigInteger),
        sa.Column("caller_number", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    is_open = sa.text("open")
    op.create_index("ix_assist_steps_open", "assist_steps", ["node"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("ix_assist_steps_at", "assist_steps", ["at_ms"])
    op.create_index("ix_assist_steps_call", "assist_steps", ["call_id"])


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("assist_steps")
