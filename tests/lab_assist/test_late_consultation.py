"""The daemon starts while an agent consults, on a real Asterisk: it assists from the transfer on, and not before.

Judged from the packets of three phones.
"""

import asyncio

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.talks.asterisk_files import AGENTS, SALES
from callflow.scenarios.site import Version
from tests.lab_assist.stage import AGENT_HZ, CALLER, CALLER_HZ, Talk, assisted, both_speak, own_channels
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

PROMPTS = ["can_you_hear", "one_moment", "thank_you_for_waiting", "still_hear_me", "please_go_on"]
LISTENS_S = 8.0
"""Longer than a silent caller waits for the question."""
HEARD = 0.9


async def consult(there: Talk, by: str, number: str) -> Call:
    """The agent asks somebody else: with the keys of a transfer, or by a second call of the same phone."""
    if by == "keys":
        await there.agent.press("*2")
        await asyncio.sleep(0.8)
        await there.agent.press(number)
        return there.agent
    await there.agent.hold()
    return there.talks.bank.phones[AGENTS[0]].call(number)


@pytest.mark.parametrize("number", [AGENTS[2], SALES], ids=["extension", "queue"])
@pytest.mark.parametrize("by", ["keys", "second call"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_consultation_is_assisted_from_the_transfer_on(version: Version, by: str, number: str) -> None:
    async with assisted(version, "prompt", entry="assist_support") as there:
        phone = there.talks.phone(AGENTS[2])
        phone.tone_hz = 0
        await both_speak(there)
        await there.daemon.kill()
        second = await consult(there, by, number)
        colleague = await phone.next_call(15)
        colleague.ring()
        await asyncio.sleep(0.5)
        await colleague.answer()
        await asyncio.sleep(0.5)
        steps = len(there.steps())
        await there.daemon.start()
        await there.says(colleague, AGENT_HZ, 1)  # as an agent greets; the one who asks is silent
        await asyncio.sleep(LISTENS_S)
        assert [step for step in there.steps()[steps:] if step["call_id"] != caller_id(there)] == []
        assert not [step for step in there.steps()[steps:] if step["agent"] == AGENTS[2]]
        assert there.at(second, PROMPTS).prompts == there.at(colleague, PROMPTS).prompts == {}
        if by == "keys":
            await there.agent.hang_up()
        else:
            assert await there.agent.refer_replaces(second) < 300
        there.only = AGENTS[2]
        began = await there.told("began")
        assert began["call_id"] == caller_id(there)
        await asyncio.sleep(1.0)
        await there.says(colleague, AGENT_HZ, 1)
        assert (await there.told("said", "can_you_hear"))["outcome"] == "reached"
        assert there.at(there.caller, ["can_you_hear"]).prompts["can_you_hear"].share > HEARD
        assert there.at(colleague, PROMPTS).prompts == {}
        await there.says(there.caller, CALLER_HZ, 1)
        await there.told("heard")
        assert there.at(colleague).spans("caller")
        assert there.caller.state is colleague.state is State.TALKING
        await colleague.hang_up()
        await there.told("ended")
        await asyncio.sleep(0.3)
        assert own_channels(there.talks.ami) == []


def caller_id(there: Talk) -> str:
    """Uniqueid of the caller's channel."""
    return next(
        event["Uniqueid"]
        for event in there.talks.ami.events
        if event["Event"] == "Newchannel" and event["CallerIDNum"] == CALLER
    )
