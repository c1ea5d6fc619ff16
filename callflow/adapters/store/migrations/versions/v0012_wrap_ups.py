"""Wrap-ups and transfers."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    is_open = sa.text("open")
    op.create_table(
        "wrap_ups",
        sa.Column("wrap_up_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("asked_ms", sa.BigInteger, nullable=False),
        sa.Column("began_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("wrap_up_ms", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_wrap_ups_asked", "wrap_ups", ["asked_ms"])
    op.create_index("ix_wrap_ups_open", "wrap_ups", ["node"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "transfers",
        sa.Column("transfer_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_transfers_at", "transfers", ["at_ms"])
    op.create_index("ix_transfers_open", "transfers", ["node"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("transfers")
    op.drop_table("wrap_ups")
