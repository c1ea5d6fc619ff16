"""The file of the name that a caller to be called back has said."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("callbacks", "callback_changes")


def upgrade() -> None:
    """Call-backs of before have no name."""
    for table in TABLES:
        op.add_column(table, sa.Column("spoken_name", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Forget which names there are."""
    for table in TABLES:
        op.drop_column(table, "spoken_name")
