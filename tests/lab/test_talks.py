"""Lab talks on a real Asterisk: who hears what in a whisper, on hold and after a code, and phones that refuse."""

import asyncio
from contextlib import suppress

import pytest

from callflow.lab.phone.behaviour import Behaviour, Keys
from callflow.lab.phone.call import State
from callflow.lab.phone.presence import presence
from callflow.lab.talks.asterisk_files import AGENTS, FEATURES
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

CALLER, CUSTOMER = "1301", "13800001111"
PROMPT, PROMPT_HZ = "lab/tone_1550", 1550
WHISPER_S = 4.0
LONGEST_GAP_S = 0.06


async def originate_call_back(talks: TalkLab, channel_id: str) -> None:
    await talks.ami.action(
        "Originate", {"CBNUM": CUSTOMER}, Channel=f"PJSIP/{AGENTS[0]}", Context="talk-callback", Exten="s",
        Priority="1", Async="true", ChannelId=channel_id, CallerID=f'"Call back" <{CUSTOMER}>',
    )  # fmt: skip


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_caller_hears_a_whisper_and_the_agent_does_not(version: Version) -> None:
    async with talk_lab(version) as talks:
        caller, agent = talks.phone(CALLER), talks.agent()
        call, there = await talks.talk(caller, agent)
        await asyncio.sleep(1.0)
        await talks.whisper(await talks.uniqueid(CALLER), PROMPT)
        await talks.event("ChanSpyStop", timeout_s=WHISPER_S + 3)
        tones = talks.tones | {"prompt": PROMPT_HZ}
        at_caller, at_agent = (presence(one.media.received, tones) for one in (call, there))
        (span,) = at_caller.spans("prompt")
        assert span.lasted_s > WHISPER_S - 0.3
        assert at_caller.level_dbov("prompt", *span) == pytest.approx(-23, abs=0.5)
        assert at_agent.spans("prompt") == []
        for heard, who in ((at_caller, agent.number), (at_agent, CALLER)):
            assert heard.level_dbov(who, *span) == pytest.approx(heard.level_dbov(who, ended=span.began), abs=1.0)
            assert heard.longest_gap_s(span.began - 0.5) < LONGEST_GAP_S


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_who_is_on_hold_hears_the_music(version: Version, direction: str) -> None:
    async with talk_lab(version) as talks:
        caller, agent = talks.phone(CALLER), talks.agent()
        call, there = await talks.talk(caller, agent)
        await there.hold("inactive" if direction == "inactive" else "sendonly")
        hold, music = await talks.event("Hold"), await talks.event("MusicOnHoldStart")
        assert (hold["Channel"], music["Channel"]) == (await talks.channel(agent.number), await talks.channel(CALLER))
        await asyncio.sleep(1.0)
        await there.resume()
        await talks.event("MusicOnHoldStop")
        await asyncio.sleep(0.5)
        heard = presence(call.media.received, talks.tones)
        spans = heard.spans("music")
        assert spans[-1].lasted_s == pytest.approx(1.0, abs=0.3)
        assert heard.level_dbov("music", *spans[-1]) == pytest.approx(-23, abs=0.5)
        assert heard.spans(agent.number)[-1].began > spans[-1].ended - 0.1


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_code_of_the_agent_is_told_and_the_caller_hears_no_key(version: Version) -> None:
    async with talk_lab(version) as talks:
        caller, agent = talks.phone(CALLER), talks.agent()
        call, there = await talks.talk(caller, agent, "features_support")
        await there.press(FEATURES["talk-louder"])
        told = await talks.event("UserEvent", UserEvent="TalkFeature")
        assert (told["Does"], told["Channel"]) == ("louder", await talks.channel(agent.number))
        assert told["Peer"] == await talks.channel(CALLER)
        assert call.media.keys_received() == []


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_caller_stays_when_the_agent_hangs_up_and_leaves_the_queue_by_a_key(version: Version) -> None:
    async with talk_lab(version) as talks:
        caller, agent = talks.phone(CALLER), talks.agent()
        call, there = await talks.talk(caller, agent, "stays_support")
        await there.hang_up()
        over = await talks.event("UserEvent", UserEvent="TalkOver")
        assert over["Status"] == "CONTINUE"
        assert call.state is State.TALKING
        await call.hang_up()
        waiting = caller.call("plain_nobody")
        await waiting.until(State.TALKING)
        await talks.event("QueueCallerJoin", Queue="nobody")
        await waiting.press("1")
        assert (await talks.event("UserEvent", UserEvent="TalkExit"))["Position"] == "1"
        await waiting.until(State.ENDED)


@pytest.mark.parametrize("version", EACH_ASTERISK)
@pytest.mark.parametrize(
    ("customer", "status", "cause"),
    [
        (Behaviour(), "ANSWER", "16"),
        (Behaviour("busy"), "BUSY", "17"),
        (Behaviour("refuse"), "CHANUNAVAIL", "21"),
    ],
    ids=["answers", "busy", "refuses"],
)
async def test_a_call_back_reaches_a_customer_who(
    version: Version, customer: Behaviour, status: str, cause: str
) -> None:
    async with talk_lab(version) as talks:
        talks.agent(Behaviour(keys=(Keys(0.5, "1"),)))
        there = talks.phone(CUSTOMER, customer)
        await originate_call_back(talks, "talk-cb-1")
        accepted = await talks.event("UserEvent", UserEvent="TalkAccepted")
        assert (accepted["Key"], accepted["Uniqueid"]) == ("1", "talk-cb-1")
        if customer.does == "answer":
            with suppress(TimeoutError):
                await talks.event("BridgeEnter", Uniqueid="talk-cb-1")
            await asyncio.sleep(0.5)
            await there.calls[0].hang_up()
        ended = await talks.event("UserEvent", UserEvent="TalkCalledBack")
        assert (ended["Status"], ended["Cause"]) == (status, cause)
        assert there.calls[0].media.keys_received() == []
