"""The file of the name that a caller to be called back has said; call-backs themselves stay at their node."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("callbacks", "callback_changes")


def upgrade() -> None:
    """Call-backs of before have no name."""
    for table in TABLES:
        op.add_column(table, sa.Column("spoken_name", sa.Text(collation="C"), nullable=False, server_default=""))


def downgrade() -> None:
    """Forget which names there are."""
    for table in TABLES:
        op.drop_column(table, "spoken_name")
