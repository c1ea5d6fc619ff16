"""What is asked of Asterisk, as it goes over the wire."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from callflow.adapters.ami import actions as ami_actions
from callflow.adapters.ami.actions import AmiActions
from callflow.errors import ActionRefused, ActionTimeout
from tests.adapters.ami_peer import AmiPeer, Headers, Watched, connected, friendly, message


@pytest.fixture
async def both(peer: AmiPeer) -> AsyncIterator[tuple[AmiActions, Watched]]:
    async with (
        connected(peer, events="off", action_timeout_s=1.0) as asking,
        connected(peer, action_timeout_s=1.0) as ear,
    ):
        yield AmiActions(asking.link, ear.link), ear


def wire(peer: AmiPeer) -> list[Headers]:
    """What was sent after the logins, without ids."""
    return [
        {key: value for key, value in action.items() if key != "ActionID"}
        for action in peer.actions
        if action["Action"] != "Login"
    ]


def error(action: Headers, text: str) -> bytes:
    return message(Response="Error", ActionID=action["ActionID"], Message=text)


async def test_arming_listens_afresh(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    await both[0].arm_ear("PJSIP/a-1", 160, 256)
    setvar = {"Action": "Setvar", "Channel": "PJSIP/a-1"}
    assert wire(peer) == [
        setvar | {"Variable": "TALK_DETECT(remove)", "Value": ""},
        setvar | {"Variable": "TALK_DETECT(set)", "Value": "160,256"},
    ]


async def test_arming_needs_no_earlier_ear(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    """A real Asterisk refuses to remove what is not there."""
    peer.reply = lambda action: (
        error(action, "Variable not set") if "remove" in action.get("Variable", "") else friendly(action)
    )
    await both[0].arm_ear("PJSIP/a-1", 160, 256)
    await both[0].disarm_ear("PJSIP/a-1")


async def test_arming_a_channel_that_is_gone_is_told(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    peer.reply = lambda action: error(action, "No such channel")
    with pytest.raises(ActionRefused, match="No such channel"):
        await both[0].arm_ear("PJSIP/a-1", 160, 256)


async def test_prompt_and_result(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    await both[0].stop_prompt("PJSIP/a-1")
    await both[0].set_result("PJSIP/a-1", "spoke")
    assert wire(peer) == [
        {"Action": "ControlPlayback", "Channel": "PJSIP/a-1", "Control": "stop"},
        {"Action": "Setvar", "Channel": "PJSIP/a-1", "Variable": "CALLFLOW_RESULT", "Value": "spoke"},
    ]


@pytest.mark.parametrize(("target_dbov", "level"), [(-26.0, "6172"), (-31.0, "3471"), (-10.0, "32768")])
async def test_speex_is_given_the_level_that_brings_speech_to_the_target(
    peer: AmiPeer, both: tuple[AmiActions, Watched], target_dbov: float, level: str
) -> None:
    await both[0].set_agc("PJSIP/a-1", target_dbov)
    assert wire(peer) == [{"Action": "Setvar", "Channel": "PJSIP/a-1", "Variable": "AGC(rx)", "Value": level}]


async def test_the_self_test_call_goes_to_an_extension(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    """Never to an application, which newer versions may refuse."""
    await both[0].prove_ear("17-1")
    assert wire(peer) == [
        {
            "Action": "Originate",
            "Async": "true",
            "Channel": "Local/s@callflow-check/n",
            "Context": "callflow-check",
            "Exten": "tone",
            "Priority": "1",
            "Variable": "__CALLFLOW_CHECK=17-1",
        }
    ]


async def test_the_fence_stands_behind_the_events(
    peer: AmiPeer, both: tuple[AmiActions, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami_actions, "FENCE_SETTLE_S", 0.001)
    peer.reply = lambda action: message(Event="Hangup", Uniqueid="1") + (friendly(action) or b"")
    await both[0].fence()
    assert both[1].events.qsize() == 1


async def test_the_fence_lets_events_settle_first(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    began_at = asyncio.get_running_loop().time()
    await both[0].fence()
    assert asyncio.get_running_loop().time() - began_at >= ami_actions.FENCE_SETTLE_S * 0.9


async def test_a_fence_that_nobody_answers_fails(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    peer.reply = lambda action: None
    with pytest.raises(ActionTimeout):
        await both[0].fence()


async def test_all_channels(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    def channels(action: Headers) -> bytes:
        ours = {"ActionID": action["ActionID"]}
        entries = b"".join(message(Event="CoreShowChannel", Uniqueid=f"1.{number}", **ours) for number in range(2))
        start = message(Response="Success", EventList="start", **ours)
        return start + entries + message(Event="CoreShowChannelsComplete", EventList="Complete", **ours)

    peer.reply = channels
    assert {channel["Uniqueid"] for channel in await both[0].channels()} == {"1.0", "1.1"}


PLACE = {"UNICASTRTP_LOCAL_ADDRESS": "127.0.0.1", "UNICASTRTP_LOCAL_PORT": "14000"}


async def test_a_tap_by_rtp_waits_for_its_channel(peer: AmiPeer, both: tuple[AmiActions, Watched]) -> None:
    """Asterisk answers Originate a moment before the channel is there."""
    refusals = 4

    def reply(action: Headers) -> bytes | None:
        nonlocal refusals
        if action["Action"] != "Getvar":
            return friendly(action)
        if refusals:
            refusals -= 1
            return error(action, "No such channel")
        return message(Response="Success", ActionID=action["ActionID"], Value=PLACE[action["Variable"]])

    peer.reply = reply
    assert await both[0].open_rtp_tap("tap-1", "1.1", "127.0.0.1:4000") == ("127.0.0.1", 14000)
    both[0].keep_rtp_tap("tap-1")
    both[0].end_rtp_tap("tap-1")
    await both[0].stop_prompt("x")  # behind them on the same wire
    sent = wire(peer)
    assert sent[0] == {
        "Action": "Originate", "Channel": "UnicastRTP/127.0.0.1:4000/c(ulaw)", "Context": "callflow-rtp", "Exten": "s",
        "Priority": "1", "ChannelId": "tap-1", "Variable": "TAPCHAN=1.1", "Async": "true",
    }  # fmt: skip
    assert sent[-3:-1] == [
        {"Action": "Setvar", "Channel": "tap-1", "Variable": "TIMEOUT(absolute)", "Value": "10"},
        {"Action": "Hangup", "Channel": "tap-1", "Cause": "16"},
    ]


async def test_a_tap_by_rtp_whose_channel_never_comes_is_refused(
    peer: AmiPeer, both: tuple[AmiActions, Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami_actions, "CHANNEL_BEGINS_S", (0.0, 0.0))
    peer.reply = lambda action: error(action, "No such channel") if action["Action"] == "Getvar" else friendly(action)
    with pytest.raises(ActionRefused, match="No such channel"):
        await both[0].open_rtp_tap("tap-1", "1.1", "127.0.0.1:4000")
