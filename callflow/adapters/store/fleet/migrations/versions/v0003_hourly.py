"""Hourly counts, and triggers that take away the mark of an hour whose records change.

It changes no row that is there, so that it takes no longer for a large database. The collector counts the hours later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
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
CREATE FUNCTION uncount_{kind}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        DELETE FROM counted_hours WHERE kind = '{kind}' AND at_ms = NEW.{began} - NEW.{began} % {hour_ms};
    END IF;
    IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND OLD.{began} <> NEW.{began} THEN
        DELETE FROM counted_hours WHERE kind = '{kind}' AND at_ms = OLD.{began} - OLD.{began} % {hour_ms};
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER uncount_{kind} AFTER INSERT OR UPDATE OR DELETE ON {kind}
    FOR EACH ROW EXECUTE FUNCTION uncount_{kind}();
"""


def upgrade() -> None:
    """Create the tables, empty."""
    text = sa.Text(collation="C")
    op.create_table(
        "counted_hours",
        sa.Column("kind", text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    for kind, began in BEGAN.items():
        name = f"hourly_{kind}"
        op.create_table(
            name,
            sa.Column("at_ms", sa.BigInteger, nullable=False),
            sa.Column("node", text, nullable=False),
            *(sa.Column(column, text) for column in TEXTS[kind]),
            *(sa.Column(flag, sa.Boolean) for flag in FLAGS.get(kind, ())),
            *(sa.Column(number, sa.BigInteger) for number in NUMBERS[kind]),
        )
        op.create_index(f"ix_{name}_at", name, ["at_ms"])
        op.execute(UNCOUNT.format(kind=kind, began=began, hour_ms=HOUR_MS))


def downgrade() -> None:
    """Remove the triggers and the tables."""
    for kind in BEGAN:
        op.execute(f"DROP TRIGGER uncount_{kind} ON {kind}")
        op.execute(f"DROP FUNCTION uncount_{kind}")
        op.drop_table(f"hourly_{kind}")
    op.drop_table("counted_hours")
