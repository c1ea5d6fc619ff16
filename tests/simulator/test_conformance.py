"""The pretend Asterisk sends what the real ones send: compared with captures, call by call and header by header."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from callflow.captures.capture_file import Block, Capture, read_capture
from callflow.scenarios.site import VERSIONS, Version
from callflow.simulator.differences import TOLERANCE_S, differences
from tests.labs import EACH_ASTERISK
from tests.simulator.pretend_traces import SETS, pretend_capture
from tests.simulator.repeated import in_every_run
from tests.traces.make_traces import MAKERS, MachineStalled, lateness_ms, make_one

RUNS = 3
"""Two runs of one Asterisk may differ: its threads race in a way that no capture has shown yet, or its machine has
stalled. A difference that occurs in every run is no chance."""
TRACES = Path(__file__).parents[1] / "traces"
pytestmark = pytest.mark.timeout(600)


def real(version: Version) -> list[Capture]:
    return [read_capture(path) for path in sorted((TRACES / version).glob("*.txt"))]


def compared(name: str, version: Version, other: Capture, tolerance_s: float = TOLERANCE_S) -> list[str]:
    """The differences of a capture from the committed ones."""
    cousins = [capture for cousin in VERSIONS if cousin != version for capture in real(cousin)]
    return differences(read_capture(TRACES / version / f"{name}.txt"), real(version), cousins, other, tolerance_s)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    "version", [pytest.param(version, marks=pytest.mark.xdist_group(f"pretend-{version}")) for version in VERSIONS]
)
def test_the_pretend_asterisk_says_what_a_real_one_says(name: str, version: Version, tmp_path: Path) -> None:
    def one_run() -> list[str]:
        pretend = asyncio.run(pretend_capture(name, version, Path(mkdtemp(dir=tmp_path))))
        late_s = lateness_ms(pretend) / 1000  # a delay of the daemon on this machine, not of Asterisk
        return compared(name, version, pretend, TOLERANCE_S + late_s)

    assert not in_every_run(one_run, RUNS)


@pytest.mark.lab
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("version", EACH_ASTERISK)
def test_the_captures_say_what_a_real_one_says_today(name: str, version: Version, tmp_path: Path) -> None:
    maker = next(maker for maker in MAKERS if maker.__name__ == name)
    file = tmp_path / version / f"{name}.txt"

    def one_run() -> list[str]:
        with suppress(MachineStalled):  # then it is seen whether that makes a difference
            asyncio.run(make_one(maker, version, file, tries=1))
        return compared(name, version, read_capture(file))

    assert not in_every_run(one_run, RUNS)


# -- the comparison finds every difference ----------------------------------------------------------------------------

Change = Callable[[Block], Block | None]


def spoiled(change: Change) -> list[str]:
    """The differences of a real capture from itself after `change`; None takes a block away."""
    capture = read_capture(TRACES / "22" / "scenarios.txt")
    blocks = tuple(new for block in capture.blocks if (new := change(block)) is not None)
    return compared("scenarios", "22", replace(capture, blocks=blocks))


def on(name: str, rewrite: Callable[[str], str | None]) -> Change:
    """Rewrite each line of the events of this name."""

    def change(block: Block) -> Block:
        if block.name != name:
            return block
        lines = tuple(new for line in block.lines if (new := rewrite(line)) is not None)
        return replace(block, lines=lines)

    return change


def first(name: str) -> Change:
    """Take the first event of this name away."""
    gone: list[Block] = []

    def change(block: Block) -> Block | None:
        if block.name == name and not gone:
            gone.append(block)
            return None
        return block

    return change


def test_a_capture_does_not_differ_from_itself() -> None:
    assert spoiled(lambda block: block) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (first("ChannelTalkingStop"), "ChannelTalkingStop"),
        (first("Newstate"), "Newstate"),
        (on("Hangup", lambda line: None if line.startswith("Cause-txt") else line), "['Cause-txt'] missing"),
        (on("Hangup", lambda line: line.replace("Cause: 16", "Cause: 0x10")), "Cause is ['0x10']"),
        (on("Newchannel", lambda line: line.replace("Language: ", "Lang: ")), "headers ['Lang'] are too many"),
        (on("DTMFBegin", lambda line: line.replace("Received", "received")), "Direction is ['received']"),
        (on("Newchannel", lambda line: line.split(".")[0] if line.startswith("Uniqueid") else line), "Uniqueid is"),
        (on("UserEvent", lambda line: line.replace("Result: silent", "Result: spoke")), "results"),
        (lambda block: replace(block, lines=("200 result=1",)) if "endpos" in str(block) else block, "FastAGI"),
        (
            lambda block: replace(block, lines=tuple(reversed(block.lines))) if "agi_request" in str(block) else block,
            "agi_",
        ),
        (lambda b: replace(b, lines=tuple(x.replace("Variable Set", "OK") for x in b.lines)), "Message is ['OK']"),
    ],
)
def test_a_difference_is_told(change: Change, problem: str) -> None:
    assert any(problem in line for line in spoiled(change))


def test_an_event_that_comes_too_late_is_told() -> None:
    def later(line: str) -> str:
        name, _, value = line.partition(": ")
        return f"{name}: {float(value) + 0.15:.6f}" if name == "Timestamp" else line

    assert any("ChannelTalkingStart at" in line for line in spoiled(on("ChannelTalkingStart", later)))


def test_an_order_never_seen_is_told() -> None:
    capture = read_capture(TRACES / "22" / "agents.txt")
    blocks = list(capture.blocks)
    begin = next(n for n, block in enumerate(blocks) if block.name == "DialBegin" and "PJSIP/agent" in str(block))
    state = next(n for n, block in enumerate(blocks) if n > begin and block.name == "DialState")
    stamps = [next(line for line in blocks[n].lines if line.startswith("Timestamp")) for n in (begin, state)]
    swap = dict(zip(stamps, reversed(stamps), strict=True))
    for number in (begin, state):
        lines = tuple(swap.get(line, line) for line in blocks[number].lines)
        blocks[number] = replace(blocks[number], lines=lines)
    blocks[begin], blocks[state] = blocks[state], blocks[begin]
    problems = compared("agents", "22", replace(capture, blocks=tuple(blocks)))
    assert any("DialState before DialBegin, an order that no real Asterisk has shown" in line for line in problems)
