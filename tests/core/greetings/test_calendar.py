"""Festivals by the solar and the lunar calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.greetings.calendar import NoFestival, festival_of, parse_festival
from callflow.core.greetings.rules import GreetingRules

SHIPPED = GreetingRules().calendar()


@pytest.mark.parametrize(
    ("day", "prompt"),
    [
        (date(2026, 1, 1), "new_year"),
        (date(2026, 1, 2), ""),
        (date(2025, 1, 29), "spring_festival"),
        (date(2026, 2, 16), ""),
        (date(2026, 2, 17), "spring_festival"),
        (date(2026, 3, 2), "spring_festival"),
        (date(2026, 3, 3), "lantern_festival"),
        (date(2026, 3, 4), ""),
        (date(2026, 6, 19), "dragon_boat"),
        (date(2026, 9, 25), "mid_autumn"),
        (date(2023, 9, 29), "mid_autumn"),
        (date(2026, 10, 3), "national_day"),
        (date(2026, 10, 4), ""),
    ],
)
def test_the_shipped_festivals(day: date, prompt: str) -> None:
    assert festival_of(day, SHIPPED) == prompt


def test_a_festival_may_run_over_the_end_of_the_year() -> None:
    turn = (parse_festival("turn 12-31 3"),)
    days = [date(2026, 12, 30) + timedelta(days=n) for n in range(5)]
    assert [festival_of(day, turn) for day in days] == ["", "turn", "turn", "turn", ""]


def test_one_year_only_and_days_that_not_every_year_has() -> None:
    once, leap = parse_festival("opening 2026-05-20"), parse_festival("leap 02-29")
    assert [festival_of(date(year, 5, 20), (once,)) for year in (2025, 2026, 2027)] == ["", "opening", ""]
    assert [festival_of(date(year, 3, 1), (leap,)) for year in (2027, 2028)] == ["", ""]
    assert festival_of(date(2028, 2, 29), (leap,)) == "leap"


@given(st.dates(date(1902, 1, 1), date(2097, 12, 31)))
def test_every_day_has_an_answer(day: date) -> None:
    assert festival_of(day, SHIPPED) in {"", *(festival.prompt for festival in SHIPPED)}


@pytest.mark.parametrize(
    "text", ["", "x", "x 13-01", "x 02-30", "x lunar 01-31", "x 1-1", "x 01-01 0", "a b 01-01", "../x 01-01"]
)
def test_what_is_no_festival_is_refused(text: str) -> None:
    with pytest.raises(NoFestival):
        parse_festival(text)
