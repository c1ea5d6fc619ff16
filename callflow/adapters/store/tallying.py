"""Counts over a span of time, made by the database: one query for each kind of record, added up by whoever asks.

A record belongs to the moment at which it began. What is timed by arrival, or partial, is counted as uncertain and
nowhere else.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.lists import UNHEARD
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import calls, legs, offers, stays
from callflow.core.rings.record import AnswerClass, LegEnd, Outcome, TargetType, Timing
from callflow.core.service.grouping import Counted, Key, Question, Span, Whom
from callflow.core.service.tallies import ABANDONED, SENT_ON, TURNED_AWAY, Rings, Screened, Service, Talk
from callflow.core.service.targets import Targets

ANSWERS = (AnswerClass.EARLY, AnswerClass.ACCEPTABLE, AnswerClass.IDEAL, AnswerClass.LATE)
MISSED = (LegEnd.NO_ANSWER, LegEnd.REJECTED, LegEnd.BUSY)
"""Ends of a leg that are the agent's own; otherwise the caller, or another agent, ended it."""

Condition = sa.ColumnElement[bool]
Number = sa.ColumnElement[int]


def tally(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Everything but the agents' time, which agent_time has; each kind only if it knows what is to be told apart."""
    for counted in (_rings, _service, _talk, _screened):
        yield from counted(reader, span, asked)


def cadences(reader: Reader, span: Span) -> set[str]:
    """Names of the cadences that rings were counted by."""
    begun = sa.and_(offers.c.began_ms >= span.start_ms, offers.c.began_ms < span.end_ms)
    return {row["cadence"] for row in reader.rows(sa.select(offers.c.cadence).distinct().where(begun))}


def _rings(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """By the group's clock; where agents are told apart or asked for, by each agent's own."""
    of_agents = Whom.AGENT in asked.whom()
    table = legs if of_agents else offers
    columns = _legs_of() if of_agents else _offers_of()
    for row in _rows(reader, span, asked, table.c.began_ms, columns, _ring_counts(table)):
        yield row.key, Counted(rings=Rings(**row.numbers))


def _offers_of() -> dict[Whom, sa.ColumnElement[str]]:
    kind, target = offers.c.target_type, offers.c.target
    return {
        Whom.QUEUE: sa.case((kind == TargetType.QUEUE.value, target)),
        Whom.LINE: sa.case((kind == TargetType.LINE.value, target)),
    }


def _legs_of() -> dict[Whom, sa.ColumnElement[str]]:
    return {Whom.QUEUE: sa.func.nullif(legs.c.queue, ""), Whom.AGENT: sa.func.nullif(legs.c.agent, "")}


def _ring_counts(table: sa.Table) -> dict[str, Number]:
    sure = _sure(table)
    judged = table.c.answer_class
    ends = sa.func.coalesce(legs.c.end, "").in_([end.value for end in MISSED])
    missed = ends if table is legs else sa.true()
    unanswered = judged == AnswerClass.UNANSWERED.value
    answered = sa.and_(sure, judged.in_([answer.value for answer in ANSWERS]))
    excluded = sa.or_(judged == AnswerClass.EXCLUDED.value, sa.and_(unanswered, sa.not_(missed)))
    return {
        **{answer.value: _count(sa.and_(sure, judged == answer.value)) for answer in ANSWERS},
        "unanswered": _count(sa.and_(sure, unanswered, missed)),
        "excluded": _count(sa.and_(sure, excluded)),
        "uncertain": _count(sa.and_(sa.not_(sure), sa.or_(judged.is_not(None), sa.not_(table.c.open)))),
        "ring_ms": _sum(table.c.ring_ms, answered),
        "rings": _sum(table.c.rings, answered),
    }


def _service(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Where queues have standards of their own, each is counted apart."""
    queues = {Whom.QUEUE: stays.c.queue}
    counts = _stay_counts(asked.targets)
    apart = Whom.QUEUE if len(asked.targets.queues) > 1 else None
    for row in _rows(reader, span, asked, stays.c.joined_ms, queues, counts, always=apart):
        target = asked.targets.of(row.queue)
        yield row.key, Counted(service=Service(**row.numbers), targets=frozenset((target,)))


def _stay_counts(targets: Targets) -> dict[str, Number]:
    outcome, wait_ms = stays.c.outcome, stays.c.wait_ms
    in_time = wait_ms <= _per_queue(targets, "threshold_s")
    short = wait_ms <= _per_queue(targets, "short_abandon_s")
    waited = {Outcome.ANSWERED, *ABANDONED, *SENT_ON}
    sure = sa.and_(_sure(stays), sa.or_(wait_ms.is_not(None), sa.not_(_one_of(outcome, *waited))))
    answered = sa.and_(sure, _one_of(outcome, Outcome.ANSWERED))
    abandoned = sa.and_(sure, _one_of(outcome, *ABANDONED))
    uncertain = sa.and_(sa.not_(sure), sa.or_(outcome.is_not(None), sa.not_(stays.c.open)))
    return {
        "answered": _count(answered),
        "answered_in_time": _count(sa.and_(answered, in_time)),
        "abandoned": _count(abandoned),
        "abandoned_in_time": _count(sa.and_(abandoned, in_time)),
        "short": _count(sa.and_(abandoned, short)),
        "sent_on": _count(sa.and_(sure, _one_of(outcome, *SENT_ON))),
        "turned_away": _count(sa.and_(sure, _one_of(outcome, *TURNED_AWAY))),
        "withdrawn": _count(sa.and_(sure, _one_of(outcome, Outcome.WITHDRAWN, Outcome.AGENT_DUMP_RETRY))),
        "uncertain": _count(uncertain),
        "wait_ms": _sum(wait_ms, answered),
        "longest_wait_ms": sa.func.coalesce(sa.func.max(wait_ms).filter(sa.and_(sure, _one_of(outcome, *waited))), 0),
    }


def _per_queue(targets: Targets, name: str) -> sa.ColumnElement[int]:
    """A time of each queue's standard, ms."""
    default = 1000 * getattr(targets.queues["default"], name)
    own = {queue: 1000 * getattr(target, name) for queue, target in targets.queues.items() if queue != "default"}
    return sa.case(own, value=stays.c.queue, else_=default) if own else sa.literal(default)


def _talk(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    columns = {Whom.QUEUE: stays.c.queue, Whom.AGENT: sa.func.nullif(stays.c.agent, "")}
    talked = sa.and_(_sure(stays), stays.c.talk_ms.is_not(None))
    counts = {"talks": _count(talked), "talk_ms": _sum(stays.c.talk_ms, talked)}
    for row in _rows(reader, span, asked, stays.c.joined_ms, columns, counts):
        yield row.key, Counted(talk=Talk(**row.numbers))


def _screened(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """By result, and of the silent and quiet calls by what was heard, once there is a column for it."""
    heard = calls.c.get("heard", sa.null())
    unheard = calls.c.result.in_(UNHEARD)
    cause = sa.case((unheard, sa.func.coalesce(heard, ""))).label("cause")
    more = (calls.c.result.label("result"), cause)
    ended = calls.c.result.is_not(None)
    counts = {"calls": _count(sa.true())}
    for row in _rows(
        reader, span, asked, calls.c.arrived_ms, {Whom.LINE: calls.c.dialled}, counts, ended, also_by=more
    ):
        number, because = row.numbers["calls"], row.also["cause"]
        causes = Counter({} if because is None else {because: number})
        yield row.key, Counted(screened=Screened(Counter({str(row.also["result"]): number}), causes))


# -- the query --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    key: Key
    queue: str
    """Of the figures that are always counted by queue."""
    numbers: dict[str, int]
    also: Mapping[str, str | None]


def _rows(
    reader: Reader,
    span: Span,
    asked: Question,
    at: sa.Column[int],
    columns: Mapping[Whom, sa.ColumnElement[str]],
    counts: Mapping[str, Number],
    *conditions: Condition,
    always: Whom | None = None,
    also_by: tuple[sa.Label[str], ...] = (),
) -> Iterator[_Row]:
    """One row for each combination of what is told apart, in the order of the database."""
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


def _one_of(column: sa.ColumnElement[str], *outcomes: Outcome) -> Condition:
    return sa.func.coalesce(column, "").in_([outcome.value for outcome in outcomes])


def _count(condition: Condition) -> Number:
    return sa.func.count().filter(condition)


def _sum(column: sa.ColumnElement[int], condition: Condition) -> Number:
    return sa.func.coalesce(sa.func.sum(column).filter(condition), 0)
