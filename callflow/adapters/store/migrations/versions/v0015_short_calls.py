"""Up to when a caller's short calls are counted (row A1), so that a restart does not count them once more."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was counted before is not known; it is older than the window after a day."""
    op.create_table(
        "counted_short_calls",
        sa.Column("counted_id", sa.Integer, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("upto_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_counted_short_calls_upto", "counted_short_calls", ["node", "upto_ms"])


def downgrade() -> None:
    """Forget what is counted."""
    op.drop_table("counted_short_calls")
