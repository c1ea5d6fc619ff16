"""The call-back list: its entries, what changed in them, and the attempts to call."""

import sqlalchemy as sa

from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry, Reason
from callflow.core.callbacks.states import State
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.kind import OPEN, Age, Count, Figures, RecordKind, metadata

REACH_S = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0, 259_200.0)

ONE = sa.text("open AND number <> ''")
"""A live entry whose caller is not forgotten."""

callbacks = sa.Table(
    "callbacks",
    metadata,
    sa.Column("callback_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("raised_ms", sa.BigInteger, nullable=False),
    sa.Column("due_ms", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("wish", sa.Text, nullable=False),
    sa.Column("attempt_id", sa.Text, nullable=False),
    sa.Column("closed_ms", sa.BigInteger),
    sa.Column("spoken_name", sa.Text, nullable=False, server_default=""),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_callbacks_one_live", "node", "number", "day", unique=True, sqlite_where=ONE),
    sa.Index("ix_callbacks_open", "node", "due_ms", sqlite_where=OPEN),
    sa.Index("ix_callbacks_number", "number", "raised_ms"),
    sa.Index("ix_callbacks_raised", "raised_ms"),
)
"""One row per entry. `open`: it is live; the first index allows one live entry for each caller and day."""

callback_changes = sa.Table(
    "callback_changes",
    metadata,
    sa.Column("callback_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("raised_ms", sa.BigInteger, nullable=False),
    sa.Column("due_ms", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("attempt_id", sa.Text, nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("spoken_name", sa.Text, nullable=False, server_default=""),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_callback_changes_at", "at_ms"),
    sa.Index("ix_callback_changes_open", "node", sqlite_where=OPEN),
)
"""One row per step of an entry, written in the step's own transaction. `open`: the daemon has not published it yet."""

callback_attempts = sa.Table(
    "callback_attempts",
    metadata,
    sa.Column("attempt_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("callback_id", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("interface", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("paused_in", sa.Text, nullable=False),
    sa.Column("placed_ms", sa.BigInteger),
    sa.Column("agent_ring_ms", sa.Integer),
    sa.Column("customer_ring_ms", sa.Integer),
    sa.Column("accepted_ms", sa.BigInteger),
    sa.Column("reached_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("outcome", sa.Text),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_callback_attempts_of", "callback_id", "began_ms"),
    sa.Index("ix_callback_attempts_began", "began_ms"),
    sa.Index("ix_callback_attempts_open", "node", sqlite_where=OPEN),
)
"""One row per attempt. `open`: it has not ended, its agent is still paused for it, or it is not published yet."""


def _event(change: CallbackChange, names: Pseudonymizer) -> EventFacts:
    data = {
        "callback_id": change.callback_id,
        "state": change.state.value,
        "before": change.before or None,
        "actor": names.name(change.actor),
        "why": names.name(change.why),
        "caller": names.caller(change.number),
        "profile": change.profile,
        "reasons": list(change.reasons),
        "queue": names.name(change.queue) or None,
        "raised_at": utc(change.raised_ms),
        "due_at": utc(change.due_ms),
        "attempts": change.attempts,
        "spoken_name": bool(change.spoken_name),
    }
    return EventFacts(change.callback_id, change.attempt_id, change.at_ms, data, change.revision)


def _attempt_event(attempt: Attempt, names: Pseudonymizer) -> EventFacts:
    data = {
        "attempt_id": attempt.attempt_id,
        "callback_id": attempt.callback_id,
        "agent": names.name(attempt.agent),
        "actor": names.name(attempt.actor),
        "first": attempt.first,
        "began_at": utc(attempt.began_ms),
        "placed_at": utc(attempt.placed_ms),
        "agent_ring_ms": attempt.agent_ring_ms,
        "customer_ring_ms": attempt.customer_ring_ms,
        "accepted_at": utc(attempt.accepted_ms),
        "reached_at": utc(attempt.reached_ms),
        "ended_at": utc(attempt.ended_ms),
        "outcome": attempt.outcome and attempt.outcome.value,
        "cause": names.name(attempt.cause),
    }
    occurred_ms = attempt.began_ms if attempt.ended_ms is None else attempt.ended_ms
    return EventFacts(attempt.attempt_id, attempt.attempt_id, occurred_ms, data)


def _metrics(figures: Figures) -> Count[CallbackChange]:
    changes = figures.counter(
        "callflow_callbacks", "Call-backs that came into a state, by their first reason.", ["reason", "state"]
    )
    reach = figures.histogram(
        "callflow_callback_reach_seconds", "From raising a call-back until it was done.", ["reason"], REACH_S
    )
    for reason in Reason:
        for state in State:
            changes.labels(reason.value, state.value)
        reach.labels(reason.value)

    def count(change: CallbackChange) -> None:
        if change.before == change.state.value:
            return
        reason = change.reasons[0] if change.reasons else Reason.MANUAL.value
        changes.labels(reason, change.state.value).inc()
        if change.state is State.DONE:
            reach.labels(reason).observe((change.at_ms - change.raised_ms) / 1000)

    return count


CALLBACKS = RecordKind(
    record=Entry,
    table=callbacks,
    began=callbacks.c.raised_ms,
    age=Age.RECORDS,
    ended_at_restart=None,
)
CALLBACK_CHANGES = RecordKind(
    record=CallbackChange,
    table=callback_changes,
    began=callback_changes.c.at_ms,
    age=Age.RECORDS,
    ended_at_restart=None,
    event=EventKind("callback", _event),
    metrics=_metrics,
)
CALLBACK_ATTEMPTS = RecordKind(
    record=Attempt,
    table=callback_attempts,
    began=callback_attempts.c.began_ms,
    age=Age.RECORDS,
    ended_at_restart=None,
    event=EventKind("callback_attempt", _attempt_event),
)
