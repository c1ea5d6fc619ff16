"""The daemon is killed, stalled or cut off from AMI at any moment of assistance: talks go on, nothing of ours remains.

In every third talk the caller is on hold, the last of them within some milliseconds of the talk's beginning: the music
goes on as well, or callflow says that it may not (test_early_hold.py).

`CALLFLOW_ROUNDS=20 python -m pytest tests/lab_assist/test_faults.py` begins 600 talks on each release; another
`CALLFLOW_SEED` places the faults at other moments.
"""

import asyncio
import os
import time
from random import Random

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import Span
from callflow.lab.phone.media import tone
from callflow.lab.proxy import Proxy
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.lab_assist.stage import (
    AGENT_HZ,
    Talk,
    music_doubted,
    music_lasts,
    music_ok,
    own_channels,
    unbroken,
    watch_machine,
)
from tests.labs import EACH_ASTERISK

ROUNDS = int(os.environ.get("CALLFLOW_ROUNDS", "1"))
SEED = int(os.environ.get("CALLFLOW_SEED", "16"))
TALKS = 10
HELD = 3
FAULTS = ("kill", "stall", "cut")
PROMPT_S = 5.0
"""A prompt that has begun is played to its end."""
TEST_CALL_S = 15.0
"""The daemon's own test call, which a new connection begins, lasts for up to 5 s."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120 + 90 * ROUNDS)]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_talks_go_on_whatever_happens_to_the_daemon(version: Version) -> None:
    random = Random(SEED)
    async with talk_lab(version) as talks, talks.lab.ami_proxy() as proxy:
        changes = {"ami": {"port": proxy.port}, "profiles": {"default": {"assist": "prompt"}}}
        daemon = await talks.lab.start_daemon(changes)
        stalls: list[Span] = []
        watching = asyncio.create_task(watch_machine(stalls))
        agent = talks.agent()
        agent.tone_hz = 0
        for number in range(ROUNDS * len(FAULTS)):
            sides = await begin(talks, number)
            held_at: dict[int, float] = {}
            for one, (_, there) in enumerate(sides):
                if one % HELD == 0:
                    await there.hold()
                    held_at[one] = time.time()
                else:
                    there.media.play(tone(AGENT_HZ))
            await asyncio.sleep(random.uniform(0.1, 7.0))
            await strike(FAULTS[number % len(FAULTS)], daemon, proxy)
            await asyncio.sleep(PROMPT_S)
            assert {side.state for pair in sides for side in pair} == {State.TALKING}
            if not daemon.running:
                assert own_channels(talks.ami) == []
                await daemon.start()
            ended_at = time.time()
            for one, (call, there) in enumerate(sides):
                talk = Talk(talks, daemon, call, there, stalls)
                if one in held_at:
                    if not music_doubted(talk, await talks.uniqueid(number_of(number, one))):
                        music_ok(talk)
                        assert music_lasts(talk, held_at[one], ended_at)
                else:
                    unbroken(talk)
                await call.hang_up()
            await none_remains(talks)
        watching.cancel()


async def none_remains(talks: TalkLab) -> None:
    """Until no channel of callflow is left, including the test call of a new connection. Raises TimeoutError."""
    async with asyncio.timeout(TEST_CALL_S):
        while True:
            if not own_channels(talks.ami):
                return
            await asyncio.sleep(0.1)


async def begin(talks: TalkLab, number: int) -> list[tuple[Call, Call]]:
    """So many talks with one agent's phone."""
    agent = talks.bank.phones[AGENTS[0]]
    sides = []
    for caller in range(TALKS):
        phone = talks.phone(number_of(number, caller))
        phone.tone_hz = 0
        sides.append(await talks.talk(phone, agent, f"line_{AGENTS[0]}"))
    return sides


def number_of(number: int, caller: int) -> str:
    """The phone number of this caller of the round with this number."""
    return f"13{number:02}{caller:02}"


async def strike(fault: str, daemon: Daemon, proxy: Proxy) -> None:
    match fault:
        case "kill":
            await daemon.kill()
        case "stall":
            daemon.stall()
            await asyncio.sleep(4.0)
            daemon.resume()
        case _:
            proxy.cut()
