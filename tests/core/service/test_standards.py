"""A standard against what was counted: signs, colours, trend, too few cases, reviews."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from callflow.core.service.grouping import Counted
from callflow.core.service.measures import MEASURES
from callflow.core.service.standards import Light, Standard, Trend, judge
from callflow.core.service.tallies import AgentTime, CallBacks, Ratings, Rings, Screened, Service, Talk, WrapUps
from callflow.core.service.targets import QueueTarget

TODAY = date(2026, 11, 28)
COUNTED = Counted(
    rings=Rings(early=5, acceptable=30, ideal=50, late=10, unanswered=5, ring_ms=800_000, rings=160),
    service=Service(answered=90, answered_in_time=80, abandoned=10, abandoned_in_time=4, short=2, wait_ms=900_000),
    talk=Talk(90, 9_000_000),
    screened=Screened(Counter({"spoke": 80, "silent": 12, "rescued": 8})),
    time=AgentTime(available=36_000_000, talking=72_000_000, paused=7_200_000),
    ratings=Ratings(
        asked=50, answered=40, efficiency_n=40, efficiency_sum=180, attitude_n=35, attitude_sum=140, correctness_n=30,
        correctness_sum=90,
    ),
    wrap_ups=WrapUps(wrap_ups=40, wrap_up_ms=1_000_000),
    callbacks=CallBacks(settled=40, reached=34, reach_ms=34 * 1_800_000),
    targets=frozenset({QueueTarget()}),
)  # fmt: skip


def standard(**changes: Any) -> Standard:
    given = {"name": "S", "measure": "service_level", "adequate": 80, "desired": 90, "owner": "Ada"}
    return Standard(**(given | {"reviewed": date(2026, 1, 31)} | changes))


def test_every_measure_is_taken_from_what_was_counted() -> None:
    taken = {name: (measure.value(COUNTED), measure.cases(COUNTED)) for name, measure in MEASURES.items()}
    assert taken == {
        "service_level": (pytest.approx(100 * 80 / 98), 100),
        "time_to_answer": (10.0, 90),
        "abandonment": (10.0, 100),
        "within_three_rings": (85.0, 100),
        "mean_rings": (pytest.approx(160 / 95), 95),
        "mean_talk": (100.0, 90),
        "silent_share": (12.0, 100),
        "rescued_share": (40.0, 20),
        "efficiency": (4.5, 40),
        "attitude": (4.0, 35),
        "correctness": (3.0, 30),
        "response_rate": (80.0, 50),
        "callbacks_reached": (85.0, 40),
        "time_to_reach": (1800.0, 34),
        "wrap_up": (25.0, 40),
        "occupancy": (pytest.approx(100 * 72 / 108), 30),
    }


def test_nothing_counted_is_no_zero() -> None:
    for measure in MEASURES.values():
        assert (measure.value(Counted()), measure.cases(Counted())) == (None, 0)


@pytest.mark.parametrize(
    ("adequate", "desired", "light", "words"),
    [
        (80, 81, Light.GREEN, "desired level reached"),
        (80, 90, Light.YELLOW, "adequate"),
        (85, 90, Light.RED, "below adequate"),
    ],
)
def test_higher_is_better(adequate: float, desired: float, light: Light, words: str) -> None:
    one = judge(standard(adequate=adequate, desired=desired), COUNTED, Counted(), TODAY)
    assert (one.light, one.words) == (light, words)
    assert one.msa == pytest.approx(100 * 80 / 98 - adequate)
    assert one.mss == pytest.approx(100 * 80 / 98 - desired)


def test_lower_is_better_with_the_signs_reversed() -> None:
    one = judge(standard(measure="abandonment", adequate=12, desired=5), COUNTED, Counted(), TODAY)
    assert (one.msa, one.mss, one.light) == (2.0, -5.0, Light.YELLOW)


def test_the_level_itself_is_enough() -> None:
    one = judge(standard(measure="within_three_rings", adequate=80, desired=85), COUNTED, Counted(), TODAY)
    assert (one.mss, one.light) == (0.0, Light.GREEN)


def test_too_few_cases_are_not_judged() -> None:
    one = judge(standard(measure="rescued_share", adequate=30, desired=50), COUNTED, COUNTED, TODAY)
    assert (one.perceived, one.cases, one.msa, one.mss) == (40.0, 20, None, None)
    assert (one.light, one.words, one.trend) == (Light.NONE, "too few cases: 20 of 30", Trend.UNKNOWN)


def test_the_trend_is_against_the_period_before() -> None:
    assert COUNTED.service is not None
    worse = replace(COUNTED, service=replace(COUNTED.service, answered_in_time=70))
    assert judge(standard(), COUNTED, worse, TODAY).trend is Trend.BETTER
    assert judge(standard(), worse, COUNTED, TODAY).trend is Trend.WORSE
    assert judge(standard(), COUNTED, COUNTED, TODAY).trend is Trend.SAME
    assert judge(standard(), COUNTED, Counted(), TODAY).trend is Trend.UNKNOWN
    lower = standard(measure="abandonment", adequate=12, desired=5)
    fewer = replace(COUNTED, service=replace(COUNTED.service, abandoned=2))
    assert judge(lower, fewer, COUNTED, TODAY).trend is Trend.BETTER


@pytest.mark.parametrize(
    ("reviewed", "overdue"), [(date(2025, 11, 28), False), (date(2025, 11, 27), True), (None, True)]
)
def test_a_standard_is_reviewed_once_a_year(reviewed: date | None, overdue: bool) -> None:
    assert judge(standard(reviewed=reviewed), COUNTED, Counted(), TODAY).overdue is overdue


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"measure": "happiness"}, "there is no measure 'happiness'"),
        ({"adequate": 95}, r"adequate \(95\) is above desired \(90\), but higher is better"),
        ({"measure": "abandonment", "adequate": 4, "desired": 8}, "is below desired .*, but lower is better"),
        ({"measure": "mean_rings", "better": "higher", "adequate": 3, "desired": 2}, "but higher is better"),
        ({"lines": ["8001"], "queues": ["support"]}, "no record has both"),
    ],
)
def test_a_standard_that_makes_no_sense(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        standard(**changes)


@given(st.sampled_from(sorted(MEASURES)), st.floats(0, 100), st.floats(0, 100), st.sampled_from(["higher", "lower"]))
def test_green_implies_adequate(measure: str, one_level: float, other_level: float, better: str) -> None:
    low, high = sorted((one_level, other_level))
    adequate, desired = (low, high) if better == "higher" else (high, low)
    made = standard(measure=measure, adequate=adequate, desired=desired, better=better, min_cases=1)
    one = judge(made, COUNTED, Counted(), TODAY)
    assert one.msa is not None
    assert one.mss is not None
    assert one.mss <= one.msa
    assert (one.light is Light.RED) is (one.msa < 0)


def test_only_measures_of_the_agents_time_need_it() -> None:
    """Where none is asked for it is not counted: it takes much longer than all else."""
    worked = Counted(time=AgentTime(available=3_600_000, talking=3_600_000))
    assert {name for name, measure in MEASURES.items() if measure.value(worked) is not None} == {
        name for name, measure in MEASURES.items() if measure.of_time
    }
