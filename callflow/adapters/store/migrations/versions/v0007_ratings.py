"""What callers answered about their calls, and why others were not asked."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the ratings."""
    op.create_table(
        "ratings",
        sa.Column("rating_id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("talk_began_ms", sa.BigInteger),
        sa.Column("came_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("not_asked", sa.Text),
        sa.Column("ending", sa.Text),
        sa.Column("efficiency", sa.Integer),
        sa.Column("attitude", sa.Integer),
        sa.Column("correctness", sa.Integer),
        sa.Column("wrong_keys", sa.Integer, nullable=False),
    )
    op.create_index("ix_ratings_came", "ratings", ["came_ms"])
    op.create_index("ix_ratings_caller", "ratings", ["caller", "came_ms"])
    lasting = sa.text("ended_ms IS NULL")
    op.create_index("ix_ratings_open", "ratings", ["node"], sqlite_where=lasting, postgresql_where=lasting)


def downgrade() -> None:
    """Remove the ratings."""
    op.drop_table("ratings")
