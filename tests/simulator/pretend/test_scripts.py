"""FastAGI as a real Asterisk speaks it: every expected line here was taken down from Asterisk 22.10 and 16.28."""

import asyncio
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from callflow.installed import SOUNDS
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import Places
from tests.simulator.pretend.stage import Peer, in_virtual_time, scenario

PROMPT = "en/callflow/can_you_hear"
with wave.open(str(SOUNDS / "en" / "callflow" / "can_you_hear.wav")) as _file:
    SAMPLES = _file.getnframes()
NAGLE_S = 0.1

Script = Callable[[Peer, PretendAsterisk], Awaitable[None]]


def scripted(script: Script, **caller: Any) -> Outcome:
    """One English caller, screened by `script` instead of the daemon; the outcome of the call."""
    outcomes: list[Outcome] = []

    async def main() -> None:
        ran: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await script(Peer(reader, writer), asterisk)
                ran.set_result(None)
            except Exception as error:  # noqa: BLE001 - a failed assertion belongs to the test
                ran.set_exception(error)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        plan = scenario([{"name": "one", "language": "en", "number": "1050", "caller_name": "王小姐"} | caller])
        places = Places(int(server.sockets[0].getsockname()[1]))
        asterisk = PretendAsterisk(plan, places, on_outcome=outcomes.append)
        await asterisk.start(0)
        asterisk.begin()
        await ran
        await asterisk.done.wait()
        asterisk.close()
        server.close()

    in_virtual_time(main)
    (outcome,) = outcomes
    return outcome


def test_the_environment_has_every_line_in_asterisk_s_order() -> None:
    async def script(peer: Peer, asterisk: PretendAsterisk) -> None:
        head = await peer.head()
        assert list(head) == [
            f"agi_{name}"
            for name in [
                "network",
                "network_script",
                "request",
                "channel",
                "language",
                "type",
                "uniqueid",
                "version",
                "callerid",
                "calleridname",
                "callingpres",
                "callingani2",
                "callington",
                "callingtns",
                "dnid",
                "rdnis",
                "context",
                "extension",
                "priority",
                "enhanced",
                "accountcode",
                "threadid",
                "arg_1",
                "arg_2",
                "arg_3",
            ]
        ]
        assert head["agi_network_script"] == "screen"
        assert head["agi_request"] == f"agi://127.0.0.1:{asterisk.world.places.agi_port}/screen"
        assert (head["agi_callerid"], head["agi_calleridname"]) == ("1050", "王小姐")
        assert (head["agi_dnid"], head["agi_context"], head["agi_priority"]) == (
            "dial_en_support", "callflow-screen", "8",
        )  # fmt: skip
        assert [head[f"agi_arg_{number}"] for number in (1, 2, 3)] == ["support", "1", ""]

    scripted(script)


LINES = [
    ("NOOP", "200 result=0"),
    ("noop hello", "200 result=0"),
    ('SET VARIABLE FOO "bar baz"', "200 result=1"),
    ("GET VARIABLE FOO", "200 result=1 (bar baz)"),
    ("GET VARIABLE NOPE", "200 result=0"),
    ("BOGUS", "510 Invalid or unknown command"),
    ("STREAM", "510 Invalid or unknown command"),
    ("", "510 Invalid or unknown command"),
    ('STREAM FILE nope ""', "200 result=-1 endpos=0"),
    ('STREAM FILE ../../etc/passwd ""', "200 result=-1 endpos=0"),
    ("CHANNEL STATUS", "200 result=6"),
    ('VERBOSE "hi" 1', "200 result=1"),
    ('SET VARIABLE X "a\\"b"', "200 result=1"),
    ("GET VARIABLE X", '200 result=1 (a"b)'),
    ("HANGUP PJSIP/none", "200 result=-1"),
    ("SET VARIABLE FOO", "520-Invalid command syntax.  Proper usage follows:"),
]


def test_commands_are_answered_as_asterisk_answers_them() -> None:
    async def script(peer: Peer, _: PretendAsterisk) -> None:
        await peer.head()
        for command, answer in LINES:
            peer.send(f"{command}\n")
            assert await peer.line() == answer, command
        assert await peer.line() == "Sets a variable to the current channel."
        assert await peer.line() == "520 End of proper usage."

    scripted(script)


def test_a_prompt_takes_its_time_and_tells_its_last_sample() -> None:
    async def script(peer: Peer, _: PretendAsterisk) -> None:
        await peer.head()
        loop = asyncio.get_running_loop()
        for command, rest in (
            (f'STREAM FILE "{PROMPT}" ""', SAMPLES),
            (f'STREAM FILE "{PROMPT}" "" 8000', SAMPLES - 8000),
        ):
            began = loop.time()
            peer.send(f"{command}\nNOOP\n")
            assert await peer.line() == f"200 result=0 endpos={SAMPLES}"
            assert loop.time() - began == pytest.approx(rest / 8000, abs=0.005)
            assert await peer.line() == "200 result=0"

    outcome = scripted(script)
    assert next((prompt.name, prompt.language, prompt.cut) for prompt in outcome.prompts) == (
        "can_you_hear",
        "en",
        False,
    )


def test_a_stopped_prompt_ends_at_a_whole_frame() -> None:
    async def script(peer: Peer, asterisk: PretendAsterisk) -> None:
        head = await peer.head()
        ami = await Peer.to(asterisk.ami.port)
        await ami.login("off")
        stop = "Action: ControlPlayback", f"Channel: {head['agi_channel']}", "Control: stop"
        await ami.ask(*stop)  # while nothing plays: no matter, and the next prompt is not stopped by it
        peer.send(f'STREAM FILE "{PROMPT}" ""\n')
        await asyncio.sleep(1.507)
        await ami.ask(*stop)
        assert await peer.line() == "200 result=0 endpos=12160"
        ami.writer.close()

    assert scripted(script).prompts[0].cut


def test_a_hang_up_ends_the_prompt_and_then_says_so() -> None:
    async def script(peer: Peer, _: PretendAsterisk) -> None:
        await peer.head()
        peer.send('STREAM FILE "en/callflow/goodbye" ""\n')
        assert (await peer.line()).startswith("200 result=-1 endpos=1")
        assert await peer.line() == "HANGUP"
        for command, answer in (
            ("NOOP", "200 result=0"),
            (f'STREAM FILE "{PROMPT}" ""', "511 Command Not Permitted on a dead channel or intercept routine"),
            ("SET VARIABLE CALLFLOW_RESULT spoke", "200 result=1"),
            ("GET VARIABLE CALLFLOW_RESULT", "200 result=1 (spoke)"),
        ):
            peer.send(f"{command}\n")
            assert await peer.line() == answer

    outcome = scripted(script, does=[{"at": 2, "hang_up": True}])
    assert (outcome.agi_status, outcome.result, outcome.ended_by) == ("HANGUP", "spoke", "caller")
    assert outcome.prompts[0].cut


def test_a_dead_channel_stays_until_its_script_has_gone() -> None:
    async def script(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.head()
        assert await peer.line() == "HANGUP"
        await asyncio.sleep(5)
        assert len(asterisk.world.switch.channels) == 1

    outcome = scripted(script, does=[{"at": 1, "hang_up": True}])
    assert outcome.result == "hangup"
    assert outcome.ended_s > 6


async def _dies(peer: Peer, _: PretendAsterisk) -> None:
    await peer.head()
    peer.send('STREAM FILE "en/callflow/goodbye" ""\n')
    await asyncio.sleep(1)
    peer.writer.transport.abort()


async def _decides_silent(peer: Peer, _: PretendAsterisk) -> None:
    await peer.head()
    peer.send("SET VARIABLE CALLFLOW_RESULT silent\n")
    await peer.line()


async def _hangs_up(peer: Peer, _: PretendAsterisk) -> None:
    await peer.head()
    peer.send("HANGUP\n")
    assert await peer.line() == "200 result=1"
    assert await peer.line() == "HANGUP"


@pytest.mark.parametrize(
    ("script", "status", "result", "agent"),
    [
        pytest.param(_dies, "SUCCESS", "unavailable", True, id="a killed script leaves SUCCESS behind"),
        pytest.param(_decides_silent, "SUCCESS", "silent", False, id="silent ends in our own context"),
        pytest.param(_hangs_up, "HANGUP", "hangup", False, id="AGI HANGUP"),
    ],
)
def test_what_a_script_leaves_behind_decides(script: Script, status: str, result: str, agent: bool) -> None:
    outcome = scripted(script)
    assert (outcome.agi_status, outcome.result, outcome.agent) == (status, result, agent)


def test_a_caller_without_media_is_screened_half_a_second_later() -> None:
    times: list[float] = []

    async def script(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.head()
        times.append(asterisk.world.now_s())

    scripted(script)
    scripted(script, media="none")
    assert times == pytest.approx([0.0, 0.5], abs=0.02)


def test_nobody_at_the_port_is_a_failure() -> None:
    async def main() -> Outcome:
        outcomes: list[Outcome] = []
        asterisk = PretendAsterisk(scenario([{"name": "one"}]), Places(9), on_outcome=outcomes.append)
        asterisk.begin()
        await asterisk.done.wait()
        return outcomes[0]

    outcome = in_virtual_time(main)
    assert (outcome.agi_status, outcome.result, outcome.agent) == ("FAILURE", "unavailable", True)


def test_asterisk_s_death_in_mid_prompt_leaves_no_call_in_progress() -> None:
    async def script(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.head()
        peer.send('STREAM FILE "en/callflow/goodbye" ""\n')
        await asyncio.sleep(1)
        assert asterisk.status().in_progress == {"goodbye": 1}
        await asterisk.restart(0.1)
        await asyncio.sleep(0.1)
        assert asterisk.status().in_progress == {}

    assert scripted(script).result is None
