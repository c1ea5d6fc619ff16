"""The real daemon on the pretend Asterisk: every scenario of the lab must come out as it does on a real one."""

from pathlib import Path
from typing import Any

import pytest

from callflow.lab.screening.scenario import read_scenarios
from callflow.runtime.clock import Clock
from callflow.scenarios.scenario import Scenario
from callflow.simulator.pretend.clock import VirtualDaemonClock
from callflow.simulator.pretend.flavour import ASTERISK_16, ASTERISK_22, Flavour
from tests.simulator.pretend.stage import Played, play, scenario

LAB = Path(__file__).resolve().parents[2] / "lab"
LISTEN_S, PAUSE_S = 3.0, 2.0


def lab_scenarios() -> Scenario:
    callers: list[dict[str, Any]] = []
    for number, lab in enumerate(one for one in read_scenarios(LAB) if one.everywhere):
        same = {"language": lab.language, "profile": lab.profile, "route": lab.route, "media": lab.media}
        actions = [action.model_dump(exclude_defaults=True) for action in lab.caller]
        expect = lab.expect.model_dump(include={"result", "prompts", "last_cut", "ended_by", "agent"})
        callers.append({"name": lab.name, "number": str(1001 + number), "does": actions, "expect": expect} | same)
    return scenario(callers)


@pytest.fixture(params=[ASTERISK_22, ASTERISK_16], ids=["22", "16"])
def flavour(request: pytest.FixtureRequest) -> Flavour:
    found: Flavour = request.param
    return found


def test_the_lab_s_scenarios_come_out_as_on_a_real_asterisk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flavour: Flavour
) -> None:
    plan = lab_scenarios()
    played = play(monkeypatch, tmp_path, plan, flavour, tap=flavour.audio_socket)
    assert len(played.outcomes) == len(plan.callers)
    for caller in plan.callers:
        outcome, expect = played.one(caller.name), caller.expect
        assert outcome.result == expect.result, caller.name
        assert outcome.agent == expect.agent, caller.name
        assert outcome.ended_by == expect.ended_by, caller.name
        if expect.prompts is not None:
            assert tuple(prompt.name for prompt in outcome.prompts) == expect.prompts, caller.name
        if expect.last_cut is not None and outcome.prompts:
            assert outcome.prompts[-1].cut == expect.last_cut, caller.name
    silences_are_right(played)


def silences_are_right(played: Played) -> None:
    silent = [one for (one,) in played.outcomes.values() if one.result == "silent"]
    assert silent
    for outcome in silent:
        for before, after in zip(outcome.prompts, outcome.prompts[1:], strict=False):
            assert after.started_s - before.ended_s == pytest.approx(LISTEN_S, abs=0.02)
        assert outcome.ended_s - outcome.prompts[-1].ended_s == pytest.approx(PAUSE_S, abs=0.05)


def test_ten_minutes_of_calls_take_a_second_and_repeat_themselves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    callers: list[dict[str, Any]] = [
        {"name": "silent", "at_s": None, "rate_per_s": 0.05, "number": "1001-1020"},
        {"name": "speaks", "at_s": None, "rate_per_s": 0.05, "does": [{"at": 3, "sound": "speech"}]},
    ]
    plan = scenario(callers, lasts_s=600, agents={"rings": 2, "talk_s": 60})
    for turn in ("1", "2"):
        (tmp_path / turn).mkdir()
    first, second = (play(monkeypatch, tmp_path / turn, plan, ASTERISK_16) for turn in ("1", "2"))
    assert {one.result for one in first.outcomes["silent"]} == {"silent"}
    assert {one.result for one in first.outcomes["speaks"]} == {"spoke"}
    assert len(first.outcomes["silent"]) > 15
    told = [
        [(one.index, round(one.placed_s, 2), one.result) for one in it.outcomes["silent"]] for it in (first, second)
    ]
    assert told[0] == told[1]


def test_further_callers_wait_for_a_free_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = scenario([{"name": "silent", "at_s": [0, 0, 0, 0, 0], "number": "1001-1005"}], lines=2)
    calls = play(monkeypatch, tmp_path, plan).outcomes["silent"]
    assert len(calls) == 5
    for call in calls:
        assert sum(other.placed_s <= call.placed_s < other.ended_s for other in calls) <= 2


def test_the_virtual_clock_can_do_what_the_daemon_s_clock_can() -> None:
    public = [{name for name in dir(kind) if not name.startswith("_")} for kind in (Clock, VirtualDaemonClock)]
    assert public[0] == public[1]
