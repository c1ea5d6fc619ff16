"""Due times across zones, clock changes and leap days."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.callbacks.hours import CallingHours, UnknownHours, day_of, parse_holiday, parse_window

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "Africa/Casablanca",
    "UTC",
)
MOMENTS = st.datetimes(datetime(2011, 12, 1), datetime(2037, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
WINDOWS = st.lists(
    st.tuples(st.sampled_from(["mon-sun", "mon-fri", "sat", "sun-tue"]), st.integers(0, 1438), st.integers(1, 1440)),
    min_size=1,
    max_size=3,
).map(
    lambda some: tuple(
        f"{days} {a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}"
        for days, one, other in some
        for a, b in [(min(one, other - 1), max(one + 1, other))]
    )
)


def ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@settings(max_examples=300)
@given(MOMENTS, st.sampled_from(ZONES), WINDOWS)
def test_the_next_allowed_time_is_the_first_that_is_allowed(at: datetime, zone: str, windows: tuple[str, ...]) -> None:
    hours = CallingHours(windows)
    at_ms = round(at.timestamp() * 1000)
    due_ms = hours.next_allowed(at_ms, zone)
    assert due_ms >= at_ms
    assert hours.next_allowed(due_ms, zone) == due_ms
    assert hours.allow(due_ms, zone)
    wall = datetime.fromtimestamp(due_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    inside = [
        window
        for window in map(parse_window, windows)
        if wall.weekday() in window.days and window.begin <= 60 * wall.hour + wall.minute < window.end
    ]
    skipped = wall.utcoffset() != (wall - timedelta(hours=2)).astimezone(UTC).astimezone(ZoneInfo(zone)).utcoffset()
    near_change = len({(wall + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in range(-26, 27)}) > 1
    assert inside or skipped or near_change
    for back_ms in (1, 60_000):
        if due_ms - back_ms >= at_ms and not near_change:
            assert not hours.allow(due_ms - back_ms, zone)


@pytest.mark.parametrize(
    ("zone", "window", "asked", "allowed"),
    [
        # Berlin puts its clocks forward on 29 March 2026: 02:00 to 03:00 does not exist.
        ("Europe/Berlin", "mon-sun 02:30-05:00", "2026-03-29T00:00+01:00", "2026-03-29T03:00+02:00"),
        ("Europe/Berlin", "mon-sun 09:00-17:00", "2026-03-29T00:00+01:00", "2026-03-29T09:00+02:00"),
        # and back on 25 October: 02:30 comes twice; the first counts.
        ("Europe/Berlin", "mon-sun 02:30-05:00", "2026-10-25T00:00+02:00", "2026-10-25T02:30+02:00"),
        ("Asia/Shanghai", "mon-sun 09:00-20:00", "2026-01-31T20:00+08:00", "2026-02-01T09:00+08:00"),
        ("Asia/Shanghai", "mon-fri 09:00-20:00", "2026-01-30T20:00+08:00", "2026-02-02T09:00+08:00"),
        ("UTC", "mon-sun 09:00-10:00", "2028-02-28T11:00+00:00", "2028-02-29T09:00+00:00"),
        ("UTC", "mon-sun 09:00-10:00", "2027-02-28T11:00+00:00", "2027-03-01T09:00+00:00"),
        # Samoa has no 30 December 2011, a Friday.
        ("Pacific/Apia", "fri 09:00-10:00", "2011-12-29T12:00-10:00", "2012-01-06T09:00+14:00"),
        ("Australia/Lord_Howe", "mon-sun 02:10-05:00", "2026-10-04T00:00+10:30", "2026-10-04T02:30+11:00"),
    ],
)
def test_known_days(zone: str, window: str, asked: str, allowed: str) -> None:
    hours = CallingHours((window,))
    found = hours.next_allowed(round(datetime.fromisoformat(asked).timestamp() * 1000), zone)
    assert datetime.fromtimestamp(found / 1000, UTC) == datetime.fromisoformat(allowed)


def test_holidays_of_one_year_and_of_every_year() -> None:
    hours = CallingHours(("mon-sun 09:00-10:00",), ("2026-02-17", "05-01", "02-29"))
    assert hours.next_allowed(ms("2026-02-17T00:00"), "UTC") == ms("2026-02-18T09:00")
    assert hours.next_allowed(ms("2027-02-17T00:00"), "UTC") == ms("2027-02-17T09:00")
    for year in (2026, 2027):
        assert hours.next_allowed(ms(f"{year}-05-01T00:00"), "UTC") == ms(f"{year}-05-02T09:00")
    assert hours.next_allowed(ms("2028-02-29T00:00"), "UTC") == ms("2028-03-01T09:00")


@pytest.mark.parametrize("zone", ["", "Asia/Nowhere", "../etc/passwd", "\0"])
def test_an_unknown_zone_refuses(zone: str) -> None:
    with pytest.raises(UnknownHours):
        CallingHours(("mon-sun 00:00-24:00",)).allow(0, zone)


def test_hours_that_leave_no_time_refuse() -> None:
    for hours in (CallingHours(()), CallingHours(("mon 09:00-10:00",), tuple(every_day()))):
        with pytest.raises(UnknownHours):
            hours.next_allowed(ms("2026-01-31T00:00"), "UTC")


def every_day() -> list[str]:
    days = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366))
    return [f"{day:%m-%d}" for day in days]


@pytest.mark.parametrize("text", ["mon-fri", "mon 9-18", "mon 18:00-09:00", "xyz 09:00-10:00", "mon 09:60-10:00", ""])
def test_a_window_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_window(text)


@pytest.mark.parametrize("text", ["2026-2-17", "13-01", "02-30", "2027-02-29", "today"])
def test_a_holiday_that_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_holiday(text)


def test_a_day_is_the_day_of_its_zone() -> None:
    at_ms = ms("2026-01-31T20:00")
    assert [day_of(at_ms, zone) for zone in ("UTC", "Asia/Shanghai", "Pacific/Kiritimati", "")] == [
        "2026-01-31",
        "2026-02-01",
        "2026-02-01",
        "2026-01-31",
    ]
