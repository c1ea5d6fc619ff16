"""AMI as a real Asterisk speaks it: every expected answer here was taken down from Asterisk 22.10 and 16.28."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import ASTERISK_16, ASTERISK_22, Flavour
from callflow.simulator.pretend.world import Places
from tests.simulator.pretend.stage import Peer, free_port, in_virtual_time, scenario

QUIET = scenario([{"name": "silent", "at_s": 0.0, "media": "none"}])
CHANNEL = "PJSIP/caller-00000000"


def with_peer(work: Callable[[Peer, PretendAsterisk], Awaitable[None]], flavour: Flavour = ASTERISK_22) -> None:
    async def main() -> None:
        asterisk = PretendAsterisk(QUIET, Places(free_port()), flavour=flavour)
        await asterisk.start(0)
        peer = await Peer.to(asterisk.ami.port)
        try:
            await work(peer, asterisk)
        finally:
            peer.writer.close()
            asterisk.close()

    in_virtual_time(main)


@pytest.mark.parametrize(("flavour", "banner"), [(ASTERISK_22, "11.0.0"), (ASTERISK_16, "5.0.4")])
def test_the_banner_names_the_protocol_and_comes_first(flavour: Flavour, banner: str) -> None:
    async def work(peer: Peer, _: PretendAsterisk) -> None:
        assert await peer.reader.readline() == f"Asterisk Call Manager/{banner}\r\n".encode()
        answer = await peer.login()
        assert answer == {"Response": "Success", "ActionID": "in", "Message": "Authentication accepted"}

    with_peer(work, flavour)


@pytest.mark.parametrize(
    "login", [("Username: callflow", "Secret: wrong"), ("Username: nobody", "Secret: x"), ("Username: callflow",)]
)
def test_a_refusal_takes_a_second_and_closes(login: tuple[str, ...]) -> None:
    async def work(peer: Peer, _: PretendAsterisk) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await peer.ask("Action: Login", *login, "ActionID: l0")
        assert answer["Response"] == "Error"
        assert answer["Message"] == "Authentication failed"
        assert loop.time() - began == pytest.approx(1.0, abs=0.01)
        assert await peer.reader.read() == b""

    with_peer(work)


def test_nothing_is_done_before_the_login() -> None:
    async def work(peer: Peer, _: PretendAsterisk) -> None:
        answer = await peer.ask("Action: Ping", "ActionID: before-login")
        assert (answer["Response"], answer["Message"]) == ("Error", "Permission denied")

    with_peer(work)


ANSWERS = [
    ("Action: Nonsense",
     "Invalid/unknown command: Nonsense. Use Action: ListCommands to show available commands."),
    ("X: y", "Missing action in request"),
    ("Action: Command\r\nCommand: core show channels", "Permission denied"),
    ("Action: Filter\r\nOperation: Add\r\nFilter: Event: Hangup", "Permission denied"),
    ("Action: Setvar\r\nChannel: PJSIP/none-1\r\nVariable: X\r\nValue: 1", "No such channel"),
    ("Action: Setvar\r\nChannel: PJSIP/none-1\r\nValue: 1", "No variable specified"),
    ("Action: ControlPlayback\r\nChannel: PJSIP/none-1\r\nControl: stop", "No such channel"),
    ("Action: ControlPlayback\r\nControl: stop", "Channel not specified"),
    ("Action: ControlPlayback\r\nChannel: PJSIP/none-1", "Control not specified"),
    ("Action: Hangup\r\nChannel: PJSIP/none-1", "No such channel"),
    ("Action: Hangup", "No channel specified"),
    ("Action: Redirect\r\nChannel: PJSIP/none-1\r\nContext: x\r\nExten: s", "Channel does not exist: PJSIP/none-1"),
    ("Action: ShowDialPlan\r\nContext: nope", "Did not find context nope"),
    ("Action: Originate\r\nChannel: Local\r\nContext: callflow-check\r\nExten: tone", "Invalid channel"),
    ("Action: Originate\r\nContext: callflow-check\r\nExten: tone", "Channel not specified"),
    ("Action: Originate\r\nChannel: Local/s@callflow-check/n\r\nContext: callflow-check\r\nExten: nope",
     "Extension does not exist."),
    ("Action: Challenge\r\nAuthType: XYZ", "Must specify AuthType"),
    ("Action: Ping\r\nX: " + "x" * 1100, "Failed to parse message: line too long"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "message"), ANSWERS)
def test_errors_are_worded_as_asterisk_words_them(asked: str, message: str) -> None:
    async def work(peer: Peer, _: PretendAsterisk) -> None:
        await peer.login()
        answer = await peer.ask(asked, "ActionID: e")
        assert answer == {"Response": "Error", "ActionID": "e", "Message": message}

    with_peer(work)


def test_lines_may_be_split_anywhere_and_names_have_no_case() -> None:
    async def work(peer: Peer, _: PretendAsterisk) -> None:
        await peer.login()
        for piece in ("action: pi", "ng\r", "\nactionid: 中文", "\r\n\r", "\n"):
            peer.send(piece)
            await asyncio.sleep(0.01)
        assert (await peer.message())["ActionID"] == "中文"
        peer.send("Action: Ping\nActionID: bare\n\nAction: Ping\r\nActionID: two\r\n\r\n")
        assert [(await peer.message())["ActionID"] for _ in range(2)] == ["bare", "two"]

    with_peer(work)


def test_a_live_channel_takes_functions_and_variables_as_asterisk_does() -> None:
    async def work(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.login("off")
        asterisk.begin()
        await asyncio.sleep(0.2)

        async def said(variable: str, value: str) -> str:
            headers = f"Channel: {CHANNEL}", f"Variable: {variable}", f"Value: {value}"
            return (await peer.ask("Action: Setvar", *headers))["Message"]

        assert await said("TALK_DETECT(set)", "160,256") == "Variable Set"
        assert await said("TALK_DETECT(remove)", "") == "Variable Set"
        assert await said("TALK_DETECT(remove)", "") == "Variable not set"
        assert await said("TALK_DETECT(set)", "") == "Variable Set"
        assert await said("TALK_DETECT(set)", "x,y") == "Variable not set"
        assert await said("NOPE(x)", "1") == "Variable not set"
        assert await said("X", "1") == "Variable Set"
        got = await peer.ask("Action: Getvar", f"Channel: {CHANNEL}", "Variable: X")
        assert (got["Variable"], got["Value"]) == ("X", "1")
        stopped = await peer.ask("Action: ControlPlayback", f"Channel: {CHANNEL}", "Control: stop", "ActionID: c")
        assert stopped == {"Response": "Success", "ActionID": "c"}
        wrong = await peer.ask("Action: ControlPlayback", f"Channel: {CHANNEL}", "Control: nonsense")
        assert wrong["Message"] == "Unknown control type"

    with_peer(work)


def test_a_list_begins_and_ends_as_asterisk_s() -> None:
    async def work(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.login("off")
        asterisk.begin()
        await asyncio.sleep(1.5)
        answer = await peer.ask("Action: CoreShowChannels", "ActionID: csc")
        assert answer["EventList"] == "start"
        channels = [await peer.message() for _ in range(2)]
        agent, caller = channels
        assert list(caller) == [
            "Event",
            "ActionID",
            "Channel",
            "ChannelState",
            "ChannelStateDesc",
            "CallerIDNum",
            "CallerIDName",
            "ConnectedLineNum",
            "ConnectedLineName",
            "Language",
            "AccountCode",
            "Context",
            "Exten",
            "Priority",
            "Uniqueid",
            "Linkedid",
            "Application",
            "ApplicationData",
            "Duration",
            "BridgeId",
        ]
        assert (caller["Channel"], caller["Application"], caller["Duration"]) == (CHANNEL, "Dial", "00:00:01")
        assert agent["BridgeId"] == caller["BridgeId"] != ""
        end = await peer.message()
        assert (end["Event"], end["EventList"], end["ListItems"]) == ("CoreShowChannelsComplete", "Complete", "2")

    with_peer(work)


def test_only_wanted_classes_of_events_are_sent() -> None:
    async def work(peer: Peer, asterisk: PretendAsterisk) -> None:
        assert (await peer.login("user"))["Response"] == "Success"
        asterisk.begin()
        event = await peer.message()
        assert (event["Event"], event["Privilege"], event["UserEvent"]) == ("UserEvent", "user,all", "LabResult")
        seconds, micros = event["Timestamp"].split(".")
        assert len(seconds) == 10
        assert len(micros) == 6

    with_peer(work)


def test_a_peer_that_does_not_read_is_cut_off_and_the_others_are_served() -> None:
    async def work(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.login()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        healthy = await Peer.to(asterisk.ami.port)
        await healthy.login("off")
        for _ in range(200):
            asterisk.ami.emit("call", "Filler", f"X: {'x' * 60_000}\r\n")
        await asyncio.sleep(6)
        assert asterisk.ami.cut_off == 1
        assert asterisk.ami.logged_in == 1
        assert (await healthy.ask("Action: Ping"))["Ping"] == "Pong"
        healthy.writer.close()

    with_peer(work)


def test_a_restart_loses_every_call_and_comes_back_on_the_same_port() -> None:
    async def work(peer: Peer, asterisk: PretendAsterisk) -> None:
        await peer.login("off")
        port = asterisk.ami.port
        asterisk.begin()
        await asyncio.sleep(0.7)
        await asterisk.restart(0.5)
        assert await peer.reader.read() == b""
        assert asterisk.results == {"lost": 1}
        assert not asterisk.status().in_progress
        again = await Peer.to(port)
        assert (await again.login())["Response"] == "Success"
        again.writer.close()

    with_peer(work)
