"""A caller whose agent was freed, on a real Asterisk: each way back to an agent, also without a daemon."""

import asyncio

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import HEARD_DBOV, levels_dbov
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.scenarios.site import Version
from tests.lab_assist.stage import AGENT_HZ, CALLER, CALLER_HZ, Talk, assisted, own_channels
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

SAME_AGENT_S = 8.0
GIVEN_UP_S = 5.0
"""After this time without a daemon's word, the dialplan takes a caller who was let go back to an agent."""
SLACK_S = 1.0
RING_HZ = 440
"""One of the two tones of Asterisk's ringing."""


async def parted(talk: Talk) -> None:
    """The agent is free, the caller hears the goodbye."""
    await talk.agent_greets()
    await talk.agent.until(State.ENDED, 25)
    await talk.told("parted")


async def goodbye_over(talk: Talk) -> float:
    """When the goodbye was played to its end, epoch seconds."""
    return float((await talk.talks.event("UserEvent", 15, UserEvent="CallflowGoodbye"))["Timestamp"])


async def meet_again(talk: Talk, again: Call, *, caller_speaks: bool = True) -> None:
    """The same agent answers, and the two hear each other; a caller who does not speak hears the agent."""
    again.ring()
    await again.answer()
    await talk.talks.event("BridgeEnter", Uniqueid=await talk.talks.uniqueid(AGENTS[0]))
    await asyncio.sleep(0.5)
    before = again.media.sent[-1].at
    if caller_speaks:
        await talk.says(talk.caller, CALLER_HZ, 1)
    await talk.says(again, AGENT_HZ, 1)
    assert bool(talk.at(again).spans("caller")) is caller_speaks
    assert [span for span in talk.at(talk.caller).spans("agent") if span.began > before]
    assert talk.caller.state is again.state is State.TALKING


@pytest.mark.parametrize(
    ("entry", "how"),
    [
        ("plain_support", "speaks in the pause"),
        ("plain_support", "presses a key in the goodbye"),
        ("plain_support", "presses a key in the goodbye, sent by SIP INFO"),
        (f"line_{AGENTS[0]}", "speaks in the goodbye"),
    ],
)
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_who_is_there_after_all_is_back_with_the_same_agent(
    version: Version, entry: str, how: str
) -> None:
    async with assisted(version, "act", entry=entry) as talk:
        await parted(talk)
        if "pause" in how:
            await goodbye_over(talk)
        await asyncio.sleep(0.6)
        if "key" in how:
            await talk.caller.press("5", "info" if "INFO" in how else "rfc4733")
        else:
            await talk.says(talk.caller, CALLER_HZ, 1)
        again = await talk.talks.bank.phones[AGENTS[0]].next_call()
        await talk.told("returned")
        await meet_again(talk, again)
        joins = [event for event in talk.talks.ami.events if event["Event"] == "QueueCallerJoin"]
        assert len(joins) == ("plain" in entry), "the agent is dialled, without the queue"
        if "INFO" in how:
            keys = {event["Event"] for event in talk.talks.ami.events if event["Event"].startswith("DTMF")}
            assert keys == {"DTMFEnd"}
        assert "hung_up" not in [step["kind"] for step in talk.steps()]
        goodbye = talk.at(talk.caller, ["goodbye"]).prompts["goodbye"]
        assert (goodbye.share > 0.95) is ("pause" in how), "a caller who is there hears no more of it"


@pytest.mark.parametrize("ends", ["callflow", "the caller, in the goodbye", "the caller, back with the agent"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_whoever_ends_a_parted_callers_call_the_sites_own_h_runs_once(version: Version, ends: str) -> None:
    async with assisted(version, "act") as talk:
        await parted(talk)
        if "back" in ends:
            await asyncio.sleep(0.6)
            await talk.says(talk.caller, CALLER_HZ, 1)
            await meet_again(talk, await talk.talks.bank.phones[AGENTS[0]].next_call())
        if ends != "callflow":
            await talk.caller.hang_up()
        await talk.caller.until(State.ENDED, 15)
        await talk.talks.event("UserEvent", UserEvent="LabH", Number=CALLER)
        await talk.talks.event("Hangup", CallerIDNum=CALLER)
        assert len([event for event in talk.talks.ami.events if event.get("UserEvent") == "LabH"]) == 1


@pytest.mark.parametrize("busy", [False, True], ids=["no answer", "busy"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_an_agent_of_a_direct_line_is_called_again_and_the_caller_hears_it_ring(
    version: Version, busy: bool
) -> None:
    """The caller is for that agent alone, and has spoken: nobody else could take the call, and it does not end."""
    async with assisted(version, "act", entry=f"line_{AGENTS[0]}") as talk:
        await parted(talk)
        await asyncio.sleep(0.6)
        await talk.says(talk.caller, CALLER_HZ, 1)
        phone = talk.talks.bank.phones[AGENTS[0]]
        again = await phone.next_call()
        if busy:
            await again.refuse(486)
        else:
            again.ring()
            await again.until(State.ENDED, SAME_AGENT_S + 4)
        assert talk.caller.state is State.TALKING
        waits_from = talk.caller.media.received[-1].at
        again = await phone.next_call(timeout_s=8)
        heard = [frame for frame in talk.caller.media.received if frame.at > waits_from]
        assert levels_dbov(heard, RING_HZ).max() > HEARD_DBOV, "the caller hears it ring"
        await meet_again(talk, again)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_an_agent_who_does_not_answer_is_called_for_eight_seconds_then_the_caller_is_in_front(
    version: Version,
) -> None:
    async with assisted(version, "act") as talk:
        await parted(talk)
        await asyncio.sleep(0.6)
        await talk.says(talk.caller, CALLER_HZ, 1)
        again = await talk.talks.bank.phones[AGENTS[0]].next_call()
        again.ring()
        waiting = talk.talks.phone("1302").call("plain_support")  # joins while the agent's phone rings
        await talk.talks.event("QueueCallerJoin", CallerIDNum="1302")
        await again.until(State.ENDED, SAME_AGENT_S + 4)
        messages = talk.talks.bank.messages(again.call_id)
        cancelled = next(one for one in messages if one.message.method == "CANCEL").at
        assert cancelled - messages[0].at == pytest.approx(SAME_AGENT_S, abs=SLACK_S)
        joined = await talk.talks.ami.wait_event(
            lambda event: (
                event["Event"] == "QueueCallerJoin"
                and event["CallerIDNum"] == CALLER
                and float(event["Timestamp"]) > cancelled - SLACK_S
            ),
            5,
        )
        assert (joined["Position"], joined["Count"]) == ("1", "2")
        assert talk.caller.state is State.TALKING
        await waiting.hang_up()
        await talk.caller.hang_up()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_whose_goodbye_has_no_recording_is_back_with_the_agent_and_not_parted_again(
    version: Version,
) -> None:
    async with assisted(version, "act", prompts={"goodbye": "not_recorded"}) as talk:
        await talk.agent_greets()
        again = await talk.talks.bank.phones[AGENTS[0]].next_call(25)
        assert (await talk.told("returned"))["why"] == "Asterisk could not play the goodbye"
        await meet_again(talk, again, caller_speaks=False)
        assert (await talk.told("doubt", "hang_up"))["why"] == "Asterisk could not play the goodbye before"
        await asyncio.sleep(3.0)
        assert talk.caller.state is again.state is State.TALKING
        kinds = [step["kind"] for step in talk.steps()]
        assert (kinds.count("parted"), kinds.count("hung_up")) == (1, 0)
        assert talk.at(again, ["caller_is_silent"]).prompts["caller_is_silent"].share > 0.95


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_daemon_that_dies_during_the_goodbye_costs_nobody_the_call(version: Version) -> None:
    async with assisted(version, "act") as talk:
        await parted(talk)
        await asyncio.sleep(0.6)
        await talk.daemon.kill()
        over_at = await goodbye_over(talk)
        again = await talk.talks.bank.phones[AGENTS[0]].next_call(GIVEN_UP_S + 4)
        rung_at = talk.talks.bank.messages(again.call_id)[0].at
        assert rung_at - over_at == pytest.approx(GIVEN_UP_S, abs=SLACK_S)
        await meet_again(talk, again)
        assert talk.at(talk.caller, ["goodbye"]).prompts["goodbye"].share > 0.95
        assert own_channels(talk.talks.ami) == []
