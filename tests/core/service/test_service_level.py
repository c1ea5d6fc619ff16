"""Service level by each formula, against the published vector."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.service.level import FORMULAS, Formula, Waiting, service_level
from callflow.core.service.tallies import Rings, Service

ICMI = Waiting(offered=1060, answered=1000, answered_in_time=860, abandoned=60, abandoned_in_time=20, short=10)
PERCENT = {"A": 81.90, "B": 81.13, "C": 83.02, "D": 82.69, "E": 86.00, "F": 82.08}


@pytest.mark.parametrize("formula", list(Formula))
def test_the_published_vector(formula: Formula) -> None:
    level = service_level(formula, ICMI)
    assert level is not None
    assert round(100 * level, 2) == PERCENT[formula]
    assert FORMULAS[formula]


@pytest.mark.parametrize("formula", list(Formula))
def test_nobody_to_serve_is_no_service_level(formula: Formula) -> None:
    assert service_level(formula, Waiting(0, 0, 0, 0, 0, 0)) is None


def test_only_short_abandons_leave_nothing_to_judge() -> None:
    assert service_level(Formula.A, Waiting(3, 0, 0, 3, 3, 3)) is None
    assert service_level(Formula.F, Waiting(3, 0, 0, 3, 3, 3)) == 1.0


@st.composite
def waitings(draw: st.DrawFn) -> Waiting:
    answered, abandoned, sent_on = (draw(st.integers(0, 200)) for _ in range(3))
    abandoned_in_time = draw(st.integers(0, abandoned))
    return Waiting(
        answered + abandoned + sent_on,
        answered,
        draw(st.integers(0, answered)),
        abandoned,
        abandoned_in_time,
        draw(st.integers(0, abandoned_in_time)),
    )


@given(waiting=waitings())
def test_a_service_level_is_a_share_and_one_more_answer_in_time_never_lowers_it(waiting: Waiting) -> None:
    better = replace(
        waiting,
        offered=waiting.offered + 1,
        answered=waiting.answered + 1,
        answered_in_time=waiting.answered_in_time + 1,
    )
    for formula in Formula:
        level = service_level(formula, waiting)
        improved = service_level(formula, better)
        assert improved is not None
        assert level is None or 0 <= level <= 1
        assert level is None or improved >= level


def test_tallies_add_up_and_the_longest_wait_stays_the_longest() -> None:
    total = Service(answered=3, wait_ms=9000, longest_wait_ms=5000) + Service(
        answered=1, wait_ms=1000, longest_wait_ms=1000
    )
    assert (total.answered, total.asa_ms, total.longest_wait_ms) == (4, 2500.0, 5000)
    assert Service().asa_ms is None
    assert Service().abandonment is None


def test_within_three_rings_counts_the_unanswered_and_leaves_out_the_excluded() -> None:
    rings = Rings(
        early=1, acceptable=2, ideal=4, late=2, unanswered=1, excluded=50, uncertain=50, ring_ms=90_000, rings=18
    )
    assert rings.within_three == 0.7
    assert (rings.mean_ring_ms, rings.mean_rings) == (10_000.0, 2.0)
    assert Rings(excluded=3).within_three is None
