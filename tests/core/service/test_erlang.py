"""Erlang C against the published vector, and far beyond it."""

import math
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.core.service.erlang import Goal, Load, Staffed, agents_needed, staffings

VECTOR = Load(erlangs=100 * 180 / 1800, handling_s=180)
"""100 calls in 30 minutes, 180 s each."""


def staffed(load: Load, threshold_s: float, agents: int) -> Staffed:
    return next(islice(staffings(load, threshold_s), agents - 1, None))


def test_the_published_vector() -> None:
    found = staffed(VECTOR, 20, 14)
    assert round(found.waiting, 7) == 0.1741319
    assert round(found.in_time, 5) == 0.88835
    assert found.asa_s is not None
    assert round(found.asa_s, 4) == 7.8359
    assert round(found.occupancy, 7) == 0.7142857


def test_the_fewest_agents_who_reach_the_goal() -> None:
    assert agents_needed(VECTOR, Goal(0.8, 20)) == 14
    assert not staffed(VECTOR, 20, 13).reaches(Goal(0.8, 20))
    assert agents_needed(VECTOR, Goal(0.8, 20, occupancy=0.6)) == 17


@pytest.mark.parametrize("agents", [1, 5, 10])
def test_with_no_agent_to_spare_the_queue_grows_without_end(agents: int) -> None:
    assert staffed(VECTOR, 20, agents) == Staffed(agents, 1.0, 0.0, None, 1.0)


@pytest.mark.parametrize("erlangs", [1.0, 20.0, 100.0])
def test_the_recursion_is_the_formula(erlangs: float) -> None:
    agents = math.ceil(erlangs) + 3
    terms = [math.exp(n * math.log(erlangs) - math.lgamma(n + 1)) for n in range(agents + 1)]
    last = terms[-1] * agents / (agents - erlangs)
    assert staffed(Load(erlangs, 180), 20, agents).waiting == pytest.approx(last / (sum(terms[:-1]) + last), rel=1e-9)


@given(erlangs=st.floats(0.001, 5000), handling_s=st.floats(1, 3600), spare=st.integers(1, 50))
def test_one_more_agent_is_never_worse(erlangs: float, handling_s: float, spare: int) -> None:
    load = Load(erlangs, handling_s)
    fewer, more = islice(staffings(load, 20), math.ceil(erlangs) + spare - 1, math.ceil(erlangs) + spare + 1)
    assert fewer.asa_s is not None
    assert more.asa_s is not None
    assert 0 <= more.waiting <= fewer.waiting <= 1
    assert 0 <= fewer.in_time <= more.in_time <= 1
    assert more.asa_s <= fewer.asa_s


def test_a_national_hotline_does_not_overflow() -> None:
    needed = agents_needed(Load(100_000.0, 300), Goal(0.8, 20))
    assert needed is not None
    assert 100_000 < needed < 100_400
    assert agents_needed(Load(2_000_000.0, 300), Goal(0.8, 20)) is None
