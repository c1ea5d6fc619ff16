"""Counts for charts: rings as a histogram, silent and quiet callers by day and cause, false hang-ups."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.core.profile import Mode
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import TargetType, Timing
from callflow.core.screening.states import Result
from callflow.core.service.grouping import DAY_MS, Span
from callflow.records.calls import calls
from callflow.records.legs import legs
from callflow.records.offers import offers

MOST_RINGS = 12
"""Longer ringing is shown in the last bar."""
MOST_GROUPS = 50
"""Causes or trunks told apart."""
TROUBLED = (Result.SILENT, Result.QUIET, Result.RESCUED)


@dataclass(frozen=True, slots=True)
class RingBar:
    """Offers (or one agent's legs) that were answered after so many whole rings, by class."""

    rings: int
    answer_class: str
    count: int


def ring_bars(reader: Reader, start_ms: int, end_ms: int, queues: Sequence[str] = (), agent: str = "") -> list[RingBar]:
    """Answered offers by rings; with `agent` that agent's own legs, with `queues` those alone.

    Uncertain and excluded ones are left out.
    """
    table = legs if agent else offers
    rings = sa.case((table.c.rings > MOST_RINGS, MOST_RINGS), else_=table.c.rings).label("bar")
    where = [
        table.c.began_ms >= start_ms,
        table.c.began_ms < end_ms,
        table.c.rings.is_not(None),
        table.c.pickup_ms.is_not(None),
        table.c.timing == Timing.STAMPED.value,
        sa.not_(table.c.partial),
    ]
    if agent:
        where.append(legs.c.agent == agent)
        if queues:
            where.append(legs.c.queue.in_(queues))
    elif queues:
        where += [offers.c.target_type == TargetType.QUEUE.value, offers.c.target.in_(queues)]
    query = sa.select(rings, table.c.answer_class, sa.func.count().label("n")).where(*where)
    found = reader.rows(query.group_by("bar", table.c.answer_class).order_by("bar"))
    return [RingBar(int(row["bar"]), row["answer_class"] or "", int(row["n"])) for row in found]


@dataclass(frozen=True, slots=True)
class SilenceDay:
    """One local day: how many callers were screened, and how many of them were silent, quiet or rescued."""

    day: int
    """Days since 1 January 1970."""
    screened: int
    silent: int
    quiet: int
    rescued: int


def silence_by_day(reader: Reader, spans: Iterable[Span]) -> list[SilenceDay]:
    """Every local day with calls, oldest first."""
    days: dict[int, Counter[str]] = {}
    counts = [sa.func.count().filter(calls.c.result == result.value).label(result.value) for result in TROUBLED]
    for span in spans:
        query = sa.select(_day(span), sa.func.count().label("screened"), *counts).where(*_acted_on(span))
        for row in reader.rows(query.group_by("day")):
            told = {name: int(row[name]) for name in ("screened", *(result.value for result in TROUBLED))}
            days.setdefault(int(row["day"]), Counter()).update(told)
    return [
        SilenceDay(day, found["screened"], found["silent"], found["quiet"], found["rescued"])
        for day, found in sorted(days.items())
    ]


def _day(span: Span) -> sa.Label[Any]:
    return ((calls.c.arrived_ms + span.offset_ms) // DAY_MS).label("day")


def _acted_on(span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    """Calls of the span, without those in observe mode."""
    return calls.c.arrived_ms >= span.start_ms, calls.c.arrived_ms < span.end_ms, calls.c.mode == Mode.ACT.value


@dataclass(frozen=True, slots=True)
class Troubled:
    """Callers of one cause, or of one trunk: how many were silent, quiet or rescued on each local day."""

    name: str
    """What was heard of them, "" where nothing was judged; or the trunk they came in on."""
    days: dict[int, Counter[str]]
    """By local day, in days since 1 January 1970; days without such callers are left out."""

    @property
    def total(self) -> Counter[str]:
        """All days together."""
        return sum(self.days.values(), Counter())


@dataclass(frozen=True, slots=True)
class Causes:
    """Silent, quiet and rescued callers by what was heard of them and by trunk, the most frequent first."""

    by_heard: list[Troubled]
    by_trunk: list[Troubled]


def causes(reader: Reader, spans: Iterable[Span]) -> Causes:
    """Why callers could not be heard at first, by local day; calls in observe mode are left out."""
    heard: dict[str, Troubled] = {}
    trunks: dict[str, Troubled] = {}
    is_troubled = calls.c.result.in_([result.value for result in TROUBLED])
    for span in spans:
        query = sa.select(_day(span), calls.c.result, calls.c.heard, calls.c.channel)
        for row in reader.rows(query.where(is_troubled, *_acted_on(span))):
            for groups, name in ((heard, row["heard"] or ""), (trunks, trunk_of(row["channel"]))):
                group = groups.setdefault(name, Troubled(name, {}))
                group.days.setdefault(int(row["day"]), Counter())[row["result"]] += 1
    return Causes(_most_frequent(heard), _most_frequent(trunks))


def _most_frequent(groups: dict[str, Troubled]) -> list[Troubled]:
    return sorted(groups.values(), key=lambda group: (-group.total.total(), group.name))[:MOST_GROUPS]


@dataclass(frozen=True, slots=True)
class Observed:
    """What observe mode would have done: of `would_hang_up`, `false` were heard afterwards."""

    observed: int
    would_hang_up: int
    false: int


def observed(reader: Reader, start_ms: int, end_ms: int) -> dict[str, Observed]:
    """By profile."""
    would = calls.c.would == Result.SILENT.value
    query = sa.select(
        calls.c.profile,
        sa.func.count().label("n"),
        sa.func.count().filter(would).label("would"),
        sa.func.count().filter(would, calls.c.heard_after_would).label("false"),
    ).where(calls.c.mode == Mode.OBSERVE.value, calls.c.arrived_ms >= start_ms, calls.c.arrived_ms < end_ms)
    return {
        row["profile"]: Observed(row["n"], row["would"], row["false"])
        for row in reader.rows(query.group_by(calls.c.profile).order_by(calls.c.profile))
    }


def known_names(reader: Reader, start_ms: int, end_ms: int, most: int = 500) -> list[str]:
    """`queue/NAME` and `agent/NUMBER` of everybody who was rung in the period, in order, at most `most` of each."""
    begun = sa.and_(legs.c.began_ms >= start_ms, legs.c.began_ms < end_ms)
    names: list[str] = []
    for kind, column in (("queue", legs.c.queue), ("agent", legs.c.agent)):
        query = sa.select(column.label("name")).distinct().where(begun, column != "").order_by(column).limit(most)
        names += [f"{kind}/{row['name']}" for row in reader.rows(query)]
    return names
