"""In talks and call-backs the pretend Asterisk sends what the real ones send: compared with captures, call by call."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.captures.capture_file import Block, Capture, read_capture
from callflow.captures.recorder import Relay
from callflow.lab.ami import AmiClient
from callflow.lab.talks.asterisk_files import additions
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.site import AMI_SECRET, AMI_USER, VERSIONS, Version
from callflow.simulator.differences import differences
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import FLAVOURS
from callflow.simulator.pretend.world import Places
from tests.labs import EACH_ASTERISK
from tests.simulator.pretend.stage import free_port, in_virtual_time
from tests.simulator.pretend.stage import scenario as made
from tests.simulator.repeated import in_every_run
from tests.simulator.talk_calls import SETS, Scene, perform, scenario
from tests.traces.make_talk_traces import FOLDER, make_talks, talk_recorder

RUNS = 3
"""A difference that occurs in every run is no chance. A run without differences is not repeated."""
TRACES = FOLDER.parent


def real(version: Version) -> list[Capture]:
    return [read_capture(path) for folder in (TRACES, FOLDER) for path in sorted((folder / version).glob("*.txt"))]


def compared(name: str, version: Version, other: Capture) -> list[str]:
    """The differences of a capture from the committed ones."""
    cousins = [capture for cousin in VERSIONS if cousin != version for capture in real(cousin)]
    return differences(read_capture(FOLDER / version / f"{name}.txt"), real(version), cousins, other)


async def _nobody(number: int, scene: Scene) -> None:
    """The pretend callers call by themselves."""


async def pretend_talks(name: str, version: Version, folder: Path) -> Capture:
    """The same scenes on the pretend Asterisk."""
    file, port = folder / f"{name}.txt", free_port()
    plan = made(**scenario(SETS[name]), dialplan=additions(5060)["extensions.conf"])
    asterisk = PretendAsterisk(plan, Places(free_port()), flavour=FLAVOURS[version])
    await asterisk.start(0)
    recorder, writer = talk_recorder(file, name, version)
    async with Relay(recorder, "ami", port, (LOOPBACK, asterisk.ami.port)):
        ami = await AmiClient.connect(port, AMI_USER, AMI_SECRET)
        asterisk.begin()
        await perform(ami, SETS[name], _nobody)
        await ami.close()
    asterisk.close()
    writer.close()
    assert asterisk.world.failures == []
    return read_capture(file)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_pretend_asterisk_says_what_a_real_one_says(name: str, version: Version, tmp_path: Path) -> None:
    pretend = in_virtual_time(lambda: pretend_talks(name, version, tmp_path))
    assert compared(name, version, pretend) == []


def pauses(capture: Capture) -> list[tuple[str, ...]]:
    """Actions, responses and events of pauses, in order; responses and events of one request by name."""
    told: list[list[tuple[str, ...]]] = [[]]
    asked = ""
    for block in capture.blocks:
        headers = block.headers
        if block.name == "QueuePause":
            asked = headers["ActionID"]
            told.append([("asked", headers["Interface"], headers["Paused"])])
        elif "Response" in headers and headers.get("ActionID") == asked:
            told[-1].append(("answered", headers["Response"], headers["Message"]))
        elif block.name == "QueueMemberPause":
            told[-1].append(("told", *(headers[name] for name in ("Queue", "Interface", "Paused", "PausedReason"))))
    return [one for group in told for one in (*group[:1], *sorted(group[1:]))]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_member_is_paused_as_by_a_real_one(version: Version, tmp_path: Path) -> None:
    really = pauses(read_capture(FOLDER / version / "pauses.txt"))
    assert len([one for one in really if one[0] == "told"]) == 4
    assert pauses(in_virtual_time(lambda: pretend_talks("pauses", version, tmp_path))) == really


@pytest.mark.lab
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("version", EACH_ASTERISK)
def test_the_captures_say_what_a_real_one_says_today(name: str, version: Version, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.txt"

    def one_run() -> list[str]:
        asyncio.run(make_talks(name, version, file))
        return compared(name, version, read_capture(file))

    assert not in_every_run(one_run, RUNS)


def test_a_call_that_is_missing_is_told(tmp_path: Path) -> None:
    capture = read_capture(FOLDER / "22" / "callbacks.txt")
    blocks = tuple(block for block in capture.blocks if "cb-answers" not in str(block))
    assert any("cb-answers" in line for line in compared("callbacks", "22", replace(capture, blocks=blocks)))


def completed(lines: Callable[[Block], tuple[str, ...]]) -> Capture:
    """The talks of 22, with the last AgentComplete rewritten, or removed if there are no lines for it."""
    capture = read_capture(FOLDER / "22" / "talks.txt")
    last = max(n for n, block in enumerate(capture.blocks) if block.name == "AgentComplete")
    blocks = [replace(block, lines=lines(block)) if n == last else block for n, block in enumerate(capture.blocks)]
    return replace(capture, blocks=tuple(block for block in blocks if block.lines))


def test_an_end_told_when_both_channels_have_gone_is_no_difference() -> None:
    nameless = next(
        block.lines
        for block in read_capture(TRACES / "22" / "races.txt").events
        if block.name == "AgentComplete" and not block.headers.keys() & {"Channel", "DestChannel"}
    )
    assert compared("talks", "22", completed(lambda _: nameless)) == []


def test_an_end_that_is_never_told_is_a_difference() -> None:
    assert any("really AgentComplete" in line for line in compared("talks", "22", completed(lambda _: ())))
