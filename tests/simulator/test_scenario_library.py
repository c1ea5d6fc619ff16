"""The scenarios that come with the project."""

from itertools import islice

import pytest

from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.scenario import find_scenario, read_scenario, shipped
from callflow.scenarios.schedule import expected_calls, schedule

ROWS = {"s1", "s2", "s3", "key", "rescued", "observe", "noise", "morning", "demo", "busy"}


@pytest.mark.parametrize("name", shipped())
def test_each_can_be_read_and_scheduled(name: str) -> None:
    scenario = read_scenario(shipped()[name])
    assert list(islice(schedule(scenario), 100))
    assert all(caller.expect.result for caller in scenario.callers), "a shipped scenario says what must come of it"


def test_every_row_that_is_implemented_is_there() -> None:
    assert set(shipped()) >= ROWS


def test_the_demo_has_twelve_different_callers() -> None:
    scenario = read_scenario(find_scenario("demo"))
    assert len({call.number for call in schedule(scenario)}) == len(scenario.callers) == 12
    assert all(caller.about for caller in scenario.callers)


def test_busy_is_a_hundred_calls_per_second() -> None:
    scenario = read_scenario(find_scenario("busy"))
    assert expected_calls(scenario) / (scenario.lasts_s or 0) == 100


def test_a_path_is_taken_as_it_is() -> None:
    assert str(find_scenario("other/place.toml")) == "other/place.toml"


def test_an_unknown_name_is_refused_with_the_way_out() -> None:
    with pytest.raises(ScenarioInvalid, match="--list"):
        find_scenario("nothing")
