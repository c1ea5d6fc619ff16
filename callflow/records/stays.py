"""Stays: one caller's time in one queue."""

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import Outcome, Stay
from callflow.records.event_fields import caller_of, last_of, quality
from callflow.records.kind import OPEN, Age, Count, Figures, Named, RecordKind, count_doubts, metadata

WAIT_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)

stays = sa.Table(
    "stays",
    metadata,
    sa.Column("entry_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("caller_number", sa.Text, nullable=False),
    sa.Column("caller_name", sa.Text, nullable=False),
    sa.Column("dialled", sa.Text, nullable=False),
    sa.Column("trunk", sa.Text, nullable=False),
    sa.Column("joined_ms", sa.BigInteger, nullable=False),
    sa.Column("left_ms", sa.BigInteger),
    sa.Column("outcome", sa.Text),
    sa.Column("wait_ms", sa.BigInteger),
    sa.Column("offers", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("connect_ms", sa.BigInteger),
    sa.Column("talk_end_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("timing", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_stays_joined", "joined_ms"),
    sa.Index("ix_stays_open", "node", sqlite_where=OPEN),
)
"""One row per caller's time in a queue. `open`: more may follow; `marks`: short names with spaces between."""


def _event(stay: Stay, names: Pseudonymizer) -> EventFacts:
    data = {
        "entry_id": stay.entry_id,
        "queue": names.name(stay.queue),
        **caller_of(stay, names),
        "dialled": names.name(stay.dialled),
        "trunk": names.name(stay.trunk),
        "joined_at": utc(stay.joined_ms),
        "left_at": utc(stay.left_ms),
        "outcome": stay.outcome and stay.outcome.value,
        "wait_ms": stay.wait_ms,
        "offers": stay.offers,
        "agent": names.name(stay.agent),
        "connected_at": utc(stay.connect_ms),
        "talk_ended_at": utc(stay.talk_end_ms),
        "talk_ms": stay.talk_ms,
        **quality(stay),
    }
    occurred_ms = last_of(stay.joined_ms, stay.left_ms, stay.talk_end_ms)
    return EventFacts(stay.entry_id, stay.call_id, occurred_ms, data, stay.revision)


def _metrics(figures: Figures) -> Count[Stay]:
    offers = figures.counter("callflow_offers", "Calls offered to a queue, by outcome.", ["queue", "outcome"])
    wait_s = figures.histogram(
        "callflow_queue_wait_seconds",
        "How long callers waited in a queue.",
        ["queue", "result"],
        (*WAIT_S, *figures.wait_s),
    )

    def start_at_zero(queue: str) -> None:
        for outcome in Outcome:
            offers.labels(queue, outcome.value)
            wait_s.labels(queue, _result(outcome))

    def count(stay: Stay) -> None:
        queue = figures.label(Named.QUEUE, stay.queue)
        count_doubts(figures, stay)
        if stay.outcome is None:
            figures.unresolved("no_end")
            return
        offers.labels(queue, stay.outcome.value).inc()
        if stay.wait_ms is not None:
            wait_s.labels(queue, _result(stay.outcome)).observe(stay.wait_ms / 1000)

    figures.each_new(Named.QUEUE, start_at_zero)
    return count


def _result(outcome: Outcome) -> str:
    if outcome is Outcome.ANSWERED:
        return "answered"
    return "abandoned" if "abandon" in outcome.value else "other"


STAYS = RecordKind(
    record=Stay,
    table=stays,
    began=stays.c.joined_ms,
    age=Age.RECORDS,
    ended_at_restart=None,  # the caller may still be in the queue: the ring tracker takes it up
    event=EventKind("stay", _event),
    metrics=_metrics,
)
