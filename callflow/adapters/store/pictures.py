"""Counts for charts: rings as a histogram, silent and quiet callers by day and cause, false hang-ups."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from callflow.adapters.store.queries import Reader
from callflow.core.profile import Mode
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import TargetType, Timing
from callflow.core.screening.states import Result
from callflow.core.service.grouping import DAY_MS
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

    day_ms: int
    """Its first moment, epoch ms."""
    screened: int
    silent: int
    quiet: int
    rescued: int


def silence_by_day(reader: Reader, start_ms: int, end_ms: int, offset_ms: int) -> list[SilenceDay]:
    """Every local day with calls, oldest first; local time is UTC plus `offset_ms`."""
    day = ((calls.c.arrived_ms + offset_ms) // DAY_MS).label("day")
    counts = [sa.func.count().filter(calls.c.result == result.value).label(result.value) for result in TROUBLED]
    query = sa.select(day, sa.func.count().label("screened"), *counts).where(
        calls.c.arrived_ms >= start_ms, calls.c.arrived_ms < end_ms, calls.c.mode == Mode.ACT.value
    )
    found = reader.rows(query.group_by("day").order_by("day"))
    return [
        SilenceDay(
            int(row["day"]) * DAY_MS - offset_ms, int(row["screened"]), row["silent"], row["quiet"], row["rescued"]
        )
        for row in found
    ]


@dataclass(frozen=True, slots=True)
class Troubled:
    """Callers of one cause, or of one trunk: how many were silent, quiet or rescued on each local day."""

    name: str
    """What was heard of them, "" where nothing was judged; or the trunk they came in on."""
    days: dict[int, Counter[str]]
    """By the first moment of the day, epoch ms; days without such callers are left out."""

    @property
    def total(self) -> Counter[str]:
        """All days together."""
        return sum(self.days.values(), Counter())


@dataclass(frozen=True, slots=True)
class Causes:
    """Silent, quiet and rescued callers by what was heard of them and by trunk, the most frequent first."""

    by_heard: list[Troubled]
    by_trunk: list[Troubled]


def causes(reader: Reader, start_ms: int, end_ms: int, offset_ms: int = 0) -> Causes:
    """Why callers could not be heard at first, by local day; calls in observe mode are left out."""
    day = ((calls.c.arrived_ms + offset_ms) // DAY_MS).label("day")
    query = sa.select(day, calls.c.result, calls.c.heard, calls.c.channel).where(
        calls.c.result.in_([result.value for result in TROUBLED]),
        calls.c.arrived_ms >= start_ms,
        calls.c.arrived_ms < end_ms,
        calls.c.mode == Mode.ACT.value,
    )
    heard: dict[str, Troubled] = {}
    trunks: dict[str, Troubled] = {}
    for row in reader.rows(query):
        day_ms = int(row["day"]) * DAY_MS - offset_ms
        for groups, name in ((heard, row["heard"] or ""), (trunks, trunk_of(row["channel"]))):
            group = groups.setdefault(name, Troubled(name, {}))
            group.days.setdefault(day_ms, Counter())[row["result"]] += 1
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
