"""What an agent of each node did last is found without reading what other nodes told of the agent."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the spells of each agent by node."""
    op.create_index("ix_spells_agent", "spells", ["agent", "node", "began_ms"])


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("ix_spells_agent", "spells")
