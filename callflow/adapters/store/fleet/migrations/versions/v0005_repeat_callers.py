"""Callers with short calls at several nodes: the calls, and what the nodes are asked to do."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE short_calls (
    site TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    ended_ms BIGINT NOT NULL,
    looked BOOLEAN NOT NULL DEFAULT false,
    PRIMARY KEY (site, node, call_id)
);
CREATE INDEX ix_short_calls_caller ON short_calls (caller, ended_ms);
CREATE INDEX ix_short_calls_new ON short_calls (caller) WHERE NOT looked;
CREATE TABLE repeat_orders (
    order_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    call_ms BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    made_ms BIGINT NOT NULL,
    answered_ms BIGINT,
    answer TEXT COLLATE "C" NOT NULL DEFAULT '',
    callback_id TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX ix_repeat_orders_caller ON repeat_orders (caller, at_ms);
CREATE INDEX ix_repeat_orders_open ON repeat_orders (site) WHERE answered_ms IS NULL
"""


def upgrade() -> None:
    """Create both tables, empty: counting begins with the next short call."""
    op.execute(TABLES)


def downgrade() -> None:
    """Remove both tables."""
    op.drop_table("repeat_orders")
    op.drop_table("short_calls")
