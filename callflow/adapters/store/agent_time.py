"""What agents did in a span of time: the intervals that begin in it, and the end of the one that began before.

The intervals of an agent at one node follow on each other, stored in order of time and indexed by node, so both are
found without reading others.
Each slot is a small span of its own: the database adds up what is stored together much faster than it sorts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.left_open import last_known_ms
from callflow.adapters.store.queries import Reader
from callflow.core.rings.records import AgentWork
from callflow.core.service.grouping import Counted, Key, Question, Span, Whom
from callflow.core.service.tallies import AgentTime
from callflow.records import KINDS
from callflow.records.agent_intervals import spells
from callflow.records.kind import OPEN

START_MS, END_MS = (sa.bindparam(name, type_=sa.BigInteger) for name in ("start_ms", "end_ms"))
Lasting = Mapping[str, int]
"""Up to when what an agent does now is known, epoch ms, by node."""


def lasting(reader: Reader, now_ms: int) -> Lasting:
    """Up to now of a daemon that runs; of one that does not, or in a copy, up to the last thing known of it."""
    nodes = [row["node"] for row in reader.rows(sa.select(spells.c.node).distinct().where(OPEN))]
    return {node: now_ms if reader.is_written_by(node) else _last_known_ms(reader, node) for node in nodes}


def _last_known_ms(reader: Reader, node: str) -> int:
    return int(reader.rows(last_known_ms(KINDS, node))[0]["last_ms"])


def agent_time(reader: Reader, span: Span, asked: Question, known_until: Lasting) -> Iterator[tuple[Key, Counted]]:
    """The time of each agent. Nothing where queues or lines are asked for."""
    if not asked.whom() <= {Whom.AGENT}:
        return
    agents = [
        row["agent"] for row in reader.rows(sa.select(known_agents().c.agent).distinct()) if row["agent"] is not None
    ]
    if asked.scope.agents:
        agents = [agent for agent in agents if agent in asked.scope.agents]
    queries = _begun_within(agents, asked, known_until), _reaching_into(agents, asked, known_until)
    for piece in span.pieces(asked.slot_ms):
        slot = None if asked.slot_ms is None else piece.slot(piece.start_ms, asked.slot_ms)
        ends = {"start_ms": piece.start_ms, "end_ms": piece.end_ms}
        for row in (row for query in queries for row in reader.rows(query, ends)):
            times = AgentTime(**{work.value: int(row[work.value]) for work in AgentWork})
            if times != AgentTime():
                yield Key(agent=row["agent"] if Whom.AGENT in asked.by else None, slot=slot), Counted(time=times)


def _begun_within(agents: list[str], asked: Question, known_until: Lasting) -> sa.Select[Any]:
    begun = sa.and_(spells.c.began_ms >= START_MS, spells.c.began_ms < END_MS)
    return _sums(asked, known_until).where(spells.c.agent.in_(agents), begun)


def _reaching_into(agents: list[str], asked: Question, known_until: Lasting) -> sa.Select[Any]:
    """Of each agent at each node the last interval that began before."""
    known, earlier = known_agents(), spells.alias("earlier")
    last = sa.select(sa.func.max(earlier.c.began_ms)).where(
        earlier.c.node == known.c.node, earlier.c.agent == known.c.agent, earlier.c.began_ms < START_MS
    )
    is_last = sa.and_(
        spells.c.agent == known.c.agent,
        spells.c.began_ms == last.scalar_subquery(),
        spells.c.node == known.c.node,
    )
    return _sums(asked, known_until).select_from(known).join(spells, is_last).where(known.c.agent.in_(agents))


def _sums(asked: Question, known_until: Lasting) -> sa.Select[Any]:
    """The time between start and end by what was done, of all agents or of each."""
    begun: sa.ColumnElement[int] = spells.c.began_ms
    known = sa.case(dict(known_until), value=spells.c.node, else_=begun) if known_until else begun
    ended = sa.func.coalesce(spells.c.ended_ms, known)
    until = sa.case((ended < END_MS, ended), else_=END_MS)
    since = sa.case((spells.c.began_ms > START_MS, spells.c.began_ms), else_=START_MS)
    ms = sa.case((until > since, until - since), else_=0)
    sums: list[Any] = [
        sa.func.coalesce(sa.func.sum(ms).filter(spells.c.work == work.value), 0).label(work.value) for work in AgentWork
    ]
    where = [sa.not_(spells.c.partial)]
    if asked.scope.node is not None:
        where.append(spells.c.node == asked.scope.node)
    if Whom.AGENT in asked.by:
        return sa.select(spells.c.agent, *sums).where(*where).group_by(spells.c.agent)
    return sa.select(*sums).where(*where)


def known_agents() -> sa.CTE:
    """Every agent ever known, with each node, found by one look into an index for each instead of by reading all."""
    agents = sa.select(sa.func.min(spells.c.agent).label("agent")).cte("agents", recursive=True)
    next_agent = sa.select(sa.func.min(spells.c.agent)).where(spells.c.agent > agents.c.agent).scalar_subquery()
    agents = agents.union_all(sa.select(next_agent).where(agents.c.agent.is_not(None)))
    node = sa.func.min(spells.c.node)
    first = sa.select(node).where(spells.c.agent == agents.c.agent).scalar_subquery().label("node")
    known = sa.select(agents.c.agent, first).where(agents.c.agent.is_not(None)).cte("known", recursive=True)
    further = sa.and_(spells.c.agent == known.c.agent, spells.c.node > known.c.node)
    following = sa.select(node).where(further).scalar_subquery()
    return known.union_all(sa.select(known.c.agent, following).where(known.c.node.is_not(None)))
