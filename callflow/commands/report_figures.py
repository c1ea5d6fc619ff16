"""The rows of a report, and every figure of a row: its name for programs and its heading for people."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from callflow.adapters.store.agent_time import agent_time, lasting
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.tallying import cadences, extent, tally
from callflow.commands.report_period import Period, Slot, slot_ms, slot_name
from callflow.commands.sheets import Unit
from callflow.core.heard import Heard
from callflow.core.rating.record import NotAsked
from callflow.core.rating.states import Scale
from callflow.core.screening.states import Result
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Counted, Key, Question, Scope, Span, Whom, gathered, total
from callflow.core.service.level import Formula, service_level
from callflow.core.service.targets import Targets

By = Whom | Slot
Track = Callable[[list[Span]], Iterable[Span]]
"""Shows progress while the spans are gone through."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the names of what it is of, in the order of the report's `by`."""

    names: tuple[str, ...]
    counted: Counted


@dataclass(frozen=True, slots=True)
class Report:
    """The rows in order of their names, and all of them added up."""

    period: Period
    by: tuple[By, ...]
    rows: list[Row]
    total: Counted
    cadences: tuple[str, ...]
    """By which rings were counted."""
    deleted_before_ms: int
    """What this report is made of has been deleted from before this moment; 0 for not at all."""


def make_report(
    reader: Reader,
    period: Period,
    by: tuple[By, ...],
    scope: Scope,
    targets: Targets,
    now_ms: int,
    track: Track = list,
) -> Report:
    """The report of a period; may raise StoreError."""
    slots = [slot_ms(each) for each in by if isinstance(each, Slot)]
    whom = frozenset(each for each in by if isinstance(each, Whom))
    asked = Question(targets, whom, min(slots, default=None), scope)
    known_until = lasting(reader, now_ms)
    sums: dict[Key, Counted] = {}
    bells: set[str] = set()
    for span in track(_spans(reader, period, now_ms)):
        parts = (*tally(reader, span, asked), *agent_time(reader, span, asked, known_until))
        sums = gathered((*sums.items(), *parts))
        bells |= cadences(reader, span)
    rows: dict[tuple[str, ...], Counted] = {}
    for key, counted in sums.items():
        names = tuple(_name(key, each, asked.slot_ms) for each in by)
        rows[names] = rows[names] + counted if names in rows else counted
    ordered = [Row(names, rows[names]) for names in sorted(rows)]
    return Report(
        period=period,
        by=by,
        rows=ordered,
        total=total(rows.values()),
        cadences=tuple(sorted(bells)),
        deleted_before_ms=_deleted_before_ms(reader, asked),
    )


def _spans(reader: Reader, period: Period, now_ms: int) -> list[Span]:
    """Those of the period in which there may be records; of any other period an empty one."""
    first_ms, last_ms = extent(reader) or (now_ms, now_ms)
    start_ms, end_ms = max(period.start_ms, first_ms), min(period.end_ms, max(now_ms, last_ms) + DAY_MS)
    return list(replace(period, start_ms=start_ms, end_ms=end_ms).spans()) or [Span(period.start_ms, period.start_ms)]


def _deleted_before_ms(reader: Reader, asked: Question) -> int:
    """Agents' rings are counted from legs, which are details and may go sooner than the records."""
    needed = ("records", "details") if Whom.AGENT in asked.whom() else ("records",)
    return max(map(reader.deleted_before, needed))


def _name(key: Key, by: By, counted_in_ms: int | None) -> str:
    if isinstance(by, Whom):
        return key.name(by) or ""
    return slot_name(by, key.slot or 0, counted_in_ms or HOUR_MS)


Value = int | float | str | None


class Part(Enum):
    """The tables of a report, with their titles."""

    RINGS = "Rings"
    SERVICE = "Service"
    FORMULAS = "Service level by every formula"
    SCREENED = "Screened callers"
    CAUSES = "What was heard of silent and quiet callers"
    RATINGS = "Ratings"
    NOT_ASKED = "Callers who were not asked to rate"
    AGENTS = "Agents' time"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a row; None where nothing was measured, or where there is nothing to divide by."""

    name: str
    heading: str
    part: Part
    unit: Unit
    value: Callable[[Counted], Value]


def columns(*, all_formulas: bool) -> list[Column]:
    """All columns, in their order."""
    formulas = list(_formulas()) if all_formulas else []
    return [*_rings(), *_service(), *formulas, *_screened(), *_causes(), *_ratings(), *_agents()]


def _of(part: str, name: str) -> Callable[[Counted], Value]:
    """A field or property of one part of a row; a name in _ms is given in seconds."""
    per = 1000 if name.endswith("_ms") else None

    def value(row: Counted) -> Value:
        counts = getattr(row, part)
        found: Value = None if counts is None else getattr(counts, name)
        return found / per if per and isinstance(found, int | float) else found

    return value


def _rings() -> Iterator[Column]:
    def column(name: str, heading: str, unit: Unit, field: str) -> Column:
        return Column(name, heading, Part.RINGS, unit, _of("rings", field))

    yield column("rings_early", "early", Unit.COUNT, "early")
    yield column("rings_acceptable", "acceptable", Unit.COUNT, "acceptable")
    yield column("rings_ideal", "ideal", Unit.COUNT, "ideal")
    yield column("rings_late", "late", Unit.COUNT, "late")
    yield column("rings_unanswered", "unanswered", Unit.COUNT, "unanswered")
    yield column("within_three_rings", "within 3 rings", Unit.SHARE, "within_three")
    yield column("mean_rings", "mean rings", Unit.NUMBER, "mean_rings")
    yield column("mean_ring_s", "mean ring", Unit.SECONDS, "mean_ring_ms")
    yield column("rings_excluded", "excluded", Unit.COUNT, "excluded")
    yield column("rings_uncertain", "uncertain", Unit.COUNT, "uncertain")


def _service() -> Iterator[Column]:
    def column(name: str, heading: str, unit: Unit, field: str, of: str = "service") -> Column:
        return Column(name, heading, Part.SERVICE, unit, _of(of, field))

    yield column("offered", "offered", Unit.COUNT, "offered")
    yield column("answered", "answered", Unit.COUNT, "answered")
    yield column("answered_in_time", "in time", Unit.COUNT, "answered_in_time")
    yield Column("service_level", "service level", Part.SERVICE, Unit.SHARE, lambda row: row.service_level)
    yield Column("formula", "formula", Part.SERVICE, Unit.TEXT, lambda row: _each(row, "formula"))
    yield Column("threshold_s", "T (s)", Part.SERVICE, Unit.TEXT, lambda row: _each(row, "threshold_s"))
    yield Column("short_abandon_s", "S (s)", Part.SERVICE, Unit.TEXT, lambda row: _each(row, "short_abandon_s"))
    yield column("asa_s", "ASA", Unit.SECONDS, "asa_ms")
    yield column("longest_wait_s", "longest wait", Unit.SECONDS, "longest_wait_ms")
    yield column("abandoned", "abandoned", Unit.COUNT, "abandoned")
    yield column("abandoned_short", "of them short", Unit.COUNT, "short")
    yield column("abandonment", "abandonment", Unit.SHARE, "abandonment")
    yield column("sent_on", "sent on", Unit.COUNT, "sent_on")
    yield column("turned_away", "turned away", Unit.COUNT, "turned_away")
    yield column("withdrawn", "withdrawn", Unit.COUNT, "withdrawn")
    yield column("stays_uncertain", "uncertain", Unit.COUNT, "uncertain")
    yield column("talks", "talks", Unit.COUNT, "talks", of="talk")
    yield column("mean_talk_s", "mean talk", Unit.SECONDS, "mean_ms", of="talk")


def _formulas() -> Iterator[Column]:
    def by(formula: Formula) -> Callable[[Counted], Value]:
        return lambda row: None if row.service is None else service_level(formula, row.service.waiting)

    for formula in Formula:
        name = f"service_level_{formula.lower()}"
        yield Column(name, f"by {formula}", Part.FORMULAS, Unit.SHARE, by(formula))


def _screened() -> Iterator[Column]:
    def of(result: Result) -> Callable[[Counted], Value]:
        return lambda row: None if row.screened is None else row.screened.results[result.value]

    yield Column("screened", "callers", Part.SCREENED, Unit.COUNT, _of("screened", "calls"))
    for result in Result:
        yield Column(f"screened_{result}", result.value, Part.SCREENED, Unit.COUNT, of(result))


def _causes() -> Iterator[Column]:
    def of(cause: str) -> Callable[[Counted], Value]:
        return lambda row: None if row.screened is None else row.screened.causes[cause]

    for heard in Heard:
        yield Column(f"unheard_{heard}", heard.replace("_", " "), Part.CAUSES, Unit.COUNT, of(heard.value))
    yield Column("unheard_not_judged", "not judged", Part.CAUSES, Unit.COUNT, of(""))


def _ratings() -> Iterator[Column]:
    def column(name: str, heading: str, unit: Unit, field: str) -> Column:
        return Column(name, heading, Part.RATINGS, unit, _of("ratings", field))

    def because(why: NotAsked) -> Callable[[Counted], Value]:
        return lambda row: None if row.ratings is None else row.ratings.not_asked[why.value]

    yield column("rating_asked", "asked", Unit.COUNT, "asked")
    yield column("rating_answered", "answered", Unit.COUNT, "answered")
    yield column("response_rate", "response rate", Unit.SHARE, "response_rate")
    for scale in Scale:
        yield column(f"mean_{scale}", scale.value, Unit.SCORE, scale.value)
        yield column(f"n_{scale}", "n", Unit.COUNT, f"{scale}_n")
    for why in NotAsked:
        yield Column(f"not_asked_{why}", why.replace("_", " "), Part.NOT_ASKED, Unit.COUNT, because(why))


def _agents() -> Iterator[Column]:
    def of(work: str) -> Callable[[Counted], Value]:
        return lambda row: None if row.time is None else getattr(row.time, work) / 1000

    for work in ("available", "ringing", "talking", "calling", "paused", "unavailable"):
        yield Column(f"{work}_s", work, Part.AGENTS, Unit.SECONDS, of(work))
    yield Column("occupancy", "occupancy", Part.AGENTS, Unit.SHARE, _of("time", "occupancy"))


def _each(row: Counted, name: str) -> int | str | None:
    """What the standards of a row's queues say: one value, or several with + between."""
    first, *more = sorted({getattr(target, name) for target in row.targets}) or [None]
    return "+".join(str(value) for value in (first, *more)) if more else first
