"""Rings by country: the table of the specification is the test."""

import warnings

import pytest
from pydantic import ValidationError

from callflow.core.rings.cadence import COUNTRIES, Cadence
from callflow.core.rings.records import AnswerClass
from callflow.core.rings.rules import LineRules, RingRules

TABLE = [
    # countries, C, L, ideal from, ideal until (not included), late above; seconds
    ("cn de it ru tw", 5, 1, 6, 10, 15),
    ("fr", 5, 1.5, 6.5, 10, 15),
    ("us mx", 6, 2, 8, 12, 18),
    ("uk au in sg", 3, 1, 4, 6, 9),
    ("jp", 3, 1, 4, 6, 9),
]
ROWS = [(country, *row[1:]) for row in TABLE for country in row[0].split()]


@pytest.mark.parametrize(("country", "cycle", "sound", "ideal", "until", "late"), ROWS)
def test_the_classes_of_a_country(
    country: str, cycle: float, sound: float, ideal: float, until: float, late: float
) -> None:
    bell = COUNTRIES[country]
    assert (bell.cycle_ms, bell.sound_ms) == (cycle * 1000, sound * 1000)
    assert bell.thresholds_ms == (sound * 1000, ideal * 1000, until * 1000, late * 1000)
    for seconds, wanted in (
        (0, AnswerClass.EARLY),
        (sound - 0.001, AnswerClass.EARLY),
        (sound, AnswerClass.ACCEPTABLE),
        (ideal - 0.001, AnswerClass.ACCEPTABLE),
        (ideal, AnswerClass.IDEAL),
        (until - 0.001, AnswerClass.IDEAL),
        (until, AnswerClass.ACCEPTABLE),
        (late, AnswerClass.ACCEPTABLE),
        (late + 0.001, AnswerClass.LATE),
    ):
        assert bell.judge(round(seconds * 1000)) is wanted, seconds


@pytest.mark.parametrize(("country", "cycle", "sound"), [row[:3] for row in ROWS])
def test_rings_completed(country: str, cycle: float, sound: float) -> None:
    bell = COUNTRIES[country]
    assert bell.rings(round(sound * 1000) - 1) == 0
    for ring in range(1, 6):
        ends_ms = round((sound + (ring - 1) * cycle) * 1000)
        assert bell.rings(ends_ms) == ring
        assert bell.rings(ends_ms - 1) == ring - 1


def test_a_cadence_of_ones_own_goes_before_a_countrys() -> None:
    rules = RingRules(
        cadence="desk",
        cadences={"desk": Cadence(elements_ms=(500, 500)), "us": Cadence(elements_ms=(1000, 1000))},
        queue_cadences={"support": "fr"},
        lines={"reception": LineRules(numbers=("100",), cadence="us")},
    )
    assert rules.bell(rules.cadence_name(queue="sales")).cycle_ms == 1000
    assert rules.bell(rules.cadence_name(queue="support")).cycle_ms == 5000
    assert rules.bell(rules.cadence_name(line="reception")).cycle_ms == 2000
    assert rules.thresholds_s() == (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 6.5, 10.0, 15.0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"cadence": "atlantis"}, "there is no cadence 'atlantis'"),
        ({"queue_cadences": {"sales": "nowhere"}}, "queue_cadences.sales"),
        ({"cadences": {"odd": {"elements_ms": [1000, 2000, 300]}}}, "pairs of sound and silence"),
        ({"cadences": {"none": {"elements_ms": [1000, 0]}}}, "pairs of sound and silence"),
        ({"line_pattern": "["}, "no regular expression"),
        ({"work_number": "a{99999999999}"}, "no regular expression"),
        ({"work_number": "(" * 3000}, "no regular expression"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_is_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RingRules.model_validate(wrong)


def test_a_pattern_that_a_later_python_may_read_otherwise_is_accepted_in_silence() -> None:
    with warnings.catch_warnings(action="error"):
        assert RingRules(line_pattern="[[0-9]{2}").line_pattern == "[[0-9]{2}"
