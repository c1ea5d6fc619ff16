"""Agent intervals: what an agent did, and how long.

MQTT shows them as states. Their events are for the collector of a fleet, and are sent only if there is one.
"""

from dataclasses import replace

import sqlalchemy as sa

from callflow.core.publishing.envelope import utc
from callflow.core.publishing.events import EventFacts, EventKind
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import AgentInterval
from callflow.records.kind import OPEN, Age, RecordKind, metadata

spells = sa.Table(
    "spells",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("began_ms", sa.BigInteger, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("work", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("partial", sa.Boolean, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Index("ix_spells_agent", "agent", "node", "began_ms"),
    sa.Index("ix_spells_open", "node", sqlite_where=OPEN),
    sqlite_with_rowid=False,
)
"""One row per stretch of time in which an agent did one thing, stored together by agent."""


def _ended_at_restart(interval: AgentInterval, known_ms: int) -> AgentInterval:
    return replace(interval, ended_ms=max(interval.began_ms, known_ms), partial=True)


def _event(interval: AgentInterval, names: Pseudonymizer) -> EventFacts:
    agent = names.name(interval.agent)
    data = {
        "agent": agent,
        "began_at": utc(interval.began_ms),
        "ended_at": utc(interval.ended_ms),
        "work": interval.work.value,
        "reason": names.name(interval.reason),
        "partial": interval.partial,
    }
    occurred_ms = interval.began_ms if interval.ended_ms is None else interval.ended_ms
    return EventFacts(f"{interval.agent}/{interval.began_ms}", "", occurred_ms, data)


AGENT_INTERVALS = RecordKind(
    record=AgentInterval,
    table=spells,
    began=spells.c.began_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    event=EventKind("interval", _event, for_collector=True),
    stored_by=spells.c.agent,
)
