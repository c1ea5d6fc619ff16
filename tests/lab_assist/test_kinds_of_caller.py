"""Low voices and a screened caller at agents of a real Asterisk, at the same time, judged from the phones' packets."""

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from callflow.lab.phone.call import State
from callflow.lab.phone.media import Frame, audio
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, RATE, Sound, level_dbov, timeline
from tests.lab_assist.stage import Talk, gaps_ok, talk
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

LOOP_S = 2
"""A low voice repeats a recording of this length, so that every such stretch has the same level."""
SETTLED_S = 0.3
MOST = 0.8
"""Share of a prompt that must be heard; with three talks at once on a busy machine, some frames are late."""
LOW_DBOV, FAINT_DBOV = -51.0, -61.0
"""A voice that the greatest gain makes clear, and one that stays too low; TALK_DETECT hears neither, unless it is set
lower on the ladder, as on 16. Raised, the second stays below what TALK_DETECT hears (-43 dBov is on the edge), for a
caller who is heard stops the prompt."""
HEARD_LOW_DBOV, NORMAL_DBOV = -42.0, -26.0
"""TALK_DETECT hears both."""
LOW_ON_16_DBOV = -47.0
MOST_GAIN_DB = 15.0
QUESTIONS = ["can_you_hear", "a_little_louder", "still_faint"]
SCREENED = "desk"


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_low_voices_and_a_screened_caller(version: Version) -> None:
    async with talk_lab(version) as talks:
        profiles = {"default": {"assist": "prompt"}, SCREENED: {"assist": "prompt"}}
        daemon = await talks.lab.start_daemon({"profiles": profiles})
        await asyncio.gather(
            a_low_voice_is_raised_and_nothing_is_said(talks, daemon),
            a_faint_voice_is_raised_before_it_is_asked(talks, daemon),
            a_screened_caller_is_asked_as_well(talks, daemon),
        )


@pytest.mark.parametrize("version", ["16"])
async def test_without_a_tap_a_low_voice_is_the_callers(version: Version) -> None:
    """Nothing measures how low it is: callflow neither takes the caller as silent nor raises the gain."""
    async with talk_lab(version) as talks:
        profiles = {"default": {"assist": "prompt"}}
        daemon = await talks.lab.start_daemon({"profiles": profiles, "tap": {"transport": "audiosocket"}})
        there = await low_voice(talks, daemon, AGENTS[0], LOW_ON_16_DBOV)
        heard = await there.told("heard")
        await asyncio.sleep(LOOP_S + 2 * SETTLED_S)
        assert await raised_db(there, heard) == pytest.approx(0.0, abs=1.0)
        assert there.at(there.caller, QUESTIONS).prompts == {}
        assert not [step for step in there.steps() if step["kind"] in ("gain", "said")]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_voices_that_asterisk_hears(version: Version) -> None:
    """TALK_DETECT hears both; the profile calls one of them too low."""
    async with talk_lab(version) as talks:
        daemon = await talks.lab.start_daemon({"profiles": {"default": {"assist": "prompt"}}})
        await asyncio.gather(
            a_voice_that_is_heard_and_too_low_is_raised(talks, daemon),
            a_normal_voice_is_left_as_it_is(talks, daemon),
            a_hold_that_begins_while_the_caller_is_measured_keeps_its_music(talks, daemon),
        )


async def a_voice_that_is_heard_and_too_low_is_raised(talks: TalkLab, daemon: Daemon) -> None:
    there = await low_voice(talks, daemon, AGENTS[0], HEARD_LOW_DBOV)
    gain = await there.told("gain")
    assert [step["kind"] for step in there.steps()][:2] == ["began", "heard"]
    await tap(there, "ChanSpyStop")
    await asyncio.sleep(LOOP_S + 2 * SETTLED_S)
    assert await raised_db(there, gain) == pytest.approx(float(str(gain["what"]).removesuffix(" dB")), abs=1.0)
    assert float(str(gain["what"]).removesuffix(" dB")) == pytest.approx(MOST_GAIN_DB, abs=1.0)
    assert not [step for step in there.steps() if step["kind"] == "said"]
    assert there.at(there.caller, QUESTIONS).prompts == there.at(there.agent, QUESTIONS).prompts == {}
    gaps_ok(there)


async def a_normal_voice_is_left_as_it_is(talks: TalkLab, daemon: Daemon) -> None:
    there = await low_voice(talks, daemon, AGENTS[1], NORMAL_DBOV)
    heard = await there.told("heard")
    await tap(there, "ChanSpyStop")
    await asyncio.sleep(LOOP_S + 2 * SETTLED_S)
    assert await raised_db(there, heard) == pytest.approx(0.0, abs=1.0)
    assert loop_dbov(there.agent.media.received, moment(heard)) == pytest.approx(
        loop_dbov(there.caller.media.sent, moment(heard)), abs=1.0
    )
    assert not [step for step in there.steps() if step["kind"] in ("gain", "said")]
    gaps_ok(there)


async def a_hold_that_begins_while_the_caller_is_measured_keeps_its_music(talks: TalkLab, daemon: Daemon) -> None:
    there = await low_voice(talks, daemon, AGENTS[2], NORMAL_DBOV)
    await there.told("heard")
    await tap(there, "ChanSpyStart")
    there.caller.media.background = mulaw.encode(np.zeros(FRAME))
    await there.agent.hold("sendonly")
    assert (await there.told("said", "one_moment"))["outcome"] == "reached"
    heard = there.at(there.caller, ["one_moment"])
    assert heard.prompts["one_moment"].share > MOST
    (music,) = heard.spans("music")
    assert music.lasted_s > LOOP_S
    gaps_ok(there)


async def tap(there: Talk, event_name: str) -> None:
    """Until a tap of the caller has come (ChanSpyStart) or gone (ChanSpyStop). Raises TimeoutError."""
    uniqueid = await there.talks.uniqueid(f"130{there.only[-1]}")

    def is_its(event: Mapping[str, str]) -> bool:
        is_tap = "callflow-tap-" in event.get("SpyerChannel", "") + event.get("SpyerUniqueid", "")
        return event["Event"] == event_name and is_tap and event["SpyeeUniqueid"] == uniqueid

    await there.talks.ami.wait_event(is_its, 25)


async def a_low_voice_is_raised_and_nothing_is_said(talks: TalkLab, daemon: Daemon) -> None:
    there = await low_voice(talks, daemon, AGENTS[0], LOW_DBOV)
    gain = await there.told("gain")
    await there.told("heard")
    await asyncio.sleep(LOOP_S + 2 * SETTLED_S)
    assert await raised_db(there, gain) == pytest.approx(MOST_GAIN_DB, abs=1.0)
    assert there.at(there.caller, QUESTIONS).prompts == {}
    assert there.at(there.agent, QUESTIONS).prompts == {}


async def a_faint_voice_is_raised_before_it_is_asked(talks: TalkLab, daemon: Daemon) -> None:
    there = await low_voice(talks, daemon, AGENTS[1], FAINT_DBOV)
    gain = await there.told("gain")
    await there.told("said", "a_little_louder", "reached")
    assert await raised_db(there, gain) == pytest.approx(MOST_GAIN_DB, abs=1.0)
    there.caller.media.background = voice(talks, -26.0)
    await there.told("heard")
    await asyncio.sleep(SETTLED_S)
    heard = there.at(there.caller, QUESTIONS).prompts
    assert {name: one.share > MOST for name, one in heard.items()} == {"a_little_louder": True}, heard
    assert heard["a_little_louder"].span.began > moment(gain)
    assert there.at(there.agent, QUESTIONS).prompts == {}


async def a_screened_caller_is_asked_as_well(talks: TalkLab, daemon: Daemon) -> None:
    """The caller speaks to the screening, then is silent at the agent, in the profile of the screening."""
    phone, agent = talks.phone("1303"), talks.agent(number=AGENTS[2])
    phone.tone_hz = agent.tone_hz = 0
    call = phone.call(f"screened_sales_{SCREENED}")
    await call.until(State.TALKING)
    call.media.play(voice(talks, -26.0))
    answer = await agent.next_call(20)
    answer.ring()
    await asyncio.sleep(LOOP_S)  # the caller has finished
    await answer.answer()
    await talks.event("BridgeEnter", Channel=await talks.channel(agent.number))
    there = Talk(talks, daemon, call, answer, only=AGENTS[2])
    await there.stored("select * from calls where result = 'spoke'")
    screening = screened(daemon)
    await there.agent_greets()
    asked = await there.told("said", "can_you_hear")
    assert (asked["outcome"], asked["profile"]) == ("reached", SCREENED)
    await asyncio.sleep(SETTLED_S)
    assert there.at(call, QUESTIONS).prompts["can_you_hear"].share > MOST
    assert there.at(answer, QUESTIONS).prompts == {}
    assert [(row["result"], row["profile"]) for row in screening[0]] == [("spoke", SCREENED)]
    assert screened(daemon) == screening, "what assistance does is none of the screening's business"


def screened(daemon: Daemon) -> list[list[dict[str, object]]]:
    """The stored timeline of the one screened call."""
    queries = ("select * from calls", "select * from happenings")
    return [[dict(row) for row in rows(daemon.database, query)] for query in queries]


async def low_voice(talks: TalkLab, daemon: Daemon, agent: str, level_dbov: float) -> Talk:
    """A talk whose agent has greeted and whose caller speaks at this level from the beginning."""
    caller, phone = talks.phone(f"130{agent[-1]}"), talks.agent(number=agent)
    caller.tone_hz = phone.tone_hz = 0
    there = await talk(talks, daemon, caller, phone, f"line_{agent}")
    there.only = agent
    there.caller.media.background = voice(talks, level_dbov)
    await there.agent_greets()
    return there


def voice(talks: TalkLab, level_dbov: float) -> bytes:
    """Mu-law of someone who speaks for LOOP_S."""
    return mulaw.encode(timeline([Sound(0.0, "speech", LOOP_S, level_dbov)], LOOP_S, talks.lab.voice))


def moment(step: dict[str, object]) -> float:
    """When a step was taken, epoch seconds."""
    return int(str(step["at_ms"])) / 1000


async def raised_db(there: Talk, step: dict[str, object]) -> float:
    """How much louder the agent hears the caller since this step, dB. Raises TimeoutError without enough packets."""
    before, after = moment(step) - SETTLED_S - LOOP_S, moment(step) + SETTLED_S
    async with asyncio.timeout(5):
        while len(since(there.agent.media.received, after)) < LOOP_S * RATE // FRAME:  # noqa: ASYNC110 - a phone
            await asyncio.sleep(0.02)
    return loop_dbov(there.agent.media.received, after) - loop_dbov(there.agent.media.received, before)


def since(frames: Sequence[Frame], began: float) -> list[bytes]:
    """What the packets from then on carry."""
    return [frame.payload for frame in audio(frames) if frame.at >= began]


def loop_dbov(frames: Sequence[Frame], began: float) -> float:
    """Level of LOOP_S of what a phone received."""
    sound = since(frames, began)[: LOOP_S * RATE // FRAME]
    assert len(sound) == LOOP_S * RATE // FRAME
    return level_dbov(mulaw.decode(b"".join(sound)).astype(np.float64))
