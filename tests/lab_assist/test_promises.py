"""What callflow must not do in a talk, and what it detects, on a real Asterisk, judged from the phones' packets."""

import asyncio

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.media import tone
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.lab.talks.talk_lab import talk_lab
from callflow.scenarios.site import Version
from tests.lab_assist.stage import (
    AGENT_HZ,
    CALLER,
    Talk,
    assisted,
    both_speak,
    gaps_ok,
    music_ok,
    own_channels,
    talk,
    unbroken,
)
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

HEARD = 0.9
"""Share of a prompt that must be heard."""
PROMPTS = ["can_you_hear", "goodbye", "caller_is_silent", "say_again"]


def said(there: Talk) -> list[tuple[object, object]]:
    return [(step["what"], step["outcome"]) for step in there.steps() if step["kind"] == "said"]


def whispered(there: Talk) -> bool:
    """Whether callflow has begun a whisper."""
    return any("@callflow-whisper" in str(event.get("Channel")) for event in there.talks.ami.events)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_observe_mode_writes_down_what_it_would_have_done_and_nobody_hears_anything(version: Version) -> None:
    async with assisted(version, "act", entry="assist_support", mode="observe") as there:
        await there.agent_greets()
        await there.told("would_hang_up")
        await there.told("said", "caller_is_silent")
        await there.agent.press("*74")
        assert await there.told("action", "repeat", "observing")
        assert said(there) == [("can_you_hear to caller", "would"), ("caller_is_silent to agent", "would")]
        assert there.at(there.caller, PROMPTS).prompts == there.at(there.agent, PROMPTS).prompts == {}
        assert there.caller.state is there.agent.state is State.TALKING
        assert not whispered(there)
        gaps_ok(there)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_with_agent_hears_the_agent_hears_each_question_after_the_caller(version: Version) -> None:
    async with assisted(version, "prompt", rules={"agent_hears": True}) as there:
        await there.agent_greets()
        assert (await there.told("said", "can_you_hear to agent"))["outcome"] == "reached"
        asked, repeated = (
            there.at(one, ["can_you_hear"]).prompts["can_you_hear"] for one in (there.caller, there.agent)
        )
        assert min(asked.share, repeated.share) > HEARD
        assert repeated.span.began > asked.span.ended
        gaps_ok(there)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_prompt_for_which_no_pause_comes_is_not_said(version: Version) -> None:
    rules = {"patience_s": 2.0, "still_there_after_s": 3.0, "most_asked": 1}
    async with assisted(version, "prompt", rules=rules) as there:
        await both_speak(there)
        await there.says(there.agent, AGENT_HZ, 8)
        assert (await there.told("said", "still_hear_me"))["outcome"] == "dropped"
        assert there.at(there.caller, ["still_hear_me"]).prompts == {}
        assert not whispered(there)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_is_not_parted_over_a_question_whose_recording_is_missing(version: Version) -> None:
    async with assisted(version, "act", prompts={"can_you_hear": "not_recorded"}) as there:
        await there.agent_greets()
        assert (await there.told("said", "can_you_hear to caller"))["outcome"] == "not_attached"
        assert (await there.told("said", "caller_is_silent"))["outcome"] == "reached"
        assert there.at(there.agent, PROMPTS).prompts["caller_is_silent"].share > HEARD
        assert there.caller.state is there.agent.state is State.TALKING
        assert "parted" not in [step["kind"] for step in there.steps()]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_after_a_cut_line_the_talk_is_assisted_again(version: Version) -> None:
    async with talk_lab(version) as talks, talks.lab.ami_proxy() as proxy:
        settings = {"ami": {"port": proxy.port}, "profiles": {"default": {"assist": "prompt"}}}
        daemon = await talks.lab.start_daemon(settings)
        caller, agent = talks.phone(CALLER), talks.agent()
        caller.tone_hz = agent.tone_hz = 0
        there = await talk(talks, daemon, caller, agent)
        await both_speak(there)
        proxy.cut()
        async with asyncio.timeout(20):
            while [step["kind"] for step in there.steps()].count("began") < 2:  # noqa: ASYNC110 - it is stored
                await asyncio.sleep(0.05)
        await there.agent_greets()
        assert (await there.told("said", "can_you_hear"))["outcome"] == "reached"
        assert there.at(there.caller, ["can_you_hear"]).prompts["can_you_hear"].share > HEARD
        assert there.at(there.agent, ["can_you_hear"]).prompts == {}
        unbroken(there)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_codes_of_the_caller_do_nothing_and_a_storm_of_the_agents_is_refused(version: Version) -> None:
    """The dialplan has given the caller the codes as well."""
    async with assisted(version, "prompt", entry="both_support", rules={"actions_per_minute": 3}) as there:
        await both_speak(there)
        await there.caller.press("*74")
        await there.told("action", "repeat", "caller_typed")
        await asyncio.sleep(1.5)
        assert not whispered(there)
        await there.agent.press("*74")
        assert (await there.told("said", "say_again"))["outcome"] == "reached"
        for _ in range(5):
            await there.agent.press("*76")
        await there.told("action", "back", "too_many")
        actions = [(step["what"], step["outcome"]) for step in there.steps() if step["kind"] == "action"]
        own = [("repeat", "done"), *[("back", "no_lookup")] * 2, ("back", "too_many")]
        assert actions == [("repeat", "caller_typed"), *own], "of a storm one refusal is written down"
        assert said(there) == [("say_again to caller", "reached")]
        assert there.at(there.agent, PROMPTS).prompts == {}
        assert there.caller.state is there.agent.state is State.TALKING
        gaps_ok(there)


@pytest.mark.parametrize("way", ["inactive", "keys", "supervisor"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_hold_is_seen_however_the_agent_begins_it(version: Version, way: str) -> None:
    """By re-INVITE, by the keys of a transfer, by callflow's own code. The called party refuses; the agent is back."""
    supervisor = f"{AGENTS[2]}@talk-phones"
    first = "ask_supervisor" if way == "supervisor" else "one_moment"
    async with assisted(version, "prompt", entry="assist_support", supervisor=supervisor) as there:
        there.talks.phone(AGENTS[2])
        await both_speak(there)
        await asyncio.sleep(0.5)
        third = await begin_hold(there, way)
        assert (await there.told("said", first))["outcome"] == "reached"
        await asyncio.sleep(1.0)
        await (there.agent.resume() if third is None else third.refuse())
        assert (await there.told("said", "thank_you_for_waiting"))["outcome"] == "reached"
        prompts = [first, "thank_you_for_waiting"]
        heard = there.at(there.caller, prompts)
        assert {name: one.share > HEARD for name, one in heard.prompts.items()} == dict.fromkeys(prompts, True), heard
        assert there.at(there.agent, prompts).prompts == {}
        assert heard.spans("music")
        assert there.caller.state is there.agent.state is State.TALKING
        hold = await there.stored("select * from holds where ended_ms is not null")
        assert hold["held_by"] == "agent"
        if third is None:  # Asterisk itself drops sound as a consultation begins and fails
            music_ok(there)


async def begin_hold(there: Talk, way: str) -> Call | None:
    """The caller hears music from here on; returns the call of the consulted party, if any."""
    if way == "inactive":
        await there.agent.hold("inactive")
        return None
    if way == "keys":
        await there.agent.press("*2")
        await asyncio.sleep(0.8)
        await there.agent.press(AGENTS[2])
    else:
        await there.agent.press("*78")
    third = await there.talks.bank.phones[AGENTS[2]].next_call(25)
    third.ring()
    return third


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_daemon_that_dies_in_a_hold_leaves_the_music_and_ends_its_prompt(version: Version) -> None:
    async with assisted(version, "prompt") as there:
        await both_speak(there)
        await there.agent.hold()
        await there.prompt_begins()
        await there.daemon.kill()
        await asyncio.sleep(4.0)
        assert own_channels(there.talks.ami) == []
        assert there.at(there.caller, ["one_moment"]).prompts["one_moment"].share > HEARD
        assert sum(span.lasted_s for span in there.at(there.caller).spans("music")) > 4.0
        music_ok(there)
        await there.agent.resume()
        there.agent.media.play(tone(AGENT_HZ))
        await asyncio.sleep(1.5)
        assert there.at(there.caller).spans("agent")[-1].lasted_s > 0.8
