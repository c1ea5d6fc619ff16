"""An agent holds in the first second of a talk, at any instant: the caller's music lasts.

callflow is setting its ears then, and in a native bridge everything that is attached to a channel ends its music. What
is left is the moment in which Asterisk sets the first ear, some milliseconds after the beginning, or as much later as
AMI is slow: callflow then says that the music may have ended.

`CALLFLOW_ROUNDS=10 python -m pytest tests/lab_assist/test_early_hold.py -s` holds ten times as often, and prints what
became of each.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from callflow.lab.phone.call import State
from callflow.lab.phone.heard import Span
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.lab_assist.stage import Talk, music_doubted, music_lasts, own_channels, watch_machine
from tests.labs import EACH_ASTERISK

ROUNDS = int(os.environ.get("CALLFLOW_ROUNDS", "1"))
BESIDE = 10
"""Talks at the same time."""
INSTANTS = 50
ENTRY, AGENT = "line_8001", "8001"
"""A native bridge."""
HELD_S = 4.5
"""Long enough for `one_moment`, which waits for a pause of 0.6 s."""
FIRST_EAR_S = 0.2
"""The first ear is set, on a busy machine, too."""
SETTLED_S = 0.4
"""The ears are set: the caller hears a prompt."""

STORED_S = 1.0
"""Within so long the steps are in the database."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120 + 60 * ROUNDS)]


@dataclass(frozen=True)
class Held:
    """What became of one hold."""

    after_s: float
    """From the bridge, by Asterisk's clock."""
    lasts: bool
    doubted: bool
    """callflow says that the music may have ended."""
    said: str
    """The outcome of `one_moment`."""


@pytest.mark.parametrize("slow_s", [0.0, 0.1], ids=["", "slow AMI"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_hold_at_any_instant_of_the_first_second_keeps_its_music(version: Version, slow_s: float) -> None:
    instants = [(number + 0.5) / (INSTANTS * ROUNDS) for number in range(INSTANTS * ROUNDS)]
    batches = len(instants) // BESIDE
    held: list[Held] = []
    stalls: list[Span] = []
    async with talk_lab(version) as talks, talks.lab.ami_proxy() as proxy:
        changes = {"ami": {"port": proxy.port}, "profiles": {"default": {"assist": "prompt"}}}
        daemon = await talks.lab.start_daemon(changes)
        proxy.slow(slow_s)
        watching = asyncio.create_task(watch_machine(stalls))
        talks.agent().tone_hz = 0
        for batch in range(batches):
            held += await some_held(talks, daemon, instants[batch::batches], f"14{batch:02}", stalls)
        watching.cancel()
        assert own_channels(talks.ami) == []
    held.sort(key=lambda one: one.after_s)
    for one in held:
        print(one)
    lost = [one for one in held if not one.lasts]
    print(f"{version}, AMI {slow_s} s away: {len(lost)} of {len(held)} lost; {Counter(one.said for one in held)}")
    assert all(one.doubted for one in lost), "callflow does not know that the music has ended"
    if not slow_s:
        assert [one for one in lost if one.after_s > FIRST_EAR_S] == []
        assert {one.said for one in held if one.after_s > SETTLED_S} == {"reached"}


async def some_held(
    talks: TalkLab, daemon: Daemon, instants: Sequence[float], numbers: str, stalls: list[Span]
) -> list[Held]:
    """Talks beside each other, each held so long after its beginning."""
    holds = []
    for one, after_s in enumerate(instants):
        phone = talks.phone(f"{numbers}{one:02}")
        phone.tone_hz = 0
        call, there = await talks.talk(phone, talks.bank.phones[AGENT], ENTRY)
        made = Talk(talks, daemon, call, there, stalls)
        holds.append(asyncio.create_task(hold(made, await talks.uniqueid(phone.number), after_s)))
    ended = await asyncio.gather(*holds)
    await asyncio.sleep(STORED_S)
    return [judged(*one) for one in ended]


async def hold(talk: Talk, uniqueid: str, after_s: float) -> tuple[Talk, str, float]:
    """Hold, take back and hang up: the talk, the caller's uniqueid, and the end of the hold."""
    await asyncio.sleep(after_s)
    await talk.agent.hold()
    await asyncio.sleep(HELD_S)
    ended_at = time.time()
    await talk.agent.resume()
    assert talk.agent.state is talk.caller.state is State.TALKING
    await talk.caller.hang_up()
    return talk, uniqueid, ended_at


def judged(talk: Talk, uniqueid: str, ended_at: float) -> Held:
    """From the packets, Asterisk's events, and what callflow has stored."""
    events = [event for event in talk.talks.ami.events if event.get("Linkedid") == uniqueid]
    bridged = max(float(event["Timestamp"]) for event in events if event["Event"] == "BridgeEnter")
    held = next(float(event["Timestamp"]) for event in events if event["Event"] == "Hold")
    steps = [step for step in talk.steps() if step["call_id"] == uniqueid]
    return Held(
        round(held - bridged, 3),
        music_lasts(talk, held, ended_at),
        music_doubted(talk, uniqueid),
        next((str(step["outcome"]) for step in steps if str(step["what"]).startswith("one_moment")), ""),
    )
