"""Counts over a span of time, made by the database: one query for each kind of record, added up by the caller.

A record belongs to the moment at which it began. What is timed by arrival, or partial, is counted as uncertain and
nowhere else.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.agent_time import known_agents
from callflow.adapters.store.lists import UNHEARD
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.states import State
from callflow.core.rating.states import Scale
from callflow.core.rings.records import AnswerClass, LegEnd, Outcome, TargetType, Timing
from callflow.core.service.grouping import Counted, Key, Question, Span, Whom
from callflow.core.service.tallies import (
    ABANDONED,
    SENT_ON,
    TURNED_AWAY,
    CallBacks,
    Ratings,
    Rings,
    Screened,
    Service,
    Talk,
    WrapUps,
)
from callflow.core.service.targets import Targets
from callflow.records import KINDS
from callflow.records.agent_intervals import spells
from callflow.records.callbacks import callbacks
from callflow.records.calls import calls
from callflow.records.legs import legs
from callflow.records.offers import offers
from callflow.records.ratings import ratings
from callflow.records.stays import stays
from callflow.records.wrap_ups import wrap_ups

ANSWERS = (AnswerClass.EARLY, AnswerClass.ACCEPTABLE, AnswerClass.IDEAL, AnswerClass.LATE)
MISSED = (LegEnd.NO_ANSWER, LegEnd.REJECTED, LegEnd.BUSY)
"""Ends of a leg that are the agent's own; all others were ended by the caller or another agent."""

Condition = sa.ColumnElement[bool]
Number = sa.ColumnElement[int]


def tally(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """What reports count, but the agents' time, which agent_time has; only kinds that have every name asked for."""
    for counted in (_rings, _service, _talk, _screened, _ratings):
        yield from counted(reader, span, asked)


def cadences(reader: Reader, span: Span) -> set[str]:
    """Names of the cadences that rings were counted by."""
    begun = sa.and_(offers.c.began_ms >= span.start_ms, offers.c.began_ms < span.end_ms)
    return {row["cadence"] for row in reader.rows(sa.select(offers.c.cadence).distinct().where(begun))}


def extent(reader: Reader) -> tuple[int, int] | None:
    """When the first record began and when the last one, epoch ms; None without records. Looks at the ends alone."""
    known = known_agents()
    queries: list[sa.Select[tuple[int]]] = []
    for end in (sa.func.min, sa.func.max):
        queries += [sa.select(end(kind.began).label("at_ms")) for kind in KINDS if kind.stored_by is None]
        of_agent = sa.and_(spells.c.node == known.c.node, spells.c.agent == known.c.agent)
        begun = sa.select(end(spells.c.began_ms)).where(of_agent).scalar_subquery()
        queries.append(sa.select(end(begun).label("at_ms")).select_from(known))
    found = (row["at_ms"] for query in queries for row in reader.rows(query))
    times = [at_ms for at_ms in found if at_ms is not None]
    return (min(times), max(times)) if times else None


def _rings(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """By the group's clock, or by each agent's own where agents are grouped by or asked for."""
    of_agents = Whom.AGENT in asked.whom()
    table = legs if of_agents else offers
    columns = _legs_of() if of_agents else _offers_of()
    judged, sure = table.c.answer_class.label("judged"), _sure(table).label("sure")
    ended_by_agent = sa.func.coalesce(legs.c.end, "").in_([end.value for end in MISSED])
    own = (ended_by_agent if of_agents else sa.true()).label("own")
    known = sa.or_(judged.is_not(None), sa.not_(table.c.open))
    counts = {"n": sa.func.count(), "ring_ms": _sum(table.c.ring_ms), "rings": _sum(table.c.rings)}
    for row in _rows(reader, span, asked, table.c.began_ms, columns, counts, known, also_by=(judged, sure, own)):
        yield row.key, Counted(rings=_rung(row))


def _rung(row: "_Row") -> Rings:
    """Offers or legs that were judged alike."""
    judged, n = row.also["judged"], row.numbers["n"]
    if not row.also["sure"] or judged is None:
        return Rings(uncertain=n)
    if judged in ANSWERS:
        return Rings(**{judged: n}, ring_ms=row.numbers["ring_ms"], rings=row.numbers["rings"])
    if judged == AnswerClass.UNANSWERED and row.also["own"]:
        return Rings(unanswered=n)
    return Rings(excluded=n)


def _offers_of() -> dict[Whom, sa.ColumnElement[str]]:
    kind, target = offers.c.target_type, offers.c.target
    return {
        Whom.QUEUE: sa.case((kind == TargetType.QUEUE.value, target)),
        Whom.LINE: sa.case((kind == TargetType.LINE.value, target)),
    }


def _legs_of() -> dict[Whom, sa.ColumnElement[str]]:
    return {Whom.QUEUE: sa.func.nullif(legs.c.queue, ""), Whom.AGENT: sa.func.nullif(legs.c.agent, "")}


def _service(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Queues with their own standards are counted separately."""
    queues = {Whom.QUEUE: stays.c.queue}
    apart = Whom.QUEUE if len(asked.targets.queues) > 1 else None
    outcome, wait_ms, sure = stays.c.outcome.label("outcome"), stays.c.wait_ms, _sure(stays).label("sure")
    counts = {
        "n": sa.func.count(),
        "waits": sa.func.count(wait_ms),
        "in_time": sa.func.count().filter(wait_ms <= _per_queue(asked.targets, "threshold_s")),
        "short": sa.func.count().filter(wait_ms <= _per_queue(asked.targets, "short_abandon_s")),
        "wait_ms": _sum(wait_ms),
        "longest_ms": sa.func.coalesce(sa.func.max(wait_ms), 0),
    }
    known = sa.or_(outcome.is_not(None), sa.not_(stays.c.open))
    for row in _rows(
        reader, span, asked, stays.c.joined_ms, queues, counts, known, always=apart, also_by=(outcome, sure)
    ):
        target = asked.targets.of(row.queue)
        yield row.key, Counted(service=_waited(row), targets=frozenset((target,)))


def _waited(row: "_Row") -> Service:
    """Stays that ended alike."""
    n, outcome = row.numbers, row.also["outcome"]
    if not row.also["sure"] or outcome is None:
        return Service(uncertain=n["n"])
    if outcome in TURNED_AWAY:
        return Service(turned_away=n["n"])
    unknown, longest_ms = n["n"] - n["waits"], n["longest_ms"]
    if outcome == Outcome.ANSWERED:
        counts = Service(answered=n["waits"], answered_in_time=n["in_time"], wait_ms=n["wait_ms"])
    elif outcome in ABANDONED:
        counts = Service(abandoned=n["waits"], abandoned_in_time=n["in_time"], short=n["short"])
    elif outcome in SENT_ON:
        counts = Service(sent_on=n["waits"])
    else:
        return Service(withdrawn=n["n"], longest_wait_ms=longest_ms)
    return counts + Service(uncertain=unknown, longest_wait_ms=longest_ms)


def _per_queue(targets: Targets, name: str) -> sa.ColumnElement[int]:
    """A time of each queue's standard, ms."""
    default = 1000 * getattr(targets.queues["default"], name)
    own = {queue: 1000 * getattr(target, name) for queue, target in targets.queues.items() if queue != "default"}
    return sa.case(own, value=stays.c.queue, else_=default) if own else sa.literal(default)


def _talk(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    columns = {Whom.QUEUE: stays.c.queue, Whom.AGENT: sa.func.nullif(stays.c.agent, "")}
    talked = sa.and_(_sure(stays), stays.c.talk_ms.is_not(None))
    counts = {"talks": sa.func.count(), "talk_ms": _sum(stays.c.talk_ms)}
    for row in _rows(reader, span, asked, stays.c.joined_ms, columns, counts, talked):
        yield row.key, Counted(talk=Talk(**row.numbers))


def _screened(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """By result, and of the silent and quiet calls by what was heard."""
    unheard = calls.c.result.in_(UNHEARD)
    cause = sa.case((unheard, sa.func.coalesce(calls.c.heard, ""))).label("cause")
    more = (calls.c.result.label("result"), cause)
    ended = calls.c.result.is_not(None)
    counts = {"calls": sa.func.count()}
    for row in _rows(
        reader, span, asked, calls.c.arrived_ms, {Whom.LINE: calls.c.dialled}, counts, ended, also_by=more
    ):
        number, because = row.numbers["calls"], row.also["cause"]
        causes = Counter({} if because is None else {because: number})
        yield row.key, Counted(screened=Screened(Counter({str(row.also["result"]): number}), causes))


def _ratings(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Of callers who came to rate a call, by when they came; what lasts is counted as far as it has come."""
    columns = {
        Whom.QUEUE: sa.func.nullif(ratings.c.queue, ""),
        Whom.AGENT: sa.func.nullif(ratings.c.agent, ""),
        Whom.LINE: sa.func.nullif(ratings.c.line, ""),
    }
    scales = {scale.value: ratings.c[scale.value] for scale in Scale}
    anything = sa.or_(*(column.is_not(None) for column in scales.values()))
    counts = {"n": sa.func.count(), "answered": sa.func.count().filter(anything)}
    for name, column in scales.items():
        counts |= {f"{name}_n": sa.func.count(column), f"{name}_sum": _sum(column)}
    reason = (ratings.c.not_asked.label("not_asked"),)
    for row in _rows(reader, span, asked, ratings.c.came_ms, columns, counts, also_by=reason):
        why = row.also["not_asked"]
        numbers: dict[str, Any] = dict(row.numbers)
        number = numbers.pop("n")
        counted = Ratings(asked=number, **numbers) if why is None else Ratings(not_asked=Counter({why: number}))
        yield row.key, Counted(ratings=counted)


def callbacks_settled(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Entries of the call-back list that were raised in the span and are settled."""
    reached = callbacks.c.state == State.DONE.value
    counts = {
        "settled": sa.func.count(),
        "reached": sa.func.count().filter(reached),
        "reach_ms": _sum(sa.case((reached, callbacks.c.closed_ms - callbacks.c.raised_ms))),
    }
    queues, settled = {Whom.QUEUE: sa.func.nullif(callbacks.c.queue, "")}, callbacks.c.closed_ms.is_not(None)
    for row in _rows(reader, span, asked, callbacks.c.raised_ms, queues, counts, settled):
        yield row.key, Counted(callbacks=CallBacks(**row.numbers))


def wrapped_up(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Wrap-ups that were asked for in the span and have ended."""
    columns = {
        Whom.QUEUE: sa.func.nullif(wrap_ups.c.queue, ""),
        Whom.AGENT: sa.func.nullif(wrap_ups.c.agent, ""),
    }
    counts, ended = {"wrap_ups": sa.func.count(), "wrap_up_ms": _sum(wrap_ups.c.wrap_up_ms)}, wrap_ups.c.wrap_up_ms
    for row in _rows(reader, span, asked, wrap_ups.c.asked_ms, columns, counts, ended.is_not(None)):
        yield row.key, Counted(wrap_ups=WrapUps(**row.numbers))


# -- the query --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    key: Key
    queue: str
    """Of the figures that are always counted by queue."""
    numbers: dict[str, int]
    also: Mapping[str, Any]


def _rows(
    reader: Reader,
    span: Span,
    asked: Question,
    at: sa.Column[int],
    columns: Mapping[Whom, sa.ColumnElement[str]],
    counts: Mapping[str, Number],
    *conditions: Condition,
    always: Whom | None = None,
    also_by: tuple[sa.Label[Any], ...] = (),
) -> Iterator[_Row]:
    """One row for each group, in the order of the database."""
    if not asked.whom() <= columns.keys():
        return
    apart = {whom: column for whom, column in columns.items() if whom in asked.by or whom is always}
    groups: list[sa.Label[Any]] = [column.label(whom.value) for whom, column in apart.items()]
    if asked.slot_ms is not None:
        groups.append(((at + span.offset_ms) // asked.slot_ms).label("slot"))
    groups += also_by
    where = [at >= span.start_ms, at < span.end_ms, *conditions, *(column.is_not(None) for column in apart.values())]
    where += [columns[whom].in_(asked.scope.names(whom)) for whom in asked.scope.asked()]
    if asked.scope.node is not None:
        where.append(at.table.c.node == asked.scope.node)
    query = sa.select(*groups, *(count.label(f"n_{name}") for name, count in counts.items())).where(*where)
    for found in reader.rows(query.group_by(*(sa.literal_column(group.name) for group in groups))):
        names = {whom.value: found[whom.value] for whom in apart if whom in asked.by}
        yield _Row(
            key=Key(**names, slot=found.get("slot")),
            queue=found.get("queue") or "",
            numbers={name: int(found[f"n_{name}"]) for name in counts},
            also={label.name: found[label.name] for label in also_by},
        )


def _sure(table: sa.Table) -> Condition:
    return sa.and_(table.c.timing == Timing.STAMPED.value, sa.not_(table.c.partial))


def _sum(column: sa.ColumnElement[Any]) -> Number:
    return sa.func.coalesce(sa.func.sum(column, type_=sa.BigInteger), 0)
