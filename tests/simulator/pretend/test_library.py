"""The scenarios that come with the project, with the real daemon and its second ear, in virtual time."""

from pathlib import Path

import pytest

from callflow.scenarios.scenario import read_scenario, shipped
from callflow.scenarios.schedule import expected_calls
from callflow.simulator.run_pretend import seen_of
from tests.simulator.pretend.stage import play

MOST_CALLS = 20
SCENARIOS = {name: read_scenario(path) for name, path in shipped().items()}
FEW = [
    name
    for name, scenario in SCENARIOS.items()
    if expected_calls(scenario) <= MOST_CALLS and not scenario.needs_own_daemon
]


@pytest.mark.parametrize("name", FEW)
def test_every_call_ends_as_its_scenario_says(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    played = play(monkeypatch, tmp_path, scenario, tap=True)
    wrong = {
        f"{caller.name}: {problem}"
        for caller in scenario.callers
        for outcome in played.outcomes[caller.name]
        for problem in seen_of(outcome).judge(caller.expect).disagreements
    }
    assert not wrong
