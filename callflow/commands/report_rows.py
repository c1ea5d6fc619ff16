"""Asks the database span by span and puts the counts together into the rows of a report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from callflow.adapters.store.agent_time import agent_time, lasting
from callflow.adapters.store.extent import extent
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.tallying import cadences, tally
from callflow.commands.report_period import Period, Slot, slot_ms, slot_name
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Counted, Key, Question, Scope, Span, Whom, gathered, total
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
