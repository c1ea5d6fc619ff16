"""What was heard of a caller: the last judgement, the level of the voice, and the gain it was given."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Calls of before have none of it; nothing was raised then."""
    op.add_column("calls", sa.Column("heard", sa.Text))
    op.add_column("calls", sa.Column("level_dbov", sa.Float))
    op.add_column("calls", sa.Column("gain_db", sa.Float, nullable=False, server_default="0"))


def downgrade() -> None:
    """Forget what was heard."""
    for name in ("gain_db", "level_dbov", "heard"):
        op.drop_column("calls", name)
