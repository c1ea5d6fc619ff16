"""Talks on the pretend Asterisk: who hears a whisper, what hold does to it, codes, and how the caller leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.simulator.pretend.talks import Desk, agent, at_the_desk

Work = Callable[[Desk], Awaitable[None]]
WHISPERED = "tone_1550"


def caller(dials: str = "plain_support", **more: Any) -> dict[str, Any]:
    return {"name": "caller", "number": "1301", "dials": dials, "language": "en", "stays_s": 60.0} | more


def talk(work: Work, *acts: dict[str, Any], dials: str = "plain_support", **more: Any) -> Desk:
    """One caller and one agent; the work begins as they talk."""

    async def when_they_talk(desk: Desk) -> None:
        await desk.until(lambda: len(desk.of("BridgeEnter")) == 2)
        await work(desk)
        await desk.until(lambda: not desk.asterisk.world.switch.channels)

    phone = {name: value for name, value in more.items() if name in ("talk_s", "media", "features")}
    other = {name: value for name, value in more.items() if name not in phone}
    return at_the_desk([agent(*acts, **phone)], when_they_talk, [caller(dials, **other)])


def heard(desk: Desk) -> list[str]:
    return [prompt.name for outcome in desk.outcomes for prompt in outcome.prompts]


async def whisper_to_the_caller(desk: Desk) -> None:
    await desk.whisper(desk.caller()["Uniqueid"])
    await asyncio.sleep(6)


def test_the_caller_hears_a_whisper_over_the_agents_rtp() -> None:
    desk = talk(whisper_to_the_caller, talk_s=10.0)
    asked, (began,), (ended,) = desk.of("OriginateResponse")[0], desk.of("ChanSpyStart"), desk.of("ChanSpyStop")
    assert float(began["Timestamp"]) - float(asked["Timestamp"]) == pytest.approx(0.1, abs=0.02)
    assert float(ended["Timestamp"]) - float(asked["Timestamp"]) == pytest.approx(4.0, abs=0.1)
    assert heard(desk) == [WHISPERED]


def test_nobody_hears_a_whisper_while_the_agents_phone_sends_nothing() -> None:
    desk = talk(whisper_to_the_caller, media="none", talk_s=15.0)
    assert heard(desk) == []
    (stop,), leaves = desk.of("ChanSpyStop"), desk.of("BridgeLeave")
    assert float(stop["Timestamp"]) >= float(leaves[0]["Timestamp"])  # it hangs until the call ends


def test_a_third_party_makes_a_softmix_in_which_it_is_heard() -> None:
    async def mix(desk: Desk) -> None:
        await desk.acting.ask(
            "Action: Originate", "Channel: Local/s@talk-add/n", "Context: talk-still", "Exten: s", "Priority: 1",
            "Async: true", f"Variable: CALLER={desk.caller()['Channel']}",
        )  # fmt: skip
        await asyncio.sleep(1)
        await whisper_to_the_caller(desk)

    desk = talk(mix, media="none", talk_s=15.0)
    assert heard(desk) == [WHISPERED]
    assert desk.of("BridgeLeave")[0]["BridgeTechnology"] == "softmix"


def test_a_whisper_is_stopped_by_a_hang_up_of_its_half() -> None:
    async def stop(desk: Desk) -> None:
        await desk.whisper(desk.caller()["Uniqueid"])
        await asyncio.sleep(1)
        await desk.acting.ask("Action: Hangup", "Channel: talk-w1")
        await asyncio.sleep(1)
        assert "talk-w2" not in desk.asterisk.world.switch._by_uniqueid

    desk = talk(stop, talk_s=4.0)
    (prompt,) = desk.outcomes[0].prompts
    assert prompt.cut


def test_a_whisper_to_nobody_ends_at_once() -> None:
    async def nobody(desk: Desk) -> None:
        await desk.whisper("123.456")
        await asyncio.sleep(1)
        assert len(desk.asterisk.world.switch.channels) == 2

    desk = talk(nobody, talk_s=3.0)
    assert desk.of("OriginateResponse")[0]["Response"] == "Success"
    assert desk.of("ChanSpyStart") == []


HOLD, RESUME = {"at_s": 1.0, "hold": True}, {"at_s": 8.0, "resume": True}


@pytest.mark.parametrize(
    ("armed_at_s", "lost"), [(0.2, False), (2.0, True)], ids=["armed before the hold", "armed in the hold"]
)
def test_what_is_attached_while_music_plays_on_a_native_bridge_ends_it(armed_at_s: float, lost: bool) -> None:
    notes: list[str] = []

    async def arm(desk: Desk) -> None:
        desk.asterisk.world.on_note = lambda channel, note: notes.append(note)
        await asyncio.sleep(armed_at_s)
        name = "Variable: TALK_DETECT(set)"
        await desk.acting.ask("Action: Setvar", f"Channel: {desk.caller()['Channel']}", name, "Value: 160,256")
        await asyncio.sleep(3.0 - armed_at_s)
        await whisper_to_the_caller(desk)

    desk = talk(arm, HOLD, RESUME, talk_s=12.0)
    assert notes == (["music lost"] if lost else [])
    hold, unhold = desk.of("Hold", "Unhold")
    stopped = [float(event["Timestamp"]) for event in desk.of("MusicOnHoldStop")][-1]  # the first one was the queue's
    assert stopped - float(hold["Timestamp"]) == pytest.approx(1.0 if lost else 7.0, abs=0.1)
    assert float(unhold["Timestamp"]) - float(hold["Timestamp"]) == pytest.approx(7.0, abs=0.1)
    assert heard(desk) == ([] if lost else [WHISPERED])


def test_codes_of_the_agent_are_told_and_not_passed_on() -> None:
    async def wait(desk: Desk) -> None:
        await asyncio.sleep(3)

    desk = talk(wait, {"at_s": 0.5, "keys": "*71"}, dials="features_support", talk_s=4.0)
    (told,) = desk.told("TalkFeature")
    assert (told["Does"], told["Peer"]) == ("louder", desk.caller()["Channel"])
    assert told["Channel"].startswith("PJSIP/8001-")
    assert [event["Direction"] for event in desk.of("DTMFEnd")] == ["Received"] * 3


def test_play_dtmf_fires_a_code_as_the_agents_keys_do() -> None:
    async def play(desk: Desk) -> None:
        (there,) = [name for name in desk.asterisk.world.switch.channels if name.startswith("PJSIP/8001-")]
        for digit in "*72":
            answer = await desk.acting.ask(
                "Action: PlayDTMF", f"Channel: {there}", f"Digit: {digit}", "Duration: 100", "Receive: true"
            )
            assert answer["Message"] == "DTMF successfully queued"

    desk = talk(play, dials="features_support", talk_s=4.0)
    assert [event["Does"] for event in desk.told("TalkFeature")] == ["lookup"]


def test_a_redirect_frees_the_agent_at_once_and_the_talk_completes_with_the_call() -> None:
    async def redirect(desk: Desk) -> None:
        await asyncio.sleep(1)
        channel = f"Channel: {desk.caller()['Channel']}"
        answer = await desk.acting.ask("Action: Redirect", channel, "Context: talk-goodbye", "Exten: s", "Priority: 1")
        assert answer["Message"] == "Redirect successful"
        await asyncio.sleep(0.1)
        assert [name.partition("-")[0] for name in desk.asterisk.world.switch.channels] == ["PJSIP/caller"]

    desk = talk(redirect)
    (complete,) = desk.of("AgentComplete")
    assert (complete["Reason"], "DestChannel" in complete) == ("caller", False)
    left, gone = desk.of("BridgeLeave")[0], desk.of("Hangup")[-1]
    assert float(gone["Timestamp"]) - float(left["Timestamp"]) == pytest.approx(6.0, abs=0.05)
    assert float(complete["Timestamp"]) == pytest.approx(float(gone["Timestamp"]), abs=0.05)


@pytest.mark.parametrize(("who", "status", "reason"), [("agent", ["CONTINUE"], "agent"), ("caller", [], "caller")])
def test_the_caller_stays_when_the_agent_hangs_up_first(who: str, status: list[str], reason: str) -> None:
    async def wait(desk: Desk) -> None:
        await asyncio.sleep(1)

    leaves = {"talk_s": 2.0} if who == "agent" else {"stays_s": 2.0}
    desk = talk(wait, dials="stays_support", **leaves)
    assert [event["Status"] for event in desk.told("TalkOver")] == status
    assert [event["Reason"] for event in desk.of("AgentComplete")] == [reason]


def test_a_key_leaves_the_queue_and_no_one_has_abandoned() -> None:
    async def wait(desk: Desk) -> None:
        await desk.until(lambda: bool(desk.outcomes))

    does = [{"at": 1.0, "key": "7"}, {"at": 3.0, "key": "1"}]
    desk = at_the_desk([agent(does="ignore")], wait, [caller(does=does)])
    assert desk.told("TalkExit")[0]["Position"] == "1"
    assert desk.of("QueueCallerAbandon") == []
    assert [event["DialStatus"] for event in desk.of("DialEnd")] == ["CANCEL", "CANCEL"]


def test_a_blind_transfer_takes_the_caller_to_the_other_phone() -> None:
    async def wait(desk: Desk) -> None:
        await desk.until(lambda: bool(desk.outcomes))

    first, second = agent({"at_s": 1.0, "transfer": "8002"}), agent(number="8002", queues=[], talk_s=2.0)
    desk = at_the_desk([first, second], wait, [caller()])
    assert [event["Reason"] for event in desk.of("AgentComplete")] == ["transfer"]
    assert [event["Channel"].partition("-")[0] for event in desk.of("BridgeEnter")] == [
        "PJSIP/8001", "PJSIP/caller", "PJSIP/8002", "PJSIP/caller"
    ]  # fmt: skip
