"""Holds: the time in which one party of a talk had put the other on hold."""

from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import HeldBy, Hold, TargetType
from callflow.records.event_fields import last_of
from callflow.records.kind import OPEN, Age, Count, Figures, Named, RecordKind, interrupted, metadata

HOLD_S = (2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("hold_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("talk_id", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("held_by", sa.Text, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("hold_ms", sa.BigInteger),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_holds_began", "began_ms"),
    sa.Index("ix_holds_open", "node", sqlite_where=OPEN),
)
"""One row per hold."""


def _ended_at_restart(hold: Hold, known_ms: int) -> Hold:
    ended_ms = max(hold.began_ms, known_ms)
    marks = interrupted(hold.marks)
    return replace(hold, revision=2, ended_ms=ended_ms, hold_ms=ended_ms - hold.began_ms, partial=True, marks=marks)


def _event(hold: Hold, names: Pseudonymizer) -> EventFacts:
    """Revision 1 when the hold begins, revision 2 when it ends."""
    data = {
        "hold_id": hold.hold_id,
        "talk_id": hold.talk_id,
        "agent": names.name(hold.agent),
        "queue": names.name(hold.queue),
        "line": names.name(hold.line),
        "held_by": hold.held_by.value,
        "began_at": utc(hold.began_ms),
        "ended_at": utc(hold.ended_ms),
        "hold_ms": hold.hold_ms,
        "partial": hold.partial,
        "marks": list(hold.marks),
    }
    return EventFacts(hold.hold_id, hold.call_id, last_of(hold.began_ms, hold.ended_ms), data, hold.revision)


def _metrics(figures: Figures) -> Count[Hold]:
    hold_s = figures.histogram(
        "callflow_hold_seconds", "How long agents had callers on hold.", ["target_type", "target"], HOLD_S
    )

    def start_at_zero(kind: TargetType, target: str) -> None:
        hold_s.labels(kind.value, target)

    def count(hold: Hold) -> None:
        if hold.held_by is HeldBy.AGENT and hold.hold_ms is not None and not hold.partial:
            kind = TargetType.QUEUE if hold.queue else TargetType.LINE
            target = figures.label(Named(kind.value), hold.queue or hold.line)
            hold_s.labels(kind.value, target).observe(hold.hold_ms / 1000)

    for kind in TargetType:
        figures.each_new(Named(kind.value), partial(start_at_zero, kind))
    return count


HOLDS = RecordKind(
    record=Hold,
    table=holds,
    began=holds.c.began_ms,
    age=Age.DETAILS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("hold", _event, at_beginning=True),
    metrics=_metrics,
)
