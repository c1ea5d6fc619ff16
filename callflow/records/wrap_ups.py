"""Wrap-ups: the time after a talk in which an agent writes it up, and the queues send no caller."""

import sqlalchemy as sa

from callflow.core.assist.wrap_up import WrapUp
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.event_fields import last_of
from callflow.records.kind import OPEN, Age, Count, Figures, Named, RecordKind, metadata

WRAP_UP_S = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)

wrap_ups = sa.Table(
    "wrap_ups",
    metadata,
    sa.Column("wrap_up_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("phone", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("asked_ms", sa.BigInteger, nullable=False),
    sa.Column("began_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("wrap_up_ms", sa.BigInteger),
    sa.Column("ended_by", sa.Text),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_wrap_ups_asked", "asked_ms"),
    sa.Index("ix_wrap_ups_open", "node", sqlite_where=OPEN),
)
"""One row per wrap-up."""


def _event(wrap_up: WrapUp, names: Pseudonymizer) -> EventFacts:
    """Revision 1 when the agent asks for it, one more when the talk ends, one more when the wrap-up ends."""
    data = {
        "wrap_up_id": wrap_up.wrap_up_id,
        "agent": names.name(wrap_up.agent),
        "queue": names.name(wrap_up.queue),
        "outcome": wrap_up.outcome,
        "asked_at": utc(wrap_up.asked_ms),
        "began_at": utc(wrap_up.began_ms),
        "ended_at": utc(wrap_up.ended_ms),
        "wrap_up_ms": wrap_up.wrap_up_ms,
        "ended_by": wrap_up.ended_by and wrap_up.ended_by.value,
    }
    occurred_ms = last_of(wrap_up.asked_ms, wrap_up.began_ms, wrap_up.ended_ms)
    return EventFacts(wrap_up.wrap_up_id, wrap_up.call_id, occurred_ms, data, wrap_up.revision)


def _metrics(figures: Figures) -> Count[WrapUp]:
    lasted_s = figures.histogram(
        "callflow_wrap_up_seconds", "How long agents wrapped up after a talk.", ["agent"], WRAP_UP_S
    )

    def agent_at_zero(agent: str) -> None:
        lasted_s.labels(agent)

    def count(wrap_up: WrapUp) -> None:
        if wrap_up.wrap_up_ms is not None:
            lasted_s.labels(figures.label(Named.AGENT, wrap_up.agent)).observe(wrap_up.wrap_up_ms / 1000)

    figures.each_new(Named.AGENT, agent_at_zero)
    return count


WRAP_UPS = RecordKind(
    record=WrapUp,
    table=wrap_ups,
    began=wrap_ups.c.asked_ms,
    age=Age.RECORDS,
    ended_at_restart=None,
    event=EventKind("wrap_up", _event, at_beginning=True),
    metrics=_metrics,
)
