"""Agent intervals: what an agent did, and how long. They have no events: MQTT shows them as states."""

from dataclasses import replace

import sqlalchemy as sa

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
    sa.Index("ix_spells_open", "node", sqlite_where=OPEN, postgresql_where=OPEN),
    sqlite_with_rowid=False,
)
"""One row per stretch of time in which an agent did one thing, stored together by agent."""


def _ended_at_restart(interval: AgentInterval, known_ms: int) -> AgentInterval:
    return replace(interval, ended_ms=max(interval.began_ms, known_ms), partial=True)


AGENT_INTERVALS = RecordKind(
    record=AgentInterval,
    table=spells,
    began=spells.c.began_ms,
    age=Age.RECORDS,
    ended_at_restart=_ended_at_restart,
    stored_by=spells.c.agent,
)
