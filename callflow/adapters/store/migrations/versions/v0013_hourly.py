"""Hourly counts, and triggers that take away the mark of an hour whose records change.

It changes no row that is there, so that it takes no longer for a large database. The daemon counts the hours later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

HOUR_MS = 3_600_000
BEGAN = {"stays": "joined_ms", "offers": "began_ms", "calls": "arrived_ms", "ratings": "came_ms"}
TEXTS = {
    "stays": ("queue", "outcome"),
    "offers": ("queue", "line", "judged", "cadence"),
    "calls": ("line", "result", "cause"),
    "ratings": ("queue", "line", "not_asked"),
}
FLAGS = {"stays": ("sure", "ended"), "offers": ("sure", "own")}
NUMBERS = {
    "stays": ("within_ms", "n", "waits", "wait_ms", "longest_ms", "talks", "talk_ms"),
    "offers": ("n", "ring_ms", "rings"),
    "calls": ("n",),
    "ratings": (
        *("n", "answered", "efficiency_n", "efficiency_sum", "attitude_n", "attitude_sum"),
        *("correctness_n", "correctness_sum"),
    ),
}
UNCOUNT = """
CREATE TRIGGER uncount_{kind}_{event} AFTER {event} ON {kind} BEGIN
    DELETE FROM counted_hours WHERE kind = '{kind}' AND at_ms IN ({hours});
END
"""
EVENTS = {"insert": ("new",), "update": ("old", "new"), "delete": ("old",)}


def upgrade() -> None:
    """Create the tables, empty."""
    op.create_table(
        "counted_hours",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    for kind, began in BEGAN.items():
        name = f"hourly_{kind}"
        op.create_table(
            name,
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("node", sa.Text, nullable=False),
            *(sa.Column(text, sa.Text) for text in TEXTS[kind]),
            *(sa.Column(flag, sa.Boolean) for flag in FLAGS.get(kind, ())),
            *(sa.Column(number, sa.BigInteger) for number in NUMBERS[kind]),
        )
        op.create_index(f"ix_{name}_at", name, ["at_ms"])
        for event, rows in EVENTS.items():
            hours = ", ".join(f"{row}.{began} - {row}.{began} % {HOUR_MS}" for row in rows)
            op.execute(UNCOUNT.format(kind=kind, event=event, hours=hours))


def downgrade() -> None:
    """Remove the triggers and the tables."""
    for kind in BEGAN:
        for event in EVENTS:
            op.execute(f"DROP TRIGGER uncount_{kind}_{event}")
        op.drop_table(f"hourly_{kind}")
    op.drop_table("counted_hours")
