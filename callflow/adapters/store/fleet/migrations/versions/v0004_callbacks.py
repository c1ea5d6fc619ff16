"""The call-back lists of all nodes: the site of an entry, and no rule about live entries, which is the node's."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No call-back was stored before."""
    op.execute(
        """
ALTER TABLE callbacks ADD COLUMN site TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX ix_callbacks_one_live;
CREATE INDEX ix_callbacks_one_live ON callbacks (node, number, day) WHERE open AND number <> ''
"""
    )


def downgrade() -> None:
    """Remove the lists, which the earlier release does not read."""
    op.execute(
        """
TRUNCATE callbacks, callback_changes, callback_attempts;
DROP INDEX ix_callbacks_one_live;
CREATE UNIQUE INDEX ix_callbacks_one_live ON callbacks (node, number, day) WHERE open AND number <> '';
ALTER TABLE callbacks DROP COLUMN site
"""
    )
