"""The period of a report in some zone, its spans of one offset each, and the names of local hours and days."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import typer

from callflow.commands.times import local
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Span

SPAN_DAYS = 7
"""The longest span: a query never reads more than this, so that progress can be shown."""
NAMED = ("today", "yesterday", "week", "last-week", "month", "last-month")
HOW = f"write {', '.join(NAMED)}, 2026-01-31, 2026-W05, 2026-01 or 2026"
EPOCH = date(1970, 1, 1)


class Slot(StrEnum):
    """Stretches of local time that can be rows of a report."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    HOUR_OF_DAY = "hour-of-day"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_ms` up to, not including, `end_ms`; `zone` None is the machine's own."""

    start_ms: int
    end_ms: int
    zone: tzinfo | None

    def spans(self) -> Iterator[Span]:
        """The period in pieces of at most a week, within each of which the offset from UTC stays the same."""
        at_ms = self.start_ms
        while at_ms < self.end_ms:
            until_ms = min(self.end_ms, at_ms + SPAN_DAYS * DAY_MS)
            offset = _offset_ms(at_ms, self.zone)
            if _offset_ms(until_ms - 1, self.zone) != offset:
                until_ms = _change_ms(at_ms, until_ms - 1, self.zone)
            yield Span(at_ms, until_ms, offset)
            at_ms = until_ms

    def shown(self) -> str:
        """`2026-01-31 00:00 to 2026-02-01 00:00 (CST)`."""
        start, end = (local(at_ms, self.zone) for at_ms in (self.start_ms, self.end_ms))
        names = dict.fromkeys((start.tzname() or "", end.tzname() or ""))
        zone = self.zone.key if isinstance(self.zone, ZoneInfo) else "/".join(names)
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({zone})"

    def iso(self) -> tuple[str, str]:
        """Both ends as ISO with offset."""
        return local(self.start_ms, self.zone).isoformat(), local(self.end_ms, self.zone).isoformat()


def parse_zone(name: str | None) -> tzinfo | None:
    """The zone of this name in the IANA list; None for none."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, available_timezones(), 1)
        meant = f"did you mean {close[0]}?" if close else "write a name like Asia/Shanghai or UTC"
        raise typer.BadParameter(f"no time zone is called {name!r}; {meant}") from None


def named_period(name: str, zone: tzinfo | None, now_ms: int) -> Period:
    """`today`, `last-week`, `2026-01-31`, `2026-W05`, `2026-01` or `2026`; weeks begin on Monday."""
    try:
        first, last = _days(name.strip().lower(), local(now_ms, zone).date())
        return Period(midnight_ms(first, zone), midnight_ms(last, zone), zone)
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(f"{name!r} is not a period: {HOW}") from None


def period_between(since: str, until: str | None, zone: tzinfo | None, now_ms: int) -> Period:
    """From one moment to another; a date alone begins with its first moment, and as an end has its last one in it."""
    start_ms = _moment_ms(since, zone, is_end=False)
    end_ms = now_ms if until is None else _moment_ms(until, zone, is_end=True)
    if end_ms <= start_ms:
        raise typer.BadParameter(f"the period is empty: {until or 'now'} is not after {since}")
    return Period(start_ms, end_ms, zone)


def slot_ms(by: Slot) -> int:
    """The length of the slots that are counted for it."""
    return HOUR_MS if by in (Slot.HOUR, Slot.HOUR_OF_DAY) else DAY_MS


def slot_name(by: Slot, slot: int, counted_in_ms: int) -> str:
    """The name of a slot's hour, day, week or month; sorts by time."""
    day, into_day_ms = divmod(slot * counted_in_ms, DAY_MS)
    on, hour = EPOCH + timedelta(days=day), f"{into_day_ms // HOUR_MS:02}:00"
    match by:
        case Slot.HOUR:
            return f"{on} {hour}"
        case Slot.DAY:
            return str(on)
        case Slot.WEEK:
            return f"{on.isocalendar().year}-W{on.isocalendar().week:02}"
        case Slot.MONTH:
            return f"{on:%Y-%m}"
        case Slot.HOUR_OF_DAY:
            return hour
        case Slot.WEEKDAY:
            return f"{on.isoweekday()} {on:%a}"


def _days(name: str, today: date) -> tuple[date, date]:
    """The first day, and the one after the last; raises ValueError."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    day = timedelta(days=1)
    match name:
        case "today":
            return today, today + day
        case "yesterday":
            return today - day, today
        case "week":
            return monday, monday + 7 * day
        case "last-week":
            return monday - 7 * day, monday
        case "month":
            return first, _next_month(first)
        case "last-month":
            return (first - day).replace(day=1), first
    if re.fullmatch(r"\d{4}", name):
        return date(int(name), 1, 1), date(int(name) + 1, 1, 1)
    if found := re.fullmatch(r"(\d{4})-(\d{2})", name):
        first = date(int(found[1]), int(found[2]), 1)
        return first, _next_month(first)
    if found := re.fullmatch(r"(\d{4})-w(\d{2})", name):
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return monday, monday + 7 * day
    on = date.fromisoformat(name)
    return on, on + day


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _moment_ms(text: str, zone: tzinfo | None, *, is_end: bool) -> int:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            return midnight_ms(date.fromisoformat(text.strip()) + timedelta(days=int(is_end)), zone)
        when = datetime.fromisoformat(text.strip())
        if when.tzinfo is None:
            when = when.replace(tzinfo=zone)
        return _at_ms(when, zone)
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(f"{text!r} is not a time: write 2026-01-31 or 2026-01-31T14:05") from None


def midnight_ms(day: date, zone: tzinfo | None) -> int:
    """The first moment of a local day."""
    return _at_ms(datetime.combine(day, time(), zone), zone)


def _at_ms(when: datetime, zone: tzinfo | None) -> int:
    """Epoch ms; raises ValueError, OverflowError or OSError where the zone's calendar does not reach."""
    at_ms = round(when.timestamp() * 1000)
    datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)
    return at_ms


def _offset_ms(at_ms: int, zone: tzinfo | None) -> int:
    offset = local(at_ms, zone).utcoffset()
    return round(offset.total_seconds() * 1000) if offset else 0


def _change_ms(before_ms: int, after_ms: int, zone: tzinfo | None) -> int:
    """The first moment, to the second, at which the offset is no longer that of `before_ms`."""
    offset = _offset_ms(before_ms, zone)
    low, high = before_ms // 1000, after_ms // 1000 + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_ms(middle * 1000, zone) == offset else (low, middle)
    return high * 1000
