"""A phone that sends no packets, or in bunches, on a real Asterisk: they carry a whisper to the other party."""

import pytest

from callflow.lab.phone.call import State
from callflow.scenarios.site import Version
from tests.lab_assist.stage import assisted
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
BUNCH = 5
"""Frames at once."""


@pytest.mark.parametrize("key_ends_apart", [False, True], ids=["keys end at once", "keys end three times in 40 ms"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_by_code_the_listener_s_own_channel_plays_the_prompt(version: Version, key_ends_apart: bool) -> None:
    """The agent is told of a caller who sends nothing; then the agent's phone sends nothing either."""
    async with assisted(version, "notify", entry="assist_support", caller_sends=False) as talk:
        await talk.agent_greets()
        assert (await talk.told("said", "caller_is_silent"))["outcome"] == "reached"
        talk.agent.media.stop()
        talk.agent.media.key_ends_apart = key_ends_apart
        await talk.agent.press("*74")
        said = await talk.told("said", "say_again")
        assert said["outcome"] == "reached", said["why"]
        talk.agent.media.resume()
        assert talk.caller.state is talk.agent.state is State.TALKING
        prompts = ["caller_is_silent", "say_again"]
        heard = {call: talk.at(call, prompts).prompts for call in (talk.agent, talk.caller)}
        assert [(list(prompts), *(one.share > 0.95 for one in prompts.values())) for prompts in heard.values()] == [
            (["caller_is_silent"], True),
            (["say_again"], True),
        ]
        assert talk.caller.media.keys_received() == talk.agent.media.keys_received() == []
        assert not any("@callflow-whisper" in str(event.get("Channel")) for event in talk.talks.ami.events)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_without_codes_the_agent_is_told_by_event_alone(version: Version) -> None:
    async with assisted(version, "notify", caller_sends=False) as talk:
        await talk.agent_greets()
        assert (await talk.told("silent"))["why"] == "no_media"
        assert (await talk.told("said", "caller_is_silent"))["outcome"] == "not_attached"
        assert talk.at(talk.agent, ["caller_is_silent"]).prompts == {}


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_packets_that_come_five_at_once_carry_a_whisper(version: Version) -> None:
    """For 80 ms of every 100 there are none; without codes a prompt has no other way."""
    async with assisted(version, "prompt") as talk:
        talk.caller.media.bunch = talk.agent.media.bunch = BUNCH
        await talk.agent_greets()
        for prompt in ("can_you_hear", "caller_is_silent"):
            said = await talk.told("said", prompt)
            assert said["outcome"] == "reached", said["why"]
