"""Scenario files: what they mean, and that every mistake is reported with file, line and remedy."""

from datetime import time
from math import inf
from pathlib import Path

import pytest

from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.scenario import AgentGroup, CallerGroup, Scenario, read_scenario

WHOLE = """\
purpose = "A quiet morning with some silent callers."
seed = 7
lasts_s = 60

[agents]
does = "answer"
rings = 1.0

[[callers]]
name = "late"
at_s = [0, 2]
number = "1001-1003"
does = [
    { at = "goodbye+0.5", sound = "speech", level_dbov = -26 },
    { at = 3, key = "5" },
]
expect = { result = "rescued", agent = true }

[[callers]]
name = "many"
rate_per_s = 0.2
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "morning.toml"
    path.write_text(text, "utf-8")
    return path


def refused(tmp_path: Path, text: str) -> ScenarioInvalid:
    with pytest.raises(ScenarioInvalid) as caught:
        read_scenario(written(tmp_path, text))
    return caught.value


def caller(**keys: object) -> CallerGroup:
    return CallerGroup.model_validate({"name": "a", "at_s": 0} | keys)


class TestReading:
    def test_a_whole_file(self, tmp_path: Path) -> None:
        scenario = read_scenario(written(tmp_path, WHOLE))
        assert (scenario.name, scenario.seed, scenario.lasts_s) == ("morning", 7, 60)
        assert scenario.agent(0).rings_for_s == 5.0
        late, many = scenario.callers
        assert [action.at for action in late.does] == ["goodbye+0.5", "3"]
        assert late.expect.result == "rescued"
        assert late.entry == "dial_zh_support"
        assert many.expect.result is None

    def test_one_of_a_kind_needs_no_brackets(self) -> None:
        assert caller(at_s=3).at_s == (3.0,)

    def test_agents_in_a_list_take_turns(self) -> None:
        scenario = Scenario.model_validate(
            {
                "name": "a",
                "purpose": "two kinds of agents",
                "agents": [{"does": "answer"}, {"does": "ignore"}],
                "callers": [{"name": "a", "at_s": 0}],
            }
        )
        assert [scenario.agent(turn).does for turn in range(3)] == ["answer", "ignore", "answer"]

    def test_ringing_in_rings_or_seconds(self) -> None:
        assert AgentGroup().rings_for_s == 0.5
        assert AgentGroup(rings=2).rings_for_s == 10
        assert AgentGroup(ring_s=3).rings_for_s == 3

    def test_a_caller_may_stay_for_ever(self) -> None:
        assert caller(stays_s=inf).stays_s == inf

    def test_the_day_starts_at_a_time_of_day(self) -> None:
        group = CallerGroup.model_validate({"name": "a", "per_hour": [1] * 24, "day_starts_at": "08:30"})
        assert group.day_starts_at == time(8, 30)


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "taken"),
        [
            ("1001", ["1001", "1001", "1001"]),
            ("1001-1002", ["1001", "1002", "1001"]),
            ("0099-0100", ["0099", "0100", "0099"]),
            ("+15550100-+15550101", ["+15550100", "+15550101", "+15550100"]),
            ("", ["", "", ""]),
        ],
    )
    def test_are_taken_in_turn(self, number: str, taken: list[str]) -> None:
        assert [caller(number=number).number_of(turn) for turn in range(3)] == taken

    @pytest.mark.parametrize("number", ["12a", "1-", "5-3", "1 2", "1001-1002-1003", "1" * 16])
    def test_that_are_none_are_refused(self, number: str) -> None:
        with pytest.raises(ValueError, match="number"):
            caller(number=number)


class TestMistakes:
    @pytest.mark.parametrize(
        ("right", "wrong", "line", "words"),
        [
            ("rings", "rigns", 7, ["agents.rigns: there is no such key", "did you mean 'rings'?"]),
            ("seed = 7", "sead = 7", 2, ["sead", "did you mean 'seed'?"]),
            ("key =", "kye =", 15, ["callers[1].does[2].kye", "did you mean 'key'?"]),
            ("at = 3", 'at = "lunch"', 15, ["'lunch' is no time", "goodbye"]),
            ("at = 3", "at = -1", 15, ["'-1' is no time"]),
            ("at = 3", "at = inf", 15, ["'inf' is no time"]),
            ('sound = "speech"', 'sound = "shout"', 14, ["does[1].sound", "'shout'"]),
            ('key = "5"', 'key = "5", hang_up = true', 15, ["exactly one of"]),
            ("rate_per_s = 0.2", "at_s = [1, -2]", 21, ["callers[2].at_s[2]", "-2"]),
            ("rate_per_s = 0.2", 'number = "5"', 19, ["exactly one of at_s, rate_per_s and per_hour", "none"]),
            ("rate_per_s = 0.2", "rate_per_s = 1\nat_s = 2", 19, ["at_s and rate_per_s are there"]),
            ("rate_per_s = 0.2", "per_hour = [1, 2]", 21, ["2 of them, where 24 are wanted"]),
            ("rate_per_s = 0.2", 'at_s = 1\nday_starts_at = "08:00"', 19, ["day_starts_at goes with per_hour"]),
            ("rate_per_s = 0.2", f'per_hour = {[1] * 24}\nday_starts_at = "25:00"', 22, ["day_starts_at"]),
            ("rings = 1.0", "rings = 1.0\nring_s = 2", 5, ["the same thing"]),
            ('result = "rescued"', 'result = "saved"', 17, ["expect.result", "'saved'"]),
            ('number = "1001-1003"', 'number = "1003-1001"', 12, ["backwards"]),
            ('number = "1001-1003"', "caller_name = 'a\"b'", 12, ["caller_name"]),
            ("lasts_s = 60", "", None, ["'many' never end"]),
            ("lasts_s = 60", "lasts_s = 1", None, ["'late' call after lasts_s = 1"]),
            ('name = "many"', 'name = "late"', None, ["two groups of callers are called late"]),
            ("seed = 7", 'name = "x"', 2, ["no key 'name'"]),
            ("[[callers]]", "[[callers", 9, ["cannot be read as TOML"]),
            ("seed = 7", "seed = ", 2, ["cannot be read as TOML"]),
        ],
    )
    def test_are_told_with_file_line_and_remedy(
        self, tmp_path: Path, right: str, wrong: str, line: int | None, words: list[str]
    ) -> None:
        error = refused(tmp_path, WHOLE.replace(right, wrong, 1))
        where = f"{tmp_path}/morning.toml" + (f", line {line}: " if line else ": ")
        assert error.problem.startswith(where), error
        assert error.remedy
        assert all(word in str(error) for word in words), error
        assert "\n" not in error.problem.removesuffix("\n")

    def test_several_at_once_are_counted(self, tmp_path: Path) -> None:
        error = refused(tmp_path, WHOLE.replace("seed", "sead").replace('"late"', '"late night"'))
        assert "and 1 more mistake" in str(error)

    def test_no_callers(self, tmp_path: Path) -> None:
        assert "callers: is missing" in str(refused(tmp_path, 'purpose = "nobody calls"'))

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ScenarioInvalid, match="No such file"):
            read_scenario(tmp_path / "none.toml")

    def test_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "a.toml"
        path.write_bytes(b"purpose = \xff")
        with pytest.raises(ScenarioInvalid, match="not UTF-8"):
            read_scenario(path)
