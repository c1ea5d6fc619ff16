"""Wrap-ups and transfers, in one partition for each day."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE transfers (
    transfer_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (at_ms);
CREATE INDEX ix_transfers_at ON transfers (at_ms);
CREATE INDEX ix_transfers_open ON transfers (node) WHERE open;
CREATE TABLE wrap_ups (
    wrap_up_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    asked_ms BIGINT NOT NULL,
    began_ms BIGINT,
    ended_ms BIGINT,
    wrap_up_ms BIGINT,
    ended_by TEXT COLLATE "C",
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (asked_ms);
CREATE INDEX ix_wrap_ups_asked ON wrap_ups (asked_ms);
CREATE INDEX ix_wrap_ups_open ON wrap_ups (node) WHERE open
"""


def upgrade() -> None:
    """Create both tables; the collector makes a partition for each day that it needs."""
    op.execute(TABLES)


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("wrap_ups")
    op.drop_table("transfers")
