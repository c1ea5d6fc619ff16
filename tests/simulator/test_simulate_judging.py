"""What was seen of a call against what its scenario expects; counting; the report."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from callflow.scenarios.behaviour import Expected
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.report import report, write_report
from callflow.scenarios.scenario import find_scenario, read_scenario
from callflow.scenarios.seen import HeardPrompt, SeenCall
from callflow.scenarios.tables import closing_table, disagreement_lines, summary
from callflow.scenarios.tally import KEPT, Tally

WHOLE = HeardPrompt("greeting")
CUT = HeardPrompt("greeting", cut=True)
SPOKE = SeenCall("a", "1001", 0, "spoke", (CUT,), "asterisk", agent=True, reaction_s=0.3)


def printed(thing: Any, width: int = 120) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(thing)
    return captured.get()


class TestJudging:
    @pytest.mark.parametrize(
        ("expect", "word"),
        [
            ({"result": "silent"}, "result spoke, expected silent"),
            ({"agent": False}, "agent reached"),
            ({"ended_by": "caller"}, "ended by asterisk"),
            ({"prompts": ["greeting", "goodbye"]}, "prompts ['greeting']"),
            ({"last_cut": False}, "the last prompt was cut"),
        ],
    )
    def test_whatever_differs_is_said(self, expect: dict[str, Any], word: str) -> None:
        seen = SPOKE.judge(Expected.model_validate(expect))
        assert not seen.passed
        assert [word in line for line in seen.disagreements] == [True]

    def test_what_is_as_expected_passes(self) -> None:
        expect = {"result": "spoke", "agent": True, "ended_by": "asterisk", "prompts": ["greeting"], "last_cut": True}
        assert SPOKE.judge(Expected.model_validate(expect)).passed

    def test_what_is_not_expected_is_not_judged(self) -> None:
        assert SPOKE.judge(Expected()).passed

    def test_what_cannot_be_seen_is_not_judged_but_for_the_result(self) -> None:
        unseen = SeenCall("a", "1001")
        assert unseen.judge(Expected(agent=True, ended_by="caller", prompts=("greeting",), last_cut=True)).passed
        assert not unseen.judge(Expected(result="spoke")).passed


class TestCounting:
    def test_every_call_once(self) -> None:
        tally = Tally(placed=3)
        for seen in (
            SPOKE,
            SPOKE.with_disagreements(["late"]),
            SeenCall("b", "1002", 2, "silent", (WHOLE,), "asterisk", False),
        ):
            tally.add(seen)
        assert (tally.ended, tally.passed, tally.lost, tally.succeeded) == (3, 2, 0, False)
        assert tally.results == {"spoke": 2, "silent": 1}
        assert tally.groups["a"].first_disagreement == "late"

    def test_a_call_that_never_ended_is_lost(self) -> None:
        tally = Tally(placed=2)
        tally.add(SPOKE)
        assert tally.lost == 1
        assert not tally.succeeded
        assert "1 were lost" in summary(tally)

    def test_what_nobody_could_tell_is_neither_right_nor_wrong(self) -> None:
        tally = Tally(placed=1)
        tally.add(SeenCall("a", "1001", judged=False))
        assert (tally.passed, tally.unjudged, tally.succeeded) == (0, 1, True)
        assert "0 of 1 as expected. 1 could not be judged" in summary(tally)

    def test_memory_does_not_grow_with_the_calls(self) -> None:
        tally = Tally(placed=KEPT + 5)
        for _ in range(KEPT + 5):
            tally.add(SPOKE.with_disagreements(["late"]))
        assert len(tally.calls) == len(tally.disagreeing) == KEPT
        assert tally.ended == KEPT + 5


class TestShowing:
    def test_a_few_calls_are_shown_one_by_one_in_order(self) -> None:
        tally = Tally(placed=2)
        tally.add(SeenCall("second", "1002", 1, "silent", (WHOLE,), "asterisk", False))
        tally.add(SPOKE)
        shown = printed(closing_table(tally, "a witness"))
        assert shown.index("S1✂") < shown.index("second")
        assert "300 ms" in shown

    @pytest.mark.parametrize("width", [80, 120])
    def test_the_demo_callers_can_be_told_apart(self, width: int) -> None:
        names = [caller.name for caller in read_scenario(find_scenario("demo")).callers]
        lines = printed(closing_table(self.demo(names), "a witness"), width).splitlines()
        assert [line.split()[0] for line in lines if " S1 S2 S3✂ " in line] == names
        assert sum("unavailable" in line and "caller left" in line and "yes" in line for line in lines) == len(names)
        assert not any("…" in line or len(line) > width for line in lines)

    def test_a_long_name_goes_on_below(self) -> None:
        names = [f"{'a-caller-with-a-long-name-' * 2}{number}" for number in range(3)]
        shown = printed(closing_table(self.demo(names), "a witness"), 80)
        assert "…" not in shown
        letters = "".join(line.split("  ")[0].strip() for line in shown.splitlines())
        assert all(name in letters for name in names)

    @staticmethod
    def demo(names: list[str]) -> Tally:
        """One call of each of these callers, with the longest words that there are."""
        tally, heard = Tally(placed=len(names)), (WHOLE, HeardPrompt("can_you_hear"), HeardPrompt("goodbye", cut=True))
        for number, name in enumerate(names):
            tally.add(SeenCall(name, str(1001 + number), number, "unavailable", heard, "caller", False, 0.412))
        return tally

    def test_many_calls_are_shown_by_group(self) -> None:
        tally = Tally(placed=50)
        for _ in range(50):
            tally.add(SPOKE.with_disagreements(["[late]"]))
        shown = printed(closing_table(tally, "a witness"))
        assert "50 spoke" in shown
        assert "50 not" in shown
        assert disagreement_lines(tally)[0] == "a (1001): [late]"
        assert disagreement_lines(tally)[-1] == "and 40 more"


class TestReport:
    def test_it_is_json_with_every_call(self, tmp_path: Path) -> None:
        tally = Tally(placed=1, lasted_s=2.0)
        tally.add(SPOKE)
        scenario = read_scenario(find_scenario("demo"))
        write_report(tmp_path / "a.json", report(scenario, tally, "22", datetime(2025, 1, 1, tzinfo=UTC)))
        told = json.loads((tmp_path / "a.json").read_text("utf-8"))
        assert told["passed"] is True
        assert told["calls_per_s"] == 0.5
        assert told["results"] == {"spoke": 1}
        assert told["groups"]["a"]["as_expected"] == 1
        assert told["calls"][0]["prompts"] == [{"name": "greeting", "cut": True}]

    def test_a_thousand_calls_are_enough(self) -> None:
        tally = Tally(placed=KEPT + 1)
        for _ in range(KEPT + 1):
            tally.add(SPOKE)
        assert "calls" not in report(read_scenario(find_scenario("demo")), tally, "22", datetime.now(UTC))

    def test_a_file_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(SimulationFailed, match="cannot be written"):
            write_report(tmp_path / "none" / "a.json", {})
