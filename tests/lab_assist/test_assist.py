"""Assistance on a real Asterisk, judged from the packets of both phones: who heard what, when, and who did not."""

import asyncio

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import heard as sounded
from callflow.lab.phone.media import tone
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.scenarios.site import Version
from callflow.sound.audio import duration_s
from tests.lab_assist.stage import (
    AGENT_HZ,
    CALLER,
    CALLER_HZ,
    MUSIC_S,
    UNDERTONE_DBOV,
    UNDERTONES_HZ,
    Talk,
    agent_freed_s,
    assisted,
    gaps_ok,
    music_ok,
    own_channels,
    unbroken,
    wire_ok,
)
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


PROMPT_LATE_S = 2.0
"""A prompt is heard at most this long after it is due: it waits for a pause, and for its spy, and begins silent."""
BELOW_SPEECH_DBOV = -44.0
"""Too low to be speech for TALK_DETECT, loud enough to be a tone for the tap: not a sign of life."""


def kinds(talk: Talk) -> list[object]:
    return [step["kind"] for step in talk.steps()]


def said(talk: Talk) -> list[tuple[object, object]]:
    return [(step["what"], step["outcome"]) for step in talk.steps() if step["kind"] == "said"]


def last_spoke(call: Call, hz: int) -> float:
    """When this phone sent the last of its own sine, epoch seconds."""
    return sounded(call.media.sent, hz)[-1].ended


def long_enough(talk: Talk, prompt: str) -> float:
    return duration_s(talk.talks.lab.sounds / f"en/callflow/{prompt}.wav")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_silent_caller_is_asked_and_parted_and_the_agent_is_free_at_once(version: Version) -> None:
    async with assisted(version, "act") as talk:
        await talk.agent_greets()
        await talk.agent.until(State.ENDED, 25)
        freed_at = asyncio.get_running_loop().time()
        await talk.caller.until(State.ENDED, 25)
        goodbye_s = asyncio.get_running_loop().time() - freed_at
        heard = talk.at(talk.caller, ["can_you_hear", "goodbye"])
        assert {name: one.share > 0.95 for name, one in heard.prompts.items()} == {
            "can_you_hear": True,
            "goodbye": True,
        }
        assert talk.at(talk.agent, ["can_you_hear", "goodbye"]).prompts == {}
        asked_s = heard.prompts["can_you_hear"].span.began - last_spoke(talk.agent, AGENT_HZ)
        assert 3.0 < asked_s < 3.0 + PROMPT_LATE_S
        await talk.told("parted")
        assert abs(agent_freed_s(talk)) < 0.2
        assert goodbye_s == pytest.approx(long_enough(talk, "goodbye") + 2.0, abs=0.4)
        wire_ok(talk)
        await talk.told("ended")
        assert kinds(talk) == ["began", "said", "parted", "hung_up", "ended"]
        await asyncio.sleep(0.2)
        assert own_channels(talk.talks.ami) == []


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_when_the_last_taps_are_kept_for_screening_a_silent_caller_is_asked_without_one(version: Version) -> None:
    async with assisted(version, "prompt", more={"tap": {"max_taps": 1}}) as talk:
        await talk.agent_greets()
        assert (await talk.told("said", "can_you_hear"))["outcome"] == "reached"
        asked = talk.at(talk.caller, ["can_you_hear"]).prompts["can_you_hear"].span
        assert 3.0 < asked.began - last_spoke(talk.agent, AGENT_HZ) < 3.0 + PROMPT_LATE_S
        assert (await talk.told("said", "caller_is_silent"))["outcome"] == "reached"
        assert talk.at(talk.agent, ["caller_is_silent"]).prompts["caller_is_silent"].share > 0.95
        assert talk.caller.state is talk.agent.state is State.TALKING
        assert not any("callflow-tap" in event["Channel"] for event in talk.talks.ami.events if "Channel" in event)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_whisper_changes_nothing_for_those_who_speak(version: Version) -> None:
    """Both phones send a low tone throughout."""
    async with assisted(version, "prompt", talk_detect={"probe_threshold": 256}) as talk:
        talk.caller.media.background = tone(UNDERTONES_HZ["caller"], BELOW_SPEECH_DBOV)
        talk.agent.media.background = tone(UNDERTONES_HZ["agent"], BELOW_SPEECH_DBOV)
        await talk.agent_greets()
        step = await talk.told("said", "can_you_hear")
        assert step["outcome"] == "reached"
        caller, agent = (talk.levels(one, UNDERTONES_HZ) for one in (talk.caller, talk.agent))
        prompt = talk.at(talk.caller, ["can_you_hear"]).prompts["can_you_hear"].span
        for heard, who in ((caller, "agent"), (agent, "caller")):
            before = heard.level_dbov(who, prompt.began - 1.5, prompt.began - 0.3)
            assert heard.level_dbov(who, *prompt) == pytest.approx(before, abs=1.0)
        gaps_ok(talk)


@pytest.mark.parametrize("who", ["caller", "agent"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_prompt_stops_when_somebody_speaks(version: Version, who: str) -> None:
    async with assisted(version, "act") as talk:
        await talk.agent_greets()
        await talk.prompt_begins()
        speaker, hz = (talk.caller, CALLER_HZ) if who == "caller" else (talk.agent, AGENT_HZ)
        began = len(speaker.media.sent)
        await talk.says(speaker, hz, 2)
        began_at = speaker.media.sent[began].at
        ended_at = talk.at(talk.caller, ["can_you_hear"]).prompts["can_you_hear"].span.ended
        assert ended_at - began_at < 0.3
        await talk.told("said", "can_you_hear")
        assert said(talk)[0] == ("can_you_hear to caller", "stopped")
        if who == "caller":
            await talk.told("heard")
            await asyncio.sleep(4)
            assert talk.caller.state is talk.agent.state is State.TALKING


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_who_speaks_in_the_goodbye_is_back_with_the_same_agent_and_rates_the_call(
    version: Version,
) -> None:
    async with assisted(version, "act", entry="rated_support") as talk:
        await talk.agent_greets()
        await talk.agent.until(State.ENDED, 25)
        await asyncio.sleep(2.0)
        await talk.says(talk.caller, CALLER_HZ, 1)
        again = await talk.talks.bank.phones[AGENTS[0]].next_call()
        again.ring()
        await again.answer()
        await talk.told("returned")
        await talk.talks.event("BridgeEnter", Uniqueid=await talk.talks.uniqueid(AGENTS[0]))
        await talk.says(talk.caller, CALLER_HZ, 1)
        assert talk.at(again).spans("caller")
        assert talk.caller.state is State.TALKING
        await again.hang_up()
        for key in "543":
            await asyncio.sleep(0.8)
            await talk.caller.press(key)
        await talk.caller.until(State.ENDED, 15)
        rated = await talk.stored("select * from ratings where ended_ms is not null")
        assert (rated["efficiency"], rated["attitude"], rated["correctness"]) == (5, 4, 3)
        assert (rated["agent"], rated["ending"]) == (AGENTS[0], "completed")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_who_speaks_in_the_goodbye_joins_the_queue_in_front_when_the_agent_refuses(
    version: Version,
) -> None:
    async with assisted(version, "act") as talk:
        await talk.agent_greets()
        await talk.agent.until(State.ENDED, 25)
        waiting = talk.talks.phone("1302").call("plain_support")
        refused = await talk.talks.bank.phones[AGENTS[0]].next_call()  # the queue offers the next caller
        refused.ring()
        await asyncio.sleep(1.0)
        await talk.says(talk.caller, CALLER_HZ, 1)
        parted_s = int(str((await talk.told("parted"))["at_ms"])) / 1000
        joined = await talk.talks.ami.wait_event(
            lambda event: (
                event["Event"] == "QueueCallerJoin"
                and float(event["Timestamp"]) > parted_s
                and event["CallerIDNum"] == "1301"
            ),
            10,
        )
        assert joined["Position"] == "1"
        await waiting.hang_up()
        await talk.caller.hang_up()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_who_was_heard_is_asked_after_both_kinds_of_lull(version: Version) -> None:
    rules = {"still_there_after_s": 5.0, "go_on_after_s": 4.0}
    async with assisted(version, "prompt", rules=rules, undertone_dbov=UNDERTONE_DBOV) as talk:
        await talk.agent_greets()
        await talk.says(talk.caller, CALLER_HZ, 1)  # then stops: nobody speaks for 4 s
        go_on = await talk.told("said", "please_go_on")
        assert go_on["outcome"] == "reached"
        for _ in range(2):  # the agent explains, with pauses
            await talk.says(talk.agent, AGENT_HZ, 1)
            await asyncio.sleep(0.9)
        still_there = await talk.told("said", "still_hear_me")
        assert still_there["outcome"] == "reached"
        prompts = ["please_go_on", "still_hear_me"]
        heard = talk.at(talk.caller, prompts)
        assert [heard.prompts[name].share > 0.95 for name in prompts] == [True, True]
        assert talk.at(talk.agent, prompts).prompts == {}
        lull_s = heard.prompts["please_go_on"].span.began - last_spoke(talk.caller, CALLER_HZ)
        assert 4.0 < lull_s < 4.0 + PROMPT_LATE_S
        assert heard.prompts["still_hear_me"].span.began - heard.prompts["please_go_on"].span.ended > 5.0
        for name in prompts:  # no prompt over speech
            assert heard.level_dbov("agent", *heard.prompts[name].span) < -50
        wire_ok(talk)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_agent_alone_is_told_of_a_silent_caller(version: Version) -> None:
    async with assisted(version, "notify", undertone_dbov=UNDERTONE_DBOV) as talk:
        await talk.agent_greets()
        step = await talk.told("said", "caller_is_silent")
        assert step["outcome"] == "reached"
        silent = await talk.told("silent")
        assert 2500 < int(str(silent["lasted_ms"])) < 10_000
        assert talk.at(talk.agent, ["caller_is_silent"]).prompts["caller_is_silent"].share > 0.95
        assert talk.at(talk.caller, ["caller_is_silent", "can_you_hear"]).prompts == {}
        wire_ok(talk)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_on_hold_is_spoken_to_over_the_music(version: Version) -> None:
    rules = {"reassure_every_s": 9.0, "offer_after_s": 16.0}
    async with assisted(version, "prompt", rules=rules) as talk:
        await talk.agent_greets()
        await talk.says(talk.caller, CALLER_HZ, 1)
        await asyncio.sleep(0.5)
        await talk.agent.hold("sendonly")
        await talk.told("said", "one_moment")
        await talk.told("said", "still_looking")
        await talk.told("callback_offered")
        await talk.told("said", "offer_call_back")
        await talk.caller.press("1")
        await talk.told("callback_accepted")
        await talk.told("said", "call_back_agreed")
        await talk.agent.resume()
        await talk.told("said", "thank_you_for_waiting")
        names = ["one_moment", "still_looking", "offer_call_back", "call_back_agreed", "thank_you_for_waiting"]
        heard = talk.at(talk.caller, names)
        assert {name: one.share > 0.9 for name, one in heard.prompts.items()} == dict.fromkeys(names, True)
        assert talk.at(talk.agent, names).prompts == {}
        music_s, (hold,) = sum(span.lasted_s for span in heard.spans("music")), talk.holds()
        assert music_s == pytest.approx(int(str(hold["hold_ms"])) / 1000, abs=0.5)
        assert [outcome for what, outcome in said(talk)] == ["reached"] * 5
        music = [span for span in heard.spans("music") if span.lasted_s > MUSIC_S]
        due = {"one_moment": 0.0, "still_looking": 9.0, "offer_call_back": 16.0}
        late_s = {name: heard.prompts[name].span.began - music[0].began - due_s for name, due_s in due.items()}
        late_s["thank_you_for_waiting"] = heard.prompts["thank_you_for_waiting"].span.began - music[-1].ended
        assert all(0 <= seconds < PROMPT_LATE_S for seconds in late_s.values()), late_s
        music_ok(talk)
        kept = await talk.stored("select * from callbacks")
        assert (kept["number"], kept["reasons"]) == (CALLER, "offer")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_talk_goes_on_through_a_kill_of_the_daemon_and_is_taken_up_again(version: Version) -> None:
    async with assisted(version, "prompt") as talk:
        await talk.agent_greets()
        await talk.prompt_begins()
        await talk.daemon.kill()
        await asyncio.sleep(4.0)
        assert own_channels(talk.talks.ami) == []  # the whisper has played to its end, and the tap is gone
        await talk.daemon.start()
        await talk.agent_greets()
        assert (await talk.told("said", "can_you_hear"))["outcome"] == "reached"
        begun = [step for step in talk.steps() if step["kind"] == "began"]
        assert len(begun) == 2
        await talk.agent.hang_up()
        await talk.told("ended")
        await asyncio.sleep(0.2)
        assert own_channels(talk.talks.ami) == []
        unbroken(talk)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_hold_that_an_earlier_life_has_not_seen_keeps_its_music(version: Version) -> None:
    async with assisted(version, "prompt") as talk:
        await talk.agent_greets()
        await talk.says(talk.caller, CALLER_HZ, 1)
        await talk.daemon.kill()
        await talk.agent.hold("sendonly")
        await talk.talks.event("MusicOnHoldStart")
        await asyncio.sleep(0.5)
        await talk.daemon.start()
        await asyncio.sleep(2.0)
        assert sum(span.lasted_s for span in talk.at(talk.caller).spans("music")) > 2.0
        music_ok(talk)
        await talk.agent.resume()
        await talk.agent_greets()
        assert (await talk.told("said", "can_you_hear"))["outcome"] == "reached"


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_after_a_blind_transfer_the_new_agents_caller_hears_the_first_whisper(version: Version) -> None:
    async with assisted(version, "prompt") as talk:
        await talk.agent_greets()
        await talk.says(talk.caller, CALLER_HZ, 1)
        second = talk.talks.phone(AGENTS[1])
        second.tone_hz = 0
        transfer = asyncio.create_task(talk.agent.refer(AGENTS[1]))
        there = await second.next_call()
        there.ring()
        there.media.sequence = 5  # far below the first agent's: what makes Asterisk 22 deaf
        await asyncio.sleep(0.5)
        await there.answer()
        assert await transfer < 300
        await talk.says(there, AGENT_HZ, 1)
        step = await talk.told("said", "can_you_hear")
        assert step["outcome"] == "reached"
        assert talk.at(talk.caller, ["can_you_hear"]).prompts["can_you_hear"].share > 0.95


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_whose_ear_is_deaf_is_not_parted(version: Version) -> None:
    """On 22 a caller whose sequence numbers jump back is not heard; on 16 every caller is heard."""
    async with assisted(version, "act") as talk:
        await talk.agent_greets()
        await talk.prompt_begins()
        talk.caller.media.jump(-8000)
        await talk.prompt_over()
        await talk.says(talk.caller, CALLER_HZ, 3)
        await asyncio.sleep(6)
        assert talk.caller.state is talk.agent.state is State.TALKING
        assert not {"parted", "hung_up"} & set(kinds(talk))
