"""Open cases, and their changes."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = sa.text("open")
WHERE_OPEN: dict[str, Any] = {"sqlite_where": OPEN, "postgresql_where": OPEN}


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "cases",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("news_due_ms", sa.BigInteger, nullable=False),
        sa.Column("reminded_ms", sa.BigInteger),
        sa.Column("overdue_ms", sa.BigInteger),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("news", sa.Text, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_cases_open", "cases", ["node", "news_due_ms"], **WHERE_OPEN)
    op.create_index("ix_cases_opened", "cases", ["opened_ms"])
    op.create_table(
        "case_changes",
        sa.Column("reference", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("news_due_ms", sa.BigInteger, nullable=False),
        sa.Column("news", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("ix_case_changes_at", "case_changes", ["at_ms"])
    op.create_index("ix_case_changes_open", "case_changes", ["node"], **WHERE_OPEN)


def downgrade() -> None:
    """Remove the cases."""
    op.drop_table("case_changes")
    op.drop_table("cases")
