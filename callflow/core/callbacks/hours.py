"""When a caller may be called: hours and holidays in the caller's zone. What is not known refuses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FARTHEST_MS = 3653 * 86_400_000
LOOK_DAYS = 400
"""A year and some: no window within it means that there is none."""
_WINDOW = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_HOLIDAY = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})")


class UnusableTime(ValueError):
    """A time that is no time for a call-back or a case; the text says why."""


class UnknownHours(ValueError):
    """The zone or the calling hours are not known, so callflow calls nobody; the text says what to set."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` to `end` minutes of the day, on the days 0 (Monday) to 6."""

    days: frozenset[int]
    begin: int
    end: int


def parse_window(text: str) -> Window:
    """`mon-fri 09:00-18:00`; raises ValueError."""
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no window: write mon-fri 09:00-18:00")
    first, last = found[1], found[2] or found[1]
    if first not in DAYS or last not in DAYS:
        raise ValueError(f"{text!r}: the days are {', '.join(DAYS)}")
    begin, end = 60 * int(found[3]) + int(found[4]), 60 * int(found[5]) + int(found[6])
    if int(found[4]) > 59 or int(found[6]) > 59 or not begin < end <= 24 * 60:
        raise ValueError(f"{text!r}: the end must be after the begin, on the same day (24:00 is its end)")
    days, day, last_day = {DAYS.index(last)}, DAYS.index(first), DAYS.index(last)
    while day != last_day:
        days.add(day)
        day = (day + 1) % 7
    return Window(frozenset(days), begin, end)


def parse_holiday(text: str) -> tuple[int | None, int, int]:
    """`2026-02-17`, or `01-01` for every year; raises ValueError."""
    found = _HOLIDAY.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no date: write 2026-02-17, or 01-01 for every year")
    year = int(found[1]) if found[1] else None
    date(year or 2024, int(found[2]), int(found[3]))  # 2024 has a 29th of February
    return year, int(found[2]), int(found[3])


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone; raises UnknownHours."""
    if not name:
        raise UnknownHours("no time zone is set")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownHours(f"the time zone {name!r} is not known") from None


def usable(what: str, at_ms: int, now_ms: int) -> int:
    """A time that a person gave, in epoch ms; raises UnusableTime, which says of `what`."""
    if not 0 <= at_ms <= now_ms + FARTHEST_MS:
        raise UnusableTime(f"{what} must be after 1970, and at most ten years from now")
    return at_ms


def wall_ms(text: str, zone: str) -> int:
    """Epoch ms of 2026-01-31T14:05 in a zone, or with an offset of its own; raises UnusableTime or UnknownHours."""
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=zone_of(zone))).timestamp() * 1000)
    except UnknownHours:
        raise
    except (ValueError, OverflowError):
        raise UnusableTime(f"{text!r} is not a time: write 2026-01-31T14:05") from None


def day_of(at_ms: int, zone: str) -> str:
    """The calendar day of a moment, 2026-01-31, in a zone; in UTC where the zone is not known."""
    try:
        return _moment(at_ms).astimezone(zone_of(zone)).date().isoformat()
    except (UnknownHours, OverflowError):
        return _moment(at_ms).date().isoformat()


class CallingHours:
    """The windows and holidays of one profile. Made of texts that `parse_window` and `parse_holiday` accept."""

    def __init__(self, windows: tuple[str, ...], holidays: tuple[str, ...] = ()) -> None:
        self._windows = tuple(map(parse_window, windows))
        self._holidays = frozenset(map(parse_holiday, holidays))

    def allow(self, at_ms: int, zone: str) -> bool:
        """Whether a caller in this zone may be called now; raises UnknownHours."""
        return self.next_allowed(at_ms, zone) == at_ms

    def next_allowed(self, at_ms: int, zone: str) -> int:
        """The first moment from `at_ms` on at which the caller may be called; raises UnknownHours."""
        tz = zone_of(zone)
        if not self._windows:
            raise UnknownHours("no calling hours are set")
        try:
            first = _moment(at_ms).astimezone(tz).date()
            for number in range(LOOK_DAYS):
                for begin_ms, end_ms in self._on(first + timedelta(days=number), tz):
                    if at_ms < end_ms:
                        return max(at_ms, begin_ms)
        except OverflowError:
            raise UnknownHours("no calendar has this time") from None
        raise UnknownHours("the calling hours leave no time within a year")

    def last_before(self, at_ms: int, zone: str) -> tuple[int, int]:
        """The last time before `at_ms` in which the caller may be called, from and to; raises UnknownHours."""
        tz = zone_of(zone)
        try:
            last = _moment(at_ms).astimezone(tz).date()
            for number in range(LOOK_DAYS):
                for begin_ms, end_ms in reversed(list(self._on(last - timedelta(days=number), tz))):
                    if begin_ms < at_ms:
                        return begin_ms, min(end_ms, at_ms)
        except OverflowError:
            raise UnknownHours("no calendar has this time") from None
        raise UnknownHours("the calling hours leave no time within a year")

    def _on(self, day: date, tz: ZoneInfo) -> Iterator[tuple[int, int]]:
        """The windows of one day as epoch ms, the earliest first; none on a holiday."""
        if {(day.year, day.month, day.day), (None, day.month, day.day)} & self._holidays:
            return
        todays = sorted((w for w in self._windows if day.weekday() in w.days), key=lambda window: window.begin)
        for window in todays:
            begin_ms, end_ms = _at(day, window.begin, tz), _at(day, window.end, tz)
            if begin_ms < end_ms:
                yield begin_ms, end_ms


def _moment(at_ms: int) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    except OverflowError:
        raise UnknownHours("no calendar has this time") from None


def _at(day: date, minutes: int, tz: ZoneInfo) -> int:
    """Epoch ms of a wall time. A time that the clocks skip counts as the moment they are put forward to."""
    if minutes == 24 * 60:
        return _at(day + timedelta(days=1), 0, tz)
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tz)
    moment = wall.astimezone(UTC)
    if moment.astimezone(tz).replace(tzinfo=None) != wall.replace(tzinfo=None):  # skipped: the gap's own end
        moment = wall.replace(fold=1).astimezone(UTC)
        moment = _end_of_gap(moment, tz)
    return round(moment.timestamp() * 1000)


def _end_of_gap(before: datetime, tz: ZoneInfo) -> datetime:
    """The first minute with another offset: PEP 495 gives a skipped time's later reading before the change."""
    offset, moment = before.astimezone(tz).utcoffset(), before
    while moment.astimezone(tz).utcoffset() == offset and moment - before < timedelta(hours=25):
        moment += timedelta(minutes=1)
    return moment
