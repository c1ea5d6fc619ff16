"""What agents did in a span of time: the intervals that begin in it, and the end of the one that began before.

The intervals of an agent at one node follow on each other, stored in order of time and indexed by node, so both are
found without reading others. The database adds up what begins in one slot and ends in another, by both slots, so one
query serves all slots of a span.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.left_open import last_known_ms
from callflow.adapters.store.queries import Reader
from callflow.core.service.grouping import Counted, Key, Question, Scope, Span, Whom
from callflow.core.service.tallies import AgentTime
from callflow.records import KINDS
from callflow.records.agent_intervals import spells
from callflow.records.kind import OPEN

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
    agents = agents_of(reader, asked.scope)
    for found in (_begun_within(agents, span), _reaching_into(agents, span)):
        for row in reader.rows(_sums(found, span, asked, known_until)):
            agent, work = row["agent"] if Whom.AGENT in asked.by else None, row["work"]
            for slot, ms in _by_slot(row, asked.slot_ms):
                if ms:
                    yield Key(agent=agent, slot=slot), Counted(time=AgentTime(**{work: ms}))


def _by_slot(row: sa.RowMapping, slot_ms: int | None) -> Iterator[tuple[int | None, int]]:
    """Time in each slot of intervals that begin in the slot `first` and end in the slot `last`."""
    if slot_ms is None:
        yield None, int(row["ms"])
        return
    yield row["first"], -int(row["before_ms"])
    yield row["last"], int(row["within_ms"])
    yield from ((slot, row["n"] * slot_ms) for slot in range(row["first"], row["last"]))


def _begun_within(agents: list[str], span: Span) -> sa.FromClause:
    begun = sa.and_(spells.c.began_ms >= span.start_ms, spells.c.began_ms < span.end_ms)
    return sa.select(spells).where(spells.c.agent.in_(agents), begun).subquery("within")


def _reaching_into(agents: list[str], span: Span) -> sa.FromClause:
    """Of each agent at each node the last interval that began before.

    Each is looked up by its key. A join would leave it to the database to guess how many agents there are, and
    PostgreSQL, guessing too many, reads every interval instead.
    """
    known, earlier = known_agents(), spells.alias("earlier")
    of_known = earlier.c.node == known.c.node, earlier.c.agent == known.c.agent
    began_ms = sa.select(sa.func.max(earlier.c.began_ms)).where(*of_known, earlier.c.began_ms < span.start_ms)
    looked_up = sa.select(known, began_ms.scalar_subquery().label("began_ms")).where(known.c.agent.in_(agents))
    last = looked_up.cte("last").prefix_with("MATERIALIZED", dialect="postgresql")
    is_last = [spells.c[name] == last.c[name] for name in ("agent", "began_ms", "node")]
    others = (
        sa.select(spells.c[name]).where(*is_last).scalar_subquery().label(name)
        for name in ("ended_ms", "work", "partial")
    )
    reaching = sa.select(last, *others).where(last.c.began_ms.is_not(None)).cte("reaching")
    return reaching.prefix_with("MATERIALIZED", dialect="postgresql")


def _sums(found: sa.FromClause, span: Span, asked: Question, known_until: Lasting) -> sa.Select[Any]:
    """The time within the span by what was done, of all agents or of each; see `_by_slot`."""
    c = found.c
    known = sa.case(dict(known_until), value=c.node, else_=c.began_ms) if known_until else c.began_ms
    ended = sa.func.coalesce(c.ended_ms, known)
    since = sa.case((c.began_ms > span.start_ms, c.began_ms), else_=span.start_ms)
    until = sa.case((ended < span.end_ms, ended), else_=span.end_ms)
    groups: list[sa.ColumnElement[Any]] = [c.work]
    if Whom.AGENT in asked.by:
        groups.append(c.agent)
    sums: dict[str, sa.ColumnElement[int]] = {"ms": sa.func.sum(until - since)}
    if (slot_ms := asked.slot_ms) is not None:
        local_since, local_until = since + span.offset_ms, until + span.offset_ms
        groups += [(local_since // slot_ms).label("first"), (local_until // slot_ms).label("last")]
        sums = {
            "n": sa.func.count(),
            "before_ms": sa.func.sum(local_since % slot_ms),
            "within_ms": sa.func.sum(local_until % slot_ms),
        }
    where = [sa.not_(c.partial), until > since]
    if asked.scope.node is not None:
        where.append(c.node == asked.scope.node)
    query = sa.select(*groups, *(total.label(name) for name, total in sums.items())).where(*where)
    return query.group_by(*groups)


def agents_of(reader: Reader, scope: Scope) -> list[str]:
    """Those asked for, of all who were ever known. A query that names them finds their period without reading more."""
    known = (row["agent"] for row in reader.rows(sa.select(known_agents().c.agent).distinct()))
    return [agent for agent in known if agent is not None and (not scope.agents or agent in scope.agents)]


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
