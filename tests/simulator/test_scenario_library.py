"""The scenarios that come with the project."""

import re
from itertools import islice

import pytest

from callflow.scenarios.behaviour import Expected
from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.scenario import find_scenario, read_scenario, shipped
from callflow.scenarios.schedule import expected_calls, schedule

ROWS = {"s1", "s2", "s3", "key", "rescued", "observe", "noise", "morning", "demo", "busy"}
AFTER_THE_CALL = {
    "repeated",
    "hung-up-on",
    "offer",
    "keep-place",
    "cases",
    "by-hand",
    "customer-first",
    "ratings",
    "spoken-name",
}


@pytest.mark.parametrize("name", shipped())
def test_each_can_be_read_and_scheduled(name: str) -> None:
    scenario = read_scenario(shipped()[name])
    assert list(islice(schedule(scenario), 100)) or scenario.commands
    judged = [caller.expect.result or (caller.dials and caller.expect != Expected()) for caller in scenario.callers]
    assert all(judged), "a shipped scenario says what must come of it"
    assert judged or scenario.callbacks


def test_every_row_that_is_implemented_is_there() -> None:
    assert set(shipped()) >= ROWS | AFTER_THE_CALL


def test_every_procedure_has_a_scenario_that_names_its_row() -> None:
    named = set()
    for path in shipped().values():
        for first, last in re.findall(r"\b([SQDPA]\d)(?:-([SQDPA]\d))?", read_scenario(path).purpose):
            named |= {f"{first[0]}{number}" for number in range(int(first[1]), int((last or first)[1]) + 1)}
    rows = {"S": (1, 3), "Q": (1, 6), "D": (1, 8), "P": (2, 3), "A": (1, 4)}
    assert named == {f"{row}{number}" for row, (first, last) in rows.items() for number in range(first, last + 1)}


@pytest.mark.parametrize("name", sorted(AFTER_THE_CALL))
def test_what_is_left_after_the_calls_is_judged(name: str) -> None:
    assert read_scenario(shipped()[name]).has_aftercare


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
