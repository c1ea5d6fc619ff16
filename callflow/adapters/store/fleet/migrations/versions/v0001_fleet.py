"""The records of many nodes, those of calls in one partition for each day, and what the collector notes."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NAMES = """
assist_steps callback_attempts callback_changes callbacks calls case_changes cases deleted happenings
holds legs offers publishers ratings spells stays talks unread_events
"""
TABLES = """
CREATE TABLE assist_steps (
    step_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    talk_id TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    seq INTEGER NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    lasted_ms BIGINT,
    caller_number TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (at_ms);
CREATE INDEX ix_assist_steps_at ON assist_steps (at_ms);
CREATE INDEX ix_assist_steps_call ON assist_steps (call_id);
CREATE INDEX ix_assist_steps_open ON assist_steps (node) WHERE open;
CREATE TABLE callback_attempts (
    attempt_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    callback_id TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    interface TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    first TEXT COLLATE "C" NOT NULL,
    began_ms BIGINT NOT NULL,
    paused_in TEXT COLLATE "C" NOT NULL,
    placed_ms BIGINT,
    agent_ring_ms INTEGER,
    customer_ring_ms INTEGER,
    accepted_ms BIGINT,
    reached_ms BIGINT,
    ended_ms BIGINT,
    outcome TEXT COLLATE "C",
    cause TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (attempt_id, node)
);
CREATE INDEX ix_callback_attempts_began ON callback_attempts (began_ms);
CREATE INDEX ix_callback_attempts_of ON callback_attempts (callback_id, began_ms);
CREATE INDEX ix_callback_attempts_open ON callback_attempts (node) WHERE open;
CREATE TABLE callback_changes (
    callback_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    reasons TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    raised_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    attempt_id TEXT COLLATE "C" NOT NULL,
    before TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (callback_id, revision, node)
);
CREATE INDEX ix_callback_changes_at ON callback_changes (at_ms);
CREATE INDEX ix_callback_changes_open ON callback_changes (node) WHERE open;
CREATE TABLE callbacks (
    callback_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    zone TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    reasons TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    place INTEGER NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    raised_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    changed_ms BIGINT NOT NULL,
    wish TEXT COLLATE "C" NOT NULL,
    attempt_id TEXT COLLATE "C" NOT NULL,
    closed_ms BIGINT,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (callback_id, node)
);
CREATE INDEX ix_callbacks_number ON callbacks (number, raised_ms);
CREATE UNIQUE INDEX ix_callbacks_one_live ON callbacks (node, number, day) WHERE open AND number <> '';
CREATE INDEX ix_callbacks_open ON callbacks (node, due_ms) WHERE open;
CREATE INDEX ix_callbacks_raised ON callbacks (raised_ms);
CREATE TABLE calls (
    call_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    uniqueid TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    ladder TEXT COLLATE "C" NOT NULL,
    ear TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    caller_number TEXT COLLATE "C" NOT NULL,
    caller_name TEXT COLLATE "C" NOT NULL,
    dialled TEXT COLLATE "C" NOT NULL,
    arrived_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    result TEXT COLLATE "C",
    would TEXT COLLATE "C",
    rung INTEGER NOT NULL,
    heard_at_ms BIGINT,
    heard_after_would BOOLEAN NOT NULL,
    partial BOOLEAN NOT NULL,
    interrupted BOOLEAN NOT NULL,
    heard TEXT COLLATE "C",
    level_dbov FLOAT,
    gain_db FLOAT DEFAULT '0' NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (arrived_ms);
CREATE INDEX ix_calls_arrived ON calls (arrived_ms, result, mode, would, heard_after_would, interrupted);
CREATE INDEX ix_calls_call_id ON calls (call_id, node);
CREATE INDEX ix_calls_caller ON calls (caller_number, arrived_ms);
CREATE INDEX ix_calls_open ON calls (node) WHERE ended_ms IS NULL;
CREATE INDEX ix_calls_result ON calls (result, arrived_ms);
CREATE TABLE case_changes (
    reference TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    opened_ms BIGINT NOT NULL,
    news_due_ms BIGINT NOT NULL,
    news TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (reference, revision, node)
);
CREATE INDEX ix_case_changes_at ON case_changes (at_ms);
CREATE INDEX ix_case_changes_open ON case_changes (node) WHERE open;
CREATE TABLE cases (
    reference TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    number TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    zone TEXT COLLATE "C" NOT NULL,
    opened_ms BIGINT NOT NULL,
    news_due_ms BIGINT NOT NULL,
    reminded_ms BIGINT,
    overdue_ms BIGINT,
    step TEXT COLLATE "C" NOT NULL,
    changed_ms BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    news TEXT COLLATE "C" NOT NULL,
    closed_ms BIGINT,
    open BOOLEAN NOT NULL,
    PRIMARY KEY (reference, node)
);
CREATE INDEX ix_cases_open ON cases (node, news_due_ms) WHERE open;
CREATE INDEX ix_cases_opened ON cases (opened_ms);
CREATE TABLE deleted (
    what TEXT COLLATE "C" NOT NULL,
    before_ms BIGINT NOT NULL,
    PRIMARY KEY (what)
);
CREATE TABLE happenings (
    call_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    seq INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (call_id, node, seq)
);
CREATE TABLE holds (
    hold_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    talk_id TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    held_by TEXT COLLATE "C" NOT NULL,
    began_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    hold_ms BIGINT,
    partial BOOLEAN NOT NULL,
    marks TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (began_ms);
CREATE INDEX ix_holds_began ON holds (began_ms);
CREATE INDEX ix_holds_open ON holds (node) WHERE open;
CREATE TABLE legs (
    leg_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    offer_id TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    interface TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    began_ms BIGINT NOT NULL,
    ring_start_ms BIGINT,
    ring_source TEXT COLLATE "C",
    pickup_ms BIGINT,
    connect_ms BIGINT,
    ended_ms BIGINT,
    "end" TEXT COLLATE "C",
    ring_ms BIGINT,
    rings INTEGER,
    answer_class TEXT COLLATE "C",
    auto_answer BOOLEAN NOT NULL,
    timing TEXT COLLATE "C" NOT NULL,
    partial BOOLEAN NOT NULL,
    marks TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (began_ms);
CREATE INDEX ix_legs_began ON legs (began_ms);
CREATE INDEX ix_legs_open ON legs (node) WHERE open;
CREATE TABLE offers (
    offer_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    target_type TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    began_ms BIGINT NOT NULL,
    ring_start_ms BIGINT,
    ring_source TEXT COLLATE "C",
    pickup_ms BIGINT,
    connect_ms BIGINT,
    ended_ms BIGINT,
    legs INTEGER NOT NULL,
    ring_ms BIGINT,
    rings INTEGER,
    answer_class TEXT COLLATE "C",
    picked_up BOOLEAN NOT NULL,
    cadence TEXT COLLATE "C" NOT NULL,
    timing TEXT COLLATE "C" NOT NULL,
    partial BOOLEAN NOT NULL,
    marks TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (began_ms);
CREATE INDEX ix_offers_began ON offers (began_ms);
CREATE INDEX ix_offers_open ON offers (node) WHERE open;
CREATE TABLE publishers (
    site TEXT COLLATE "C" NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" DEFAULT '' NOT NULL,
    host TEXT COLLATE "C" DEFAULT '' NOT NULL,
    version TEXT COLLATE "C" DEFAULT '' NOT NULL,
    settings TEXT COLLATE "C" DEFAULT '{}' NOT NULL,
    committed_seq BIGINT DEFAULT '0' NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    skew_ms BIGINT,
    lag_ms BIGINT,
    events BIGINT DEFAULT '0' NOT NULL,
    gaps BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (site, stream)
);
CREATE TABLE ratings (
    rating_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    talk_began_ms BIGINT,
    came_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    not_asked TEXT COLLATE "C",
    ending TEXT COLLATE "C",
    efficiency INTEGER,
    attitude INTEGER,
    correctness INTEGER,
    wrong_keys INTEGER NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (came_ms);
CREATE INDEX ix_ratings_caller ON ratings (caller, came_ms);
CREATE INDEX ix_ratings_came ON ratings (came_ms);
CREATE INDEX ix_ratings_open ON ratings (node) WHERE ended_ms IS NULL;
CREATE TABLE spells (
    agent TEXT COLLATE "C" NOT NULL,
    began_ms BIGINT NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    ended_ms BIGINT,
    work TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    partial BOOLEAN NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL,
    PRIMARY KEY (agent, began_ms, node)
);
CREATE INDEX ix_spells_agent ON spells (agent, node, began_ms);
CREATE INDEX ix_spells_open ON spells (node) WHERE open;
CREATE TABLE stays (
    entry_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    caller_number TEXT COLLATE "C" NOT NULL,
    caller_name TEXT COLLATE "C" NOT NULL,
    dialled TEXT COLLATE "C" NOT NULL,
    trunk TEXT COLLATE "C" NOT NULL,
    joined_ms BIGINT NOT NULL,
    left_ms BIGINT,
    outcome TEXT COLLATE "C",
    wait_ms BIGINT,
    offers INTEGER NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    connect_ms BIGINT,
    talk_end_ms BIGINT,
    talk_ms BIGINT,
    timing TEXT COLLATE "C" NOT NULL,
    partial BOOLEAN NOT NULL,
    marks TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (joined_ms);
CREATE INDEX ix_stays_joined ON stays (joined_ms);
CREATE INDEX ix_stays_open ON stays (node) WHERE open;
CREATE TABLE talks (
    talk_id TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    agent TEXT COLLATE "C" NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    originated BOOLEAN NOT NULL,
    began_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    talk_ms BIGINT,
    hold_count INTEGER NOT NULL,
    hold_ms BIGINT NOT NULL,
    longest_hold_ms BIGINT NOT NULL,
    partial BOOLEAN NOT NULL,
    marks TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    event_id UUID NOT NULL,
    event_revision INTEGER NOT NULL
)
 PARTITION BY RANGE (began_ms);
CREATE INDEX ix_talks_began ON talks (began_ms);
CREATE INDEX ix_talks_open ON talks (node) WHERE open;
CREATE TABLE unread_events (
    topic TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    came_ms BIGINT NOT NULL,
    PRIMARY KEY (topic, event_id, revision)
)
"""


def upgrade() -> None:
    """Create the tables; the collector makes a partition for each day that it needs."""
    op.execute(TABLES)


def downgrade() -> None:
    """Remove all tables and their records."""
    for table in NAMES.split():
        op.drop_table(table)
