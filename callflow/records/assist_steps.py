"""Steps of assistance in talks: what was said, told and done; together they are the timeline of a talk."""

import sqlalchemy as sa

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.kind import OPEN, Age, Count, Figures, RecordKind, metadata

assist_steps = sa.Table(
    "assist_steps",
    metadata,
    sa.Column("step_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("talk_id", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("lasted_ms", sa.BigInteger),
    sa.Column("caller_number", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_assist_steps_at", "at_ms"),
    sa.Index("ix_assist_steps_open", "node", sqlite_where=OPEN),
    sa.Index("ix_assist_steps_call", "call_id"),
)
"""One row per step; none is ever open, for a step is over when it is known."""


def _event(step: AssistStep, names: Pseudonymizer) -> EventFacts:
    data = {
        "step_id": step.step_id,
        "talk_id": step.talk_id,
        "step": step.seq,
        "agent": names.name(step.agent),
        "queue": names.name(step.queue),
        "profile": step.profile,
        "mode": step.mode,
        "at": utc(step.at_ms),
        "kind": step.kind.value,
        "what": step.what,
        "outcome": step.outcome,
        "why": step.why,
        "lasted_ms": step.lasted_ms,
        "caller": names.caller(step.caller_number) if step.caller_number else None,
    }
    return EventFacts(step.step_id, step.call_id, step.at_ms, data)


def _metrics(figures: Figures) -> Count[AssistStep]:
    steps = figures.counter(
        "callflow_assist_steps", "Steps of assistance in talks, by kind and outcome.", ["kind", "outcome"]
    )
    for kind in StepKind:
        if kind not in (StepKind.SAID, StepKind.ACTION):
            steps.labels(kind.value, "")

    def count(step: AssistStep) -> None:
        steps.labels(step.kind.value, step.outcome).inc()

    return count


ASSIST_STEPS = RecordKind(
    record=AssistStep,
    table=assist_steps,
    began=assist_steps.c.at_ms,
    age=Age.DETAILS,
    ended_at_restart=None,
    event=EventKind("assist", _event),
    metrics=_metrics,
)
