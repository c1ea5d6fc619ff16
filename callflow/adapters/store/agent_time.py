"""What agents did in a span of time: every spell is cut at the span's ends and, where asked for, at each slot's.

The spells of an agent follow on each other. Those that lie whole within one slot are added up by the database; the few
that do not are cut here.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import spells
from callflow.core.service.grouping import Counted, Key, Question, Span, Whom
from callflow.core.service.tallies import AgentTime


def agent_time(reader: Reader, span: Span, asked: Question, now_ms: int) -> Iterator[tuple[Key, Counted]]:
    """The time of each agent; a spell that lasts counts up to `now_ms`. Nothing where queues or lines are asked for."""
    if not asked.whom() <= {Whom.AGENT}:
        return
    known = _agents()
    where = [sa.not_(spells.c.partial)]
    if asked.scope.agents:
        where.append(spells.c.agent.in_(asked.scope.agents))
    if asked.scope.node is not None:
        where.append(spells.c.node == asked.scope.node)
    begun = sa.and_(spells.c.agent == known.c.agent, _begins(span))
    whole = sa.and_(spells.c.ended_ms <= span.end_ms, _in_one_slot(span, asked.slot_ms))
    apart = [spells.c.agent.label("agent"), _slot(span, spells.c.began_ms, asked.slot_ms).label("slot")]
    lasted_ms = sa.func.sum(spells.c.ended_ms - spells.c.began_ms).label("ms")
    sums = sa.select(*apart, spells.c.work, lasted_ms).select_from(known).join(spells, begun)
    for row in reader.rows(
        sums.where(*where, whole).group_by(spells.c.agent, sa.literal_column("slot"), spells.c.work)
    ):
        yield _told(asked, row["agent"], row["slot"], row["work"], row["ms"])
    cut = (
        sa.select(spells).select_from(known).join(spells, begun).where(*where, sa.not_(sa.func.coalesce(whole, False)))
    )
    before = sa.select(spells).select_from(known).join(spells, _last_before(known, span)).where(*where)
    for row in (*reader.rows(cut), *reader.rows(before)):
        ended_ms = now_ms if row["ended_ms"] is None else row["ended_ms"]
        for slot, ms in _pieces(span, asked.slot_ms, row["began_ms"], ended_ms):
            yield _told(asked, row["agent"], slot, row["work"], ms)


def _told(asked: Question, agent: str, slot: int | None, work: str, ms: int) -> tuple[Key, Counted]:
    key = Key(agent=agent if Whom.AGENT in asked.by else None, slot=slot)
    return key, Counted(time=AgentTime(**{work: int(ms)}))


def _pieces(span: Span, slot_ms: int | None, began_ms: int, ended_ms: int) -> Iterator[tuple[int | None, int]]:
    """The part of a spell that lies within the span, slot by slot."""
    at_ms, end_ms = max(began_ms, span.start_ms), min(ended_ms, span.end_ms)
    while at_ms < end_ms:
        if slot_ms is None:
            yield None, end_ms - at_ms
            return
        slot = span.slot(at_ms, slot_ms)
        next_ms = min(end_ms, (slot + 1) * slot_ms - span.offset_ms)
        yield slot, next_ms - at_ms
        at_ms = next_ms


def _agents() -> sa.CTE:
    """Every agent ever known, each found by one look into the table's order instead of by reading all of it."""
    first = sa.select(sa.func.min(spells.c.agent).label("agent"))
    known = first.cte("known", recursive=True)
    following = sa.select(sa.func.min(spells.c.agent)).where(spells.c.agent > known.c.agent).scalar_subquery()
    return known.union_all(sa.select(following).where(known.c.agent.is_not(None)))


def _begins(span: Span) -> sa.ColumnElement[bool]:
    return sa.and_(spells.c.began_ms >= span.start_ms, spells.c.began_ms < span.end_ms)


def _last_before(known: sa.CTE, span: Span) -> sa.ColumnElement[bool]:
    """The spell that the span begins in."""
    earlier = spells.alias("earlier")
    last = sa.select(sa.func.max(earlier.c.began_ms)).where(
        earlier.c.agent == known.c.agent, earlier.c.began_ms < span.start_ms
    )
    return sa.and_(spells.c.agent == known.c.agent, spells.c.began_ms == last.scalar_subquery())


def _slot(span: Span, at: sa.ColumnElement[int], slot_ms: int | None) -> sa.ColumnElement[Any]:
    return sa.null() if slot_ms is None else (at + span.offset_ms) // slot_ms


def _in_one_slot(span: Span, slot_ms: int | None) -> sa.ColumnElement[bool]:
    if slot_ms is None:
        return sa.true()
    return _slot(span, spells.c.began_ms, slot_ms) == _slot(span, spells.c.ended_ms - 1, slot_ms)
