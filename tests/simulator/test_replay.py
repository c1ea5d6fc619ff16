"""Replays every capture of a real Asterisk: the same decisions, and no caller harmed from any starting point."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.captures.capture_file import Block, Capture, read_capture
from callflow.captures.judging import Judge
from callflow.captures.replay import Replay, procedures_of, recorded

TRACES = Path(__file__).parents[1] / "traces"
CAPTURES = [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in sorted(TRACES.glob("*/*.txt"))]


def replayed(capture: Capture) -> Replay:
    procedures = procedures_of(capture)
    assert procedures is not None
    return Replay(capture, procedures)


def without(capture: Capture, unwanted: Callable[[Block], bool]) -> Capture:
    return replace(capture, blocks=tuple(block for block in capture.blocks if not unwanted(block)))


def call_with(capture: Capture, result: str) -> str:
    """The call id of the first call given back with this result."""
    return next(decision.call_id for decision in recorded(capture) if decision.what == f"release {result}")


@pytest.mark.parametrize("path", CAPTURES)
def test_from_the_start_the_core_decides_what_the_daemon_decided(path: Path) -> None:
    capture = read_capture(path)
    played = replayed(capture).run()
    assert not Judge(capture).judge(0, played).wrong
    assert played.decisions, "a capture with nothing to decide proves nothing"


@pytest.mark.parametrize("path", CAPTURES)
def test_from_every_later_start_nobody_is_done_wrong(path: Path) -> None:
    capture = read_capture(path)
    replay, judge = replayed(capture), Judge(capture)
    wrong = {
        first: verdict.wrong
        for first in range(1, len(capture.blocks))
        if (verdict := judge.judge(first, replay.run(first))).wrong
    }
    assert not wrong


@pytest.mark.parametrize("version", ["22", "16"])
def test_the_captures_show_every_outcome(version: str) -> None:
    captures = [read_capture(path) for path in sorted((TRACES / version).glob("*.txt"))]
    results = {decision.what for capture in captures for decision in recorded(capture)}
    ends = ("spoke", "key", "rescued", "silent", "observed", "off", "unavailable")
    assert {f"release {end}" for end in ends} <= results
    outcomes = {result for capture in captures for result in replayed(capture).run().results.values()}
    assert {"hangup", "taken"} <= outcomes


def test_the_captures_are_small() -> None:
    assert sum(path.stat().st_size for path in TRACES.glob("*/*.txt")) < 3_000_000


# -- the judge finds what is wrong ------------------------------------------------------------------------------------


@pytest.fixture
def scenarios() -> Capture:
    return read_capture(TRACES / "22" / "scenarios.txt")


@pytest.mark.parametrize("result", ["spoke", "key", "rescued"])
def test_a_sign_of_life_taken_out_is_noticed(scenarios: Capture, result: str) -> None:
    call_id = call_with(scenarios, result)

    def signs(block: Block) -> bool:
        return (
            block.is_event and block.headers.get("Uniqueid") == call_id and block.name.startswith(("ChannelT", "DTMF"))
        )

    deaf = without(scenarios, signs)
    assert any(call_id in line for line in Judge(scenarios).judge(0, replayed(deaf).run()).wrong)


def test_a_prompt_that_ends_later_is_noticed(scenarios: Capture) -> None:
    call_id = call_with(scenarios, "silent")
    (wire,) = (b.wire for b in scenarios.blocks if b.what == "<" and b.environment.get("agi_uniqueid") == call_id)
    moved = tuple(
        replace(b, at_s=b.at_s + 0.2) if b.wire == wire and b.lines and "endpos" in b.lines[0] else b
        for b in scenarios.blocks
    )
    late = replace(scenarios, blocks=tuple(sorted(moved, key=lambda block: block.at_s)))
    assert any(call_id in line for line in Judge(scenarios).judge(0, replayed(late).run()).wrong)


def test_a_hang_up_that_was_none_is_noticed(scenarios: Capture) -> None:
    call_id = call_with(scenarios, "silent")
    played = replayed(scenarios).run()
    asked = ('SET VARIABLE "CALLFLOW_RESULT" "silent"',)
    (wire,) = (b.wire for b in scenarios.blocks if b.what == "<" and b.environment.get("agi_uniqueid") == call_id)
    spoke = tuple(
        replace(b, lines=('SET VARIABLE "CALLFLOW_RESULT" "spoke"',)) if b.wire == wire and b.lines == asked else b
        for b in scenarios.blocks
    )
    wrong = Judge(replace(scenarios, blocks=spoke)).judge(1, played).wrong
    assert f"{call_id} was hung up on; the daemon had spoke" in wrong
