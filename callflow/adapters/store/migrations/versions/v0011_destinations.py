"""Events wait for several destinations; what a destination refuses for good is kept for a person to decide."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What waits already waits for the broker."""
    op.add_column("outbox", sa.Column("destination", sa.Text, nullable=False, server_default="mqtt"))
    op.add_column("outbox", sa.Column("refused_ms", sa.BigInteger))
    op.add_column("outbox", sa.Column("reason", sa.Text))
    op.drop_index("ix_outbox_event", "outbox")
    op.drop_index("ix_outbox_saved", "outbox")
    op.create_index("ix_outbox_event", "outbox", ["node", "destination", "event_id", "revision"], unique=True)
    op.create_index("ix_outbox_saved", "outbox", ["node", "destination", "saved_ms"])


def downgrade() -> None:
    """Only what waits for the broker stays."""
    op.execute("DELETE FROM outbox WHERE destination <> 'mqtt' OR refused_ms IS NOT NULL")
    op.drop_index("ix_outbox_event", "outbox")
    op.drop_index("ix_outbox_saved", "outbox")
    for column in ("reason", "refused_ms", "destination"):
        op.drop_column("outbox", column)
    op.create_index("ix_outbox_event", "outbox", ["node", "event_id", "revision"], unique=True)
    op.create_index("ix_outbox_saved", "outbox", ["node", "saved_ms"])
