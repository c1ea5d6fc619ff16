"""Talks: a caller and one agent, with how often and how long the caller was on hold."""

from dataclasses import replace

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import Talk
from callflow.records.event_fields import last_of
from callflow.records.kind import OPEN, Age, RecordKind, interrupted, metadata

talks = sa.Table(
    "talks",
    metadata,
    sa.Column("talk_id", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("originated", sa.Boolean, nullable=False),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("hold_count", sa.Integer, nullable=False),
    sa.Column("hold_ms", sa.BigInteger, nullable=False),
    sa.Column("longest_hold_ms", sa.BigInteger, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_talks_began", "began_ms"),
    sa.Index("ix_talks_open", "node", sqlite_where=OPEN),
)
"""One row per talk of a caller with an agent."""


def _ended_at_restart(talk: Talk, known_ms: int) -> Talk:
    ended_ms = max(talk.began_ms, known_ms)
    marks = interrupted(talk.marks)
    return replace(
        talk,
        revision=talk.revision + 1,
        ended_ms=ended_ms,
        talk_ms=ended_ms - talk.began_ms,
        partial=True,
        marks=marks,
    )


def _event(talk: Talk, names: Pseudonymizer) -> EventFacts:
    data = {
        "talk_id": talk.talk_id,
        "agent": names.name(talk.agent),
        "queue": names.name(talk.queue),
        "line": names.name(talk.line),
        "originated": talk.originated,
        "began_at": utc(talk.began_ms),
        "ended_at": utc(talk.ended_ms),
        "talk_ms": talk.talk_ms,
        "hold_count": talk.hold_count,
        "hold_ms": talk.hold_ms,
        "longest_hold_ms": talk.longest_hold_ms,
        "partial": talk.partial,
        "marks": list(talk.marks),
    }
    return EventFacts(talk.talk_id, talk.call_id, last_of(talk.began_ms, talk.ended_ms), data, talk.revision)


TALKS = RecordKind(
    record=Talk,
    table=talks,
    began=talks.c.began_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("talk", _event),
)
