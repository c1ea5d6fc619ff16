"""Actions over the AMI link against peers that are forgetful or hostile: panoramisk's faults, one by one."""

import asyncio
import logging
from typing import Any

import pytest
from panoramisk.manager import Manager

from callflow.errors import ActionRefused, ActionTimeout, ActionUnsafe, NotConnected
from tests.adapters.ami_peer import AmiPeer, Headers, Watched, connected, friendly, message, mute, refusing, success
from tests.adapters.waiting import WAIT_S, until
from tests.garbage import cycles_left


async def test_login_and_action(peer: AmiPeer) -> None:
    async with connected(peer, events="off") as watched:
        assert watched.link.connected
        answer = await watched.link.action("Setvar", Channel="PJSIP/王-1", Variable="A", Value="b")
        assert answer["Response"] == "Success"
    assert peer.named("Login")[0] | {"ActionID": ""} == {
        "Action": "Login",
        "Username": "callflow",
        "Secret": "hush",
        "Events": "off",
        "ActionID": "",
    }
    assert peer.named("Setvar")[0]["Channel"] == "PJSIP/王-1"
    assert not watched.link.connected


async def test_an_action_whose_reply_was_lost_is_not_sent_again(peer: AmiPeer) -> None:
    """Stock panoramisk sends it again after the reconnect: a second call, or a late hang-up."""
    async with connected(peer) as watched:
        peer.reply = mute("Originate")
        waiting = asyncio.create_task(watched.link.action("Originate", Channel="Local/s@x"))
        await peer.got("Originate")
        peer.drop()
        with pytest.raises(NotConnected):
            await waiting
        await watched.down()
        peer.reply = friendly
        await watched.up()
        peer.send(message(Event="FullyBooted"))
        await watched.link.action("Ping")
    assert len(peer.named("Originate")) == 1


async def test_nothing_is_sent_or_kept_while_down(peer: AmiPeer) -> None:
    """Stock panoramisk sends a hang-up of now when the link is back."""
    async with connected(peer) as watched:
        peer.reply = refusing
        peer.drop()
        await watched.down()
        with pytest.raises(NotConnected):
            await watched.link.action("Hangup", Channel="PJSIP/1")
        peer.reply = friendly
        await watched.up()
        await watched.link.action("Ping")
    assert peer.named("Hangup") == []


async def test_a_time_out_for_every_action_and_no_leak(peer: AmiPeer) -> None:
    async with connected(peer, action_timeout_s=0.05) as watched:
        peer.reply = mute("Getvar", "Status")
        with pytest.raises(ActionTimeout):
            await watched.link.action("Getvar", Variable="A")
        with pytest.raises(ActionTimeout):
            await watched.link.action_list("Status")
        assert responses(watched) == {}
        peer.send(success(await peer.got("Getvar")))
        await watched.link.action("Ping", timeout_s=WAIT_S)
        assert watched.link.counts["unclaimed"] == 1
        assert watched.link.connected


async def test_a_caller_who_gives_up_leaves_nothing_behind(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        peer.reply = mute("Getvar")
        waiting = asyncio.create_task(watched.link.action("Getvar", Variable="A"))
        await peer.got("Getvar")
        waiting.cancel()
        await asyncio.wait({waiting})
        assert responses(watched) == {}


async def test_a_half_answered_list_ends(peer: AmiPeer) -> None:
    def half(action: Headers) -> bytes | None:
        if action["Action"] != "Status":
            return friendly(action)
        entry = message(Event="Status", ActionID=action["ActionID"], Uniqueid="1")
        return success(action, Message="Channel status will follow", EventList="start") + entry

    async with connected(peer, action_timeout_s=0.05) as watched:
        peer.reply = half
        with pytest.raises(ActionTimeout):
            await watched.link.action_list("Status")
        assert responses(watched) == {}


async def test_a_list_is_returned_without_its_frame(peer: AmiPeer) -> None:
    def channels(action: Headers) -> bytes | None:
        if action["Action"] != "CoreShowChannels":
            return friendly(action)
        ours = {"ActionID": action["ActionID"]}
        entries = b"".join(message(Event="CoreShowChannel", Uniqueid=str(number), **ours) for number in range(3))
        end = message(Event="CoreShowChannelsComplete", EventList="Complete", **ours)
        return success(action, EventList="start", Message="Channels will follow") + entries + end

    async with connected(peer) as watched:
        peer.reply = channels
        assert [one["Uniqueid"] for one in await watched.link.action_list("CoreShowChannels")] == ["0", "1", "2"]


async def test_a_refused_list_ends_at_once(peer: AmiPeer) -> None:
    """Stock panoramisk waits for the rest of a list that will never come."""
    async with connected(peer, action_timeout_s=WAIT_S) as watched:
        peer.reply = lambda action: message(Response="Error", ActionID=action["ActionID"], Message="Permission denied")
        with pytest.raises(ActionRefused) as caught:
            await watched.link.action_list("CoreShowChannels")
        assert caught.value.message == "Permission denied"


async def test_originate_ends_with_its_response(peer: AmiPeer) -> None:
    """Its outcome, OriginateResponse, may be filtered out; where it is wanted it is an event like any other.

    Stock panoramisk waits for it for ever, and without an Async header drops the link by KeyError.
    """

    def queued(action: Headers) -> bytes | None:
        if action["Action"] != "Originate":
            return friendly(action)
        outcome = {"Response": "Failure", "ActionID": action["ActionID"]}
        return success(action, Message="Originate successfully queued") + message(Event="OriginateResponse", **outcome)

    async with connected(peer, frozenset({b"OriginateResponse"})) as watched:
        peer.reply = queued
        answer = await watched.link.action("Originate", Channel="Local/s@x", Async="false")
        assert answer["Message"] == "Originate successfully queued"
        assert (await watched.event())["Response"] == "Failure"
        await watched.link.action("PlayDTMF", Digit="1")
    assert peer.named("Originate")[0]["Async"] == "true"
    assert peer.named("PlayDTMF")[0]["Async"] == "true"


async def test_no_fully_booted_is_waited_for(peer: AmiPeer) -> None:
    """A user without the class `system` is never told; this peer sends no event at all."""
    async with connected(peer) as watched:
        assert (await watched.link.action("Ping"))["Response"] == "Success"


@pytest.mark.parametrize("text", ["a\r\nAction: Hangup", "a\nb", "a\rb", "a\0b", "x" * 1100, "\ud800"])
async def test_a_value_cannot_carry_a_second_action(peer: AmiPeer, text: str) -> None:
    """On a real Asterisk the first of these runs two actions."""
    async with connected(peer) as watched:
        with pytest.raises(ActionUnsafe):
            await watched.link.action("Setvar", Variable="A", Value=text)
        with pytest.raises(ValueError, match="Setvar"):
            await watched.link.action("Setvar", Variable=["fine", text])
        with pytest.raises(ActionUnsafe):
            await watched.link.action(text)
    assert peer.named("Setvar") == []


@pytest.mark.parametrize("key", ["A\r\nAction", "A: b\r\n", "", "A B", "ActionID", "actionid"])
async def test_neither_can_a_key(peer: AmiPeer, key: str) -> None:
    async with connected(peer) as watched:
        with pytest.raises(ActionUnsafe):
            await watched.link.action("Setvar", **{key: "a"})  # type: ignore[arg-type]
    assert peer.named("Setvar") == []


async def test_events_keep_their_order_and_a_faulty_handler_costs_one(peer: AmiPeer) -> None:
    async with connected(peer) as watched:

        def faulty(event: Headers) -> None:
            if event["Uniqueid"] == "3":
                raise RuntimeError
            watched.events.put_nowait(event)

        watched.on_event = faulty
        peer.send(b"".join(message(Event="Hangup", Uniqueid=str(number)) for number in range(8)))
        assert [(await watched.event())["Uniqueid"] for _ in range(7)] == list("0124567")
        assert watched.link.connected
        assert watched.link.counts["event_failures"] == 1


async def test_stop_ends_every_wait(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        peer.reply = mute("Getvar")
        waiting = asyncio.create_task(watched.link.action("Getvar"))
        await peer.got("Getvar")
        await watched.link.stop()
        with pytest.raises(NotConnected):
            await waiting


async def test_garbage_before_and_between_is_survived(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        peer.send(bytes(range(256)) * 40 + b"\r\n\r\n: \r\n\r\nEvent\r\n\r\n" + message(Event="Hangup", Uniqueid="7"))
        assert (await watched.event())["Uniqueid"] == "7"


async def test_stock_panoramisk_replays(peer: AmiPeer) -> None:
    """The worst of the faults this link guards against, on the library as it is."""
    log = logging.getLogger("stock")
    stock = Manager(port=peer.port, username="u", secret="s", reconnect_timeout=0, log=log)
    peer.reply = mute("Originate")
    stock.connect()
    await peer.got("Login")
    await until(lambda: stock.authenticated)
    future = stock.send_action({"Action": "Originate", "Channel": "Local/s@x"})
    await peer.got("Originate")
    peer.drop()
    await peer.got("Login", count=2)
    peer.send(message(Event="FullyBooted"))
    await peer.got("Originate", count=2)
    stock.connection_lost = lambda exc: None
    stock.close()
    future.cancel()


def responses(watched: Watched) -> dict[str, Any]:
    session = watched.link._session
    assert session is not None
    assert session.protocol is not None
    return session.protocol.responses


async def test_a_refused_action_is_freed_at_once(peer: AmiPeer) -> None:
    """An error that holds the frame in which it was raised, which holds the error, waits for the garbage collector."""
    async with connected(peer) as watched:
        peer.reply = lambda action: message(Response="Error", ActionID=action["ActionID"], Message="No such channel")
        with cycles_left() as found:
            for _ in range(3):
                with pytest.raises(ActionRefused):
                    await watched.link.action("Hangup", Channel="PJSIP/1")
        assert not found
