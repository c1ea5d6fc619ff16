"""When calls come: in order, the same for the same seed, at the rate asked for, and lazily."""

import tracemalloc
from itertools import islice, pairwise
from typing import Any

import pytest

from callflow.scenarios.scenario import Scenario
from callflow.scenarios.schedule import expected_calls, schedule

HOUR_S = 3600.0


def scenario(*callers: dict[str, Any], **keys: Any) -> Scenario:
    named = [{"name": f"group{place}"} | caller for place, caller in enumerate(callers)]
    return Scenario.model_validate({"name": "a", "purpose": "calls for a test", "callers": named} | keys)


def test_calls_are_in_order_of_time_and_counted() -> None:
    calls = list(schedule(scenario({"rate_per_s": 5}, {"at_s": [7, 1]}, {"rate_per_s": 2}, lasts_s=20)))
    assert all(before.at_s <= after.at_s for before, after in pairwise(calls))
    assert [call.index for call in calls] == list(range(len(calls)))
    assert [call.at_s for call in calls if call.caller.name == "group1"] == [1, 7]
    assert all(call.at_s <= 20 for call in calls)


def test_numbers_are_taken_in_turn_within_a_group() -> None:
    calls = schedule(scenario({"at_s": [0, 2, 4], "number": "1-2"}, {"at_s": [1, 3], "number": "8-9"}))
    assert [call.number for call in calls] == ["1", "8", "2", "9", "1"]


def test_the_seed_decides() -> None:
    def times(seed: int) -> list[float]:
        return [call.at_s for call in schedule(scenario({"rate_per_s": 5}, lasts_s=20, seed=seed))]

    assert times(1) == times(1) != times(2)


def test_one_group_does_not_change_the_times_of_another() -> None:
    alone = list(schedule(scenario({"rate_per_s": 5}, lasts_s=20)))
    beside = schedule(scenario({"rate_per_s": 5}, {"rate_per_s": 3}, lasts_s=20))
    assert [call.at_s for call in alone] == [call.at_s for call in beside if call.caller.name == "group0"]


def test_a_rate_is_a_poisson_process() -> None:
    calls = [call.at_s for call in schedule(scenario({"rate_per_s": 10}, lasts_s=1000))]
    assert len(calls) == pytest.approx(10_000, rel=0.03)
    gaps = [after - before for before, after in pairwise(calls)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance == pytest.approx(mean**2, rel=0.1), "gaps of a Poisson process vary as much as they last"


def test_the_rate_follows_the_hour_of_the_day() -> None:
    per_hour = [0.0] * 24
    per_hour[9], per_hour[10] = 2000, 1000
    calls = [
        call.at_s for call in schedule(scenario({"per_hour": per_hour, "day_starts_at": "08:30"}, lasts_s=27 * HOUR_S))
    ]
    in_hour = [sum(begin <= at_s < begin + HOUR_S for at_s in calls) for begin in (-1800, 1800, 5400, 9000, 88200)]
    assert in_hour[0] == in_hour[3] == 0
    assert in_hour[1:3] == [pytest.approx(2000, rel=0.1), pytest.approx(1000, rel=0.1)]
    assert in_hour[4] == pytest.approx(2000, rel=0.1), "the next day"


def test_no_more_calls_than_asked_for() -> None:
    assert len(list(schedule(scenario({"rate_per_s": 5, "calls": 30})))) == 30


@pytest.mark.parametrize(
    ("caller", "calls"),
    [
        ({"at_s": [1, 2]}, 2),
        ({"rate_per_s": 0.5}, 50),
        ({"rate_per_s": 0.5, "calls": 7}, 7),
        ({"per_hour": [36] * 24}, 1),
        ({"per_hour": [36, 72, *[0] * 22], "day_starts_at": "00:59:10"}, 1.5),
    ],
)
def test_how_many_to_expect(caller: dict[str, Any], calls: float) -> None:
    assert expected_calls(scenario(caller, lasts_s=100)) == pytest.approx(calls)


def test_a_million_calls_need_no_memory() -> None:
    calls = schedule(scenario({"rate_per_s": 1000, "number": "1-9"}, {"per_hour": [3600] * 24}, lasts_s=1e6))
    list(islice(calls, 1000))
    tracemalloc.start()
    try:
        last = next(islice(calls, 49_000, None))
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()
    assert last.index == 50_000
