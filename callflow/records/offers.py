"""Offers: one attempt to hand a caller to a queue's agents or to a direct line."""

from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import AnswerClass, Leg, Offer, TargetType, Timing
from callflow.records.event_fields import last_of, quality, ringing
from callflow.records.kind import OPEN, Age, Count, Figures, Named, RecordKind, interrupted, metadata

RINGS = (0, 1, 2, 3, 4, 5, 6, 8, 10)
RING_S = (0.5, 1, 2, 3, 4, 5, 8, 10, 15, 20, 30, 45, 60)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("offer_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("target_type", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ring_start_ms", sa.BigInteger),
    sa.Column("ring_source", sa.Text),
    sa.Column("pickup_ms", sa.BigInteger),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("legs", sa.Integer, nullable=False),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("rings", sa.Integer),
    sa.Column("answer_class", sa.Text),
    sa.Column("picked_up", sa.Boolean, nullable=False),
    sa.Column("cadence", sa.Text, nullable=False),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_offers_began", "began_ms"),
    sa.Index("ix_offers_open", "node", sqlite_where=OPEN),
)
"""One row per attempt to hand a caller to a queue's agents or to a direct line."""


def end_unseen_ms(record: Leg | Offer) -> int:
    """When a leg or an offer ended whose end nobody saw: at the last time known of it."""
    if record.ended_ms is not None:
        return record.ended_ms
    return last_of(record.began_ms, record.ring_start_ms, record.pickup_ms, record.connect_ms)


def _ended_at_restart(offer: Offer, known_ms: int) -> Offer:
    return replace(offer, ended_ms=end_unseen_ms(offer), partial=True, marks=interrupted(offer.marks))


def _event(offer: Offer, names: Pseudonymizer) -> EventFacts:
    data = {
        "offer_id": offer.offer_id,
        "target_type": offer.target_type.value,
        "target": names.name(offer.target),
        "agent": names.name(offer.agent),
        **ringing(offer),
        "legs": offer.legs,
        "picked_up": offer.picked_up,
        "cadence": offer.cadence,
        **quality(offer),
    }
    occurred_ms = last_of(offer.began_ms, offer.connect_ms, offer.ended_ms)
    return EventFacts(offer.offer_id, offer.call_id, occurred_ms, data, offer.revision)


def _metrics(figures: Figures) -> Count[Offer]:
    classes = figures.counter(
        "callflow_answer_class", "Offers by how they were answered.", ["target_type", "target", "class"]
    )
    ring_s = figures.histogram(
        "callflow_ring_seconds",
        "How long it rang until an offer was answered.",
        ["target_type", "target"],
        (*RING_S, *figures.ring_s),
    )
    rings = figures.histogram(
        "callflow_answer_rings", "Rings completed when an offer was answered.", ["target_type", "target"], RINGS
    )

    def start_at_zero(kind: TargetType, target: str) -> None:
        for answer in AnswerClass:
            classes.labels(kind.value, target, answer.value)
        ring_s.labels(kind.value, target)
        rings.labels(kind.value, target)

    def count(offer: Offer) -> None:
        kind = offer.target_type.value
        target = figures.label(Named(kind), offer.target)
        if offer.answer_class is None:
            return
        classes.labels(kind, target, offer.answer_class.value).inc()
        answered = offer.answer_class not in (AnswerClass.UNANSWERED, AnswerClass.EXCLUDED)
        if answered and offer.timing is Timing.STAMPED and not offer.partial:
            if offer.ring_ms is not None:
                ring_s.labels(kind, target).observe(offer.ring_ms / 1000)
            if offer.rings is not None:
                rings.labels(kind, target).observe(offer.rings)

    for kind in TargetType:
        figures.each_new(Named(kind.value), partial(start_at_zero, kind))
    return count


OFFERS = RecordKind(
    record=Offer,
    table=offers,
    began=offers.c.began_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("offer", _event),
    metrics=_metrics,
)
