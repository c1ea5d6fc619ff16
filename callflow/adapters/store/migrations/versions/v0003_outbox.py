"""Events that wait for the message broker."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the outbox; its numbers are never given twice, also not after a deletion."""
    op.create_table(
        "outbox",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("saved_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_event", "outbox", ["node", "event_id", "revision"], unique=True)
    op.create_index("ix_outbox_saved", "outbox", ["node", "saved_ms"])


def downgrade() -> None:
    """Remove the outbox and what waits in it."""
    op.drop_table("outbox")
