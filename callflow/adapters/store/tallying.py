"""Counts over a span of time, made by the database: hourly counts where there are some, else the records themselves.

The caller adds up what comes. A record belongs to the moment at which it began. What is timed by arrival, or partial,
is counted as uncertain and nowhere else.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.agent_time import known_agents
from callflow.adapters.store.hourly import (
    BOUNDS_S,
    CALLBACKS,
    CALLS,
    LEGS,
    OFFERS,
    RATINGS,
    STAYS,
    WRAP_UPS,
    Source,
    counted_hours,
)
from callflow.adapters.store.queries import Reader
from callflow.core.rating.states import Scale
from callflow.core.rings.records import AnswerClass, Outcome
from callflow.core.service.grouping import HOUR_MS, Counted, Key, Question, Span, Whom
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
from callflow.core.service.targets import QueueTarget, Targets
from callflow.records import KINDS
from callflow.records.agent_intervals import spells

ANSWERS = (AnswerClass.EARLY, AnswerClass.ACCEPTABLE, AnswerClass.IDEAL, AnswerClass.LATE)

Number = sa.ColumnElement[int]
Columns = sa.ColumnCollection[str, Any]
Take = Callable[[Columns], Number]
"""Makes a number of the rows of a group."""
QUEUE, AGENT, LINE = Whom.QUEUE, Whom.AGENT, Whom.LINE


def tally(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """What reports count, but the agents' time, which agent_time has; only kinds that have every name asked for."""
    for counted in (_rings, _service, _talk, _screened, _ratings):
        yield from counted(reader, span, asked)


def cadences(reader: Reader, span: Span) -> set[str]:
    """Names of the cadences that rings were counted by."""
    counted = _rows(reader, span, Question(Targets(queues={})), OFFERS, (), {}, also_by=("cadence",))
    return {row.also["cadence"] for row in counted}


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
    source, whom = (LEGS, (QUEUE, AGENT)) if AGENT in asked.whom() else (OFFERS, (QUEUE, LINE))
    counts = _sums("n", "ring_ms", "rings")
    for row in _rows(reader, span, asked, source, whom, counts, also_by=("judged", "sure", "own")):
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


def _service(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Queues with their own standards are counted separately."""
    apart = QUEUE if len(asked.targets.queues) > 1 else None
    counts = _sums("n", "waits", "wait_ms")
    counts["in_time"] = lambda c: _sum_if(c.within_ms <= _per_queue(asked.targets, "threshold_s", c), c.n)
    counts["short"] = lambda c: _sum_if(c.within_ms <= _per_queue(asked.targets, "short_abandon_s", c), c.n)
    counts["longest_ms"] = lambda c: sa.func.coalesce(sa.func.max(c.longest_ms), 0)
    bounds = {time_s for target in asked.targets.queues.values() for time_s in _times_of(target)}
    for row in _rows(
        reader,
        span,
        asked,
        STAYS if bounds <= set(BOUNDS_S) else replace(STAYS, hourly=None),
        (QUEUE,),
        counts,
        lambda c: sa.or_(c.outcome.is_not(None), c.ended),
        always=apart,
        also_by=("outcome", "sure"),
    ):
        target = asked.targets.of(row.queue)
        yield row.key, Counted(service=_waited(row), targets=frozenset((target,)))


def _times_of(target: QueueTarget) -> tuple[int, int]:
    return target.threshold_s, target.short_abandon_s


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


def _per_queue(targets: Targets, name: str, columns: Columns) -> sa.ColumnElement[int]:
    """A time of each queue's standard, ms."""
    default = 1000 * getattr(targets.queues["default"], name)
    own = {queue: 1000 * getattr(target, name) for queue, target in targets.queues.items() if queue != "default"}
    return sa.case(own, value=columns.queue, else_=default) if own else sa.literal(default)


def _talk(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    counts = _sums("talks", "talk_ms")
    for row in _rows(reader, span, asked, STAYS, (QUEUE, AGENT), counts, lambda c: c.talks > 0):
        yield row.key, Counted(talk=Talk(**row.numbers))


def _screened(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """By result, and of the silent and quiet calls by what was heard."""
    for row in _rows(reader, span, asked, CALLS, (LINE,), _sums("n"), also_by=("result", "cause")):
        number, because = row.numbers["n"], row.also["cause"]
        causes = Counter({} if because is None else {because: number})
        yield row.key, Counted(screened=Screened(Counter({str(row.also["result"]): number}), causes))


def _ratings(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Of callers who came to rate a call, by when they came; what lasts is counted as far as it has come."""
    counts = _sums("n", "answered", *(f"{scale}_{what}" for scale in Scale for what in ("n", "sum")))
    for row in _rows(reader, span, asked, RATINGS, (QUEUE, AGENT, LINE), counts, also_by=("not_asked",)):
        why = row.also["not_asked"]
        numbers: dict[str, Any] = dict(row.numbers)
        number = numbers.pop("n")
        counted = Ratings(asked=number, **numbers) if why is None else Ratings(not_asked=Counter({why: number}))
        yield row.key, Counted(ratings=counted)


def callbacks_settled(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Entries of the call-back list that were raised in the span and are settled."""
    for row in _rows(reader, span, asked, CALLBACKS, (QUEUE,), _sums("settled", "reached", "reach_ms")):
        yield row.key, Counted(callbacks=CallBacks(**row.numbers))


def wrapped_up(reader: Reader, span: Span, asked: Question) -> Iterator[tuple[Key, Counted]]:
    """Wrap-ups that were asked for in the span and have ended."""
    for row in _rows(reader, span, asked, WRAP_UPS, (QUEUE, AGENT), _sums("wrap_ups", "wrap_up_ms")):
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
    source: Source,
    whom: tuple[Whom, ...],
    counts: Mapping[str, Take],
    condition: Callable[[Columns], sa.ColumnElement[bool]] | None = None,
    *,
    always: Whom | None = None,
    also_by: tuple[str, ...] = (),
) -> Iterator[_Row]:
    """Rows of each group, in the order of the database; `whom`: the names that these figures know."""
    if not asked.whom() <= {*whom}:
        return
    groups = [each.value for each in whom if each in asked.by or each is always]
    for table, piece in source.pieces(_counted_hours(reader, source, span, asked), span):
        c = table.c
        grouped: list[sa.ColumnElement[Any]] = [*(c[name] for name in (*groups, *also_by))]
        if asked.slot_ms is not None:
            grouped.append(((c.at_ms + span.offset_ms) // asked.slot_ms).label("slot"))
        where = [c.at_ms >= piece.start_ms, c.at_ms < piece.end_ms, *(c[name].is_not(None) for name in groups)]
        where += [c[each.value].in_(asked.scope.names(each)) for each in asked.scope.asked()]
        if asked.scope.node is not None:
            where.append(c.node == asked.scope.node)
        if condition is not None:
            where.append(condition(c))
        numbers = [take(c).label(f"n_{name}") for name, take in counts.items()]
        query = sa.select(*grouped, *numbers).where(*where).group_by(*grouped)
        for found in reader.rows(query):
            names = {each.value: found[each.value] for each in whom if each in asked.by}
            yield _Row(
                key=Key(**names, slot=found.get("slot")),
                queue=found.get("queue") or "",
                numbers={name: int(found[f"n_{name}"]) for name in counts},
                also={name: found[name] for name in also_by},
            )


def _counted_hours(reader: Reader, source: Source, span: Span, asked: Question) -> list[int]:
    """Starts of the hours of a span whose counts can be used: they know each name asked for, and fit the slots."""
    table = source.hourly
    if table is None or not {whom.value for whom in asked.whom()} <= set(table.c.keys()):
        return []
    if asked.slot_ms is not None and span.offset_ms % HOUR_MS:
        return []
    marked = counted_hours.c
    within = sa.and_(marked.at_ms >= span.start_ms, marked.at_ms <= span.end_ms - HOUR_MS)
    query = sa.select(marked.at_ms).where(marked.kind == source.records.name, within).order_by(marked.at_ms)
    return [row["at_ms"] for row in reader.rows(query)]


def _sums(*names: str) -> dict[str, Take]:
    return {name: _sum_of(name) for name in names}


def _sum_of(name: str) -> Take:
    return lambda c: sa.func.coalesce(sa.func.sum(c[name]), 0)


def _sum_if(condition: sa.ColumnElement[bool], numbers: sa.ColumnElement[int]) -> Number:
    return sa.func.coalesce(sa.func.sum(numbers).filter(condition), 0)
