"""Legs: one phone dialled for an offer."""

from dataclasses import replace

import sqlalchemy as sa

from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import AnswerClass, Leg, LegEnd, RingSource
from callflow.records.event_fields import last_of, quality, ringing
from callflow.records.kind import (
    OPEN,
    UNKNOWN,
    Age,
    Count,
    Figures,
    Named,
    RecordKind,
    count_doubts,
    interrupted,
    metadata,
)
from callflow.records.offers import end_unseen_ms

legs = sa.Table(
    "legs",
    metadata,
    sa.Column("leg_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("offer_id", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("interface", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ring_start_ms", sa.BigInteger),
    sa.Column("ring_source", sa.Text),
    sa.Column("pickup_ms", sa.BigInteger),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("end", sa.Text),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("rings", sa.Integer),
    sa.Column("answer_class", sa.Text),
    sa.Column("auto_answer", sa.Boolean, nullable=False),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_legs_began", "began_ms"),
    sa.Index("ix_legs_open", "node", sqlite_where=OPEN),
)
"""One row per phone dialled for an offer."""


def _ended_at_restart(leg: Leg, known_ms: int) -> Leg:
    end = LegEnd.UNKNOWN if leg.end is None else leg.end
    return replace(leg, ended_ms=end_unseen_ms(leg), end=end, partial=True, marks=interrupted(leg.marks))


def _event(leg: Leg, names: Pseudonymizer) -> EventFacts:
    """Without `interface`, which often is a person's name."""
    data = {
        "leg_id": leg.leg_id,
        "offer_id": leg.offer_id,
        "agent": names.name(leg.agent),
        "queue": names.name(leg.queue),
        **ringing(leg),
        "end": leg.end and leg.end.value,
        "auto_answer": leg.auto_answer,
        **quality(leg),
    }
    return EventFacts(leg.leg_id, leg.call_id, last_of(leg.began_ms, leg.connect_ms, leg.ended_ms), data, leg.revision)


def _metrics(figures: Figures) -> Count[Leg]:
    timing = figures.counter("callflow_timing_source", "Legs by how the start of ringing was found.", ["source"])
    classes = figures.counter(
        "callflow_agent_answer_class", "Phones that rang, by agent and how they were answered.", ["agent", "class"]
    )
    for source in (*RingSource, UNKNOWN):
        timing.labels(str(source))

    def start_at_zero(agent: str) -> None:
        for answer in AnswerClass:
            classes.labels(agent, answer.value)

    def count(leg: Leg) -> None:
        timing.labels(UNKNOWN if leg.ring_source is None else leg.ring_source.value).inc()
        count_doubts(figures, leg)
        if leg.agent and leg.answer_class is not None:
            classes.labels(figures.label(Named.AGENT, leg.agent), leg.answer_class.value).inc()

    figures.each_new(Named.AGENT, start_at_zero)
    return count


LEGS = RecordKind(
    record=Leg,
    table=legs,
    began=legs.c.began_ms,
    age=Age.DETAILS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("leg", _event),
    metrics=_metrics,
)
