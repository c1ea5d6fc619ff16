"""Periods in any zone, through changes of the clocks."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from callflow.commands.report_period import (
    Period,
    Slot,
    named_period,
    parse_zone,
    period_between,
    slot_ms,
    slot_name,
)
from callflow.core.service.grouping import DAY_MS, HOUR_MS, Span

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


NOW = ms("2026-03-31T23:30:00+00:00")
"""Already the first of April in Shanghai, a Wednesday."""


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-04-01T00:00:00+08:00", "2026-04-02T00:00:00+08:00"),
        ("Yesterday", "2026-03-31T00:00:00+08:00", "2026-04-01T00:00:00+08:00"),
        ("week", "2026-03-30T00:00:00+08:00", "2026-04-06T00:00:00+08:00"),
        ("last-week", "2026-03-23T00:00:00+08:00", "2026-03-30T00:00:00+08:00"),
        ("month", "2026-04-01T00:00:00+08:00", "2026-05-01T00:00:00+08:00"),
        ("last-month", "2026-03-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00"),
        ("2026-02-28", "2026-02-28T00:00:00+08:00", "2026-03-01T00:00:00+08:00"),
        ("2026-W01", "2025-12-29T00:00:00+08:00", "2026-01-05T00:00:00+08:00"),
        ("2026-12", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("2026", "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
    ],
)
def test_a_name_is_a_period_of_the_zone(name: str, start: str, end: str) -> None:
    assert named_period(name, SHANGHAI, NOW) == Period(ms(start), ms(end), SHANGHAI)


@pytest.mark.parametrize("name", ["tomorow", "2026-13", "2026-02-30", "2026-W54", "", "0000", "0001", "9999"])
def test_what_is_no_period_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a period: write today"):
        named_period(name, SHANGHAI, NOW)


def test_the_days_named_are_in_the_period_and_moments_are_exact() -> None:
    days = period_between("2026-01-30", "2026-01-31", SHANGHAI, NOW)
    assert days == Period(ms("2026-01-30T00:00:00+08:00"), ms("2026-02-01T00:00:00+08:00"), SHANGHAI)
    hours = period_between("2026-01-30T09:00", "2026-01-30T11:30", SHANGHAI, NOW)
    assert (hours.start_ms, hours.end_ms) == (ms("2026-01-30T09:00:00+08:00"), ms("2026-01-30T11:30:00+08:00"))
    zoned = period_between("2026-01-30T09:00+01:00", None, SHANGHAI, NOW)
    assert (zoned.start_ms, zoned.end_ms) == (ms("2026-01-30T09:00:00+01:00"), NOW)


@pytest.mark.parametrize(("since", "until"), [("2026-01-31", "2026-01-30"), ("2026-05-01", None)])
def test_an_empty_period_is_refused(since: str, until: str | None) -> None:
    with pytest.raises(typer.BadParameter, match="the period is empty"):
        period_between(since, until, SHANGHAI, NOW)


@pytest.mark.parametrize("when", ["soon", "2026-01-32", "26-1-1"])
def test_what_is_no_moment_is_refused(when: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a time"):
        period_between(when, None, SHANGHAI, NOW)


def test_a_moment_that_the_calendar_does_not_reach_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="'9999-12-31T23:00' is not a time"):
        period_between("9999-12-30", "9999-12-31T23:00", ZoneInfo("America/New_York"), NOW)


def test_an_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(typer.BadParameter, match="did you mean Asia/Shanghai"):
        parse_zone("Asia/Shangai")
    assert parse_zone(None) is None
    assert parse_zone("Europe/Berlin") == BERLIN


@pytest.mark.parametrize(
    ("day", "hours", "change"), [("2026-03-29", 23, "01:00"), ("2026-10-25", 25, "01:00"), ("2026-06-01", 24, "")]
)
def test_a_day_on_which_the_clocks_change_is_parted_there(day: str, hours: int, change: str) -> None:
    period = named_period(day, BERLIN, NOW)
    assert period.end_ms - period.start_ms == hours * HOUR_MS
    spans = list(period.spans())
    assert len(spans) == (2 if change else 1)
    assert [f"{datetime.fromtimestamp(span.start_ms / 1000, UTC):%H:%M}" for span in spans[1:]] == [change] * bool(
        change
    )
    names = [slot_name(Slot.DAY, s.slot(at, DAY_MS), DAY_MS) for s in spans for at in (s.start_ms, s.end_ms - 1)]
    assert set(names) == {day}


def test_the_hour_that_comes_twice_has_one_name() -> None:
    first, second = named_period("2026-10-25", BERLIN, NOW).spans()
    names = {
        slot_name(Slot.HOUR, span.slot(at, HOUR_MS), HOUR_MS)
        for span, at in ((first, first.end_ms - 1), (second, second.start_ms))
    }
    assert names == {"2026-10-25 02:00"}


@given(
    start_ms=st.integers(ms("1995-01-01T00:00:00+00:00"), ms("2037-01-01T00:00:00+00:00")),
    length_ms=st.integers(1, 200 * DAY_MS),
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]),
)
def test_spans_cover_the_period_once_with_one_offset_each(start_ms: int, length_ms: int, zone: str) -> None:
    period = Period(start_ms, start_ms + length_ms, ZoneInfo(zone))
    spans = list(period.spans())
    assert (spans[0].start_ms, spans[-1].end_ms) == (period.start_ms, period.end_ms)
    assert all(one.end_ms == other.start_ms for one, other in pairwise(spans))
    for span in spans:
        assert span.start_ms < span.end_ms <= span.start_ms + 7 * DAY_MS
        for at_ms in (span.start_ms, span.end_ms - 1):
            offset = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone)).utcoffset()
            assert offset is not None
            assert offset.total_seconds() * 1000 == span.offset_ms


@given(
    start_ms=st.integers(0, 2**41), length_ms=st.integers(1, 3 * DAY_MS), offset_h=st.sampled_from([-9.5, 0, 5.75, 14])
)
def test_pieces_are_slots_that_cover_the_span_once(start_ms: int, length_ms: int, offset_h: float) -> None:
    span = Span(start_ms, start_ms + length_ms, round(offset_h * HOUR_MS))
    pieces = list(span.pieces(HOUR_MS))
    assert (pieces[0].start_ms, pieces[-1].end_ms) == (span.start_ms, span.end_ms)
    assert all(one.end_ms == other.start_ms for one, other in pairwise(pieces))
    slots = [piece.slot(piece.start_ms, HOUR_MS) for piece in pieces]
    assert slots == [piece.slot(piece.end_ms - 1, HOUR_MS) for piece in pieces]
    assert len(set(slots)) == len(slots)
    assert list(span.pieces(None)) == [span]


def test_slots_have_names_that_sort_by_time() -> None:
    span = next(named_period("2026-02-01", SHANGHAI, NOW).spans())
    at = span.start_ms + 14 * HOUR_MS
    names = {by: slot_name(by, span.slot(at, slot_ms(by)), slot_ms(by)) for by in Slot}
    assert names == {
        Slot.HOUR: "2026-02-01 14:00",
        Slot.DAY: "2026-02-01",
        Slot.WEEK: "2026-W05",
        Slot.MONTH: "2026-02",
        Slot.HOUR_OF_DAY: "14:00",
        Slot.WEEKDAY: "7 Sun",
    }


def test_a_period_says_what_it_is() -> None:
    period = named_period("2026-02-01", SHANGHAI, NOW)
    assert period.shown() == "2026-02-01 00:00 to 2026-02-02 00:00 (Asia/Shanghai)"
    assert period.iso() == ("2026-02-01T00:00:00+08:00", "2026-02-02T00:00:00+08:00")
