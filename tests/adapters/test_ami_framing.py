"""Bytes to messages: whole characters, whole messages, only wanted events, and no way to break it."""

import asyncio
from collections import Counter
from itertools import count, pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.ami_protocol import AMIProtocol

from callflow.adapters.ami.framing import PendingAction, parse
from callflow.adapters.ami.protocol import MAX_MESSAGE_BYTES, GatedProtocol
from callflow.errors import NotConnected

WANTED = frozenset({b"Hangup", b"ChannelTalkingStart"})
NAME = "王小姐 Zoë 😀"


class Line:
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        self.aborted = self.closed = False
        self.written = b""
        self.writes = 0
        self.paused = False

    def write(self, data: bytes) -> None:
        self.written += data
        self.writes += 1

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.closed = True


class Owner:
    """What a protocol needs of its session."""

    def __init__(self) -> None:
        self.loop = SimpleNamespace(time=lambda: 0.0, call_soon=lambda do: asyncio.get_running_loop().call_soon(do))
        self.log = structlog.get_logger()
        self.counts: Counter[str] = Counter()
        self.events: list[dict[str, str]] = []
        self.lost: list[str] = []

    def dispatch(self, event: dict[str, str]) -> None:
        self.events.append(event)

    def connection_lost(self, reason: str) -> None:
        self.lost.append(reason)


def protocol(wanted: frozenset[bytes] = WANTED) -> tuple[Any, Owner, Line]:
    owner, line = Owner(), Line()
    made = GatedProtocol(wanted, owner)
    made.connection_made(line)  # type: ignore[arg-type]
    return made, owner, line


def event(name: str, **headers: str) -> bytes:
    lines = {"Event": name, "Privilege": "call,all", **headers}
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n"


def test_a_character_split_over_two_segments_is_whole() -> None:
    raw = event("Hangup", CallerIDName=NAME)
    for cut in range(len(raw) + 1):
        made, owner, _ = protocol()
        made.data_received(raw[:cut])
        made.data_received(raw[cut:])
        assert [one["CallerIDName"] for one in owner.events] == [NAME]


def test_stock_panoramisk_loses_that_character() -> None:
    """The fault this is about."""
    seen: list[str] = []
    stock = AMIProtocol()
    stock.connection_made(Line())
    stock.encoding = "utf8"
    stock.factory = SimpleNamespace(dispatch=lambda message: seen.append(message["CallerIDName"]))
    raw = event("Hangup", CallerIDName=NAME)
    cut = raw.index("姐".encode()) + 1
    stock.data_received(raw[:cut])
    stock.data_received(raw[cut:])
    assert "姐" not in seen[0]


headers = st.dictionaries(
    st.sampled_from(["Uniqueid", "Channel", "CallerIDName", "Duration", "Cause-txt"]),
    st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20),
)
names = st.sampled_from(["Hangup", "ChannelTalkingStart", "ChannelTalkingStop", "Newexten", "HangupX", "Hang"])


@given(st.lists(st.tuples(names, headers), max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_any_chunking_gives_the_same_wanted_events(events: list[tuple[str, dict[str, str]]], cuts: list[int]) -> None:
    raw = b"Asterisk Call Manager/9.0.0\r\n" + b"".join(event(name, **lines) for name, lines in events)
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    made, owner, _ = protocol()
    for start, end in pairwise(edges):
        made.data_received(raw[start:end])
    assert owner.events == [
        {"Event": name, "Privilege": "call,all", **lines} for name, lines in events if name.encode() in WANTED
    ]


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n\r\n", b"Event: Hangup\r\n", b": ", b"Response: "])))
def test_garbage_is_survived(chunks: list[bytes]) -> None:
    made, _, _ = protocol()
    for chunk in chunks:
        made.data_received(chunk)
    made.data_received(b"\r\n\r\n")
    made.data_received(event("Hangup"))


def test_a_message_without_an_end_is_cut_off() -> None:
    made, owner, line = protocol()
    for _ in range(MAX_MESSAGE_BYTES // 65536 + 1):
        made.data_received(b"x" * 65536)
    assert line.aborted
    assert owner.lost == ["a message without an end"]


def test_a_dribbling_peer_is_cut_off_too() -> None:
    made, _, line = protocol()
    for _ in range(MAX_MESSAGE_BYTES + 1):
        made.data_received(b"x")
    assert line.aborted


def test_one_line_break_too_many_hides_no_event() -> None:
    made, owner, _ = protocol()
    made.data_received(event("Newexten") + b"\r\n" + event("Hangup"))
    assert len(owner.events) == 1


def test_a_repeated_header_keeps_all_its_values() -> None:
    message = parse(b"Event: Hangup\r\nChanVariable: a=1\r\nChanVariable: b=2\r\nno header\r\nEmpty: ")
    assert message == {"Event": "Hangup", "ChanVariable": "a=1\nb=2", "Empty": ""}


async def test_an_exception_in_a_callback_does_not_drop_the_link() -> None:
    """Stock panoramisk lets it out of data_received, and asyncio then closes the connection."""
    made, owner, line = protocol()
    handled: list[str] = []

    def faulty(one: dict[str, str]) -> None:
        if one["Uniqueid"] == "1":
            raise KeyError("Linkedid")
        handled.append(one["Uniqueid"])

    owner.dispatch = faulty  # type: ignore[method-assign,assignment]
    made.data_received(b"".join(event("Hangup", Uniqueid=str(number)) for number in range(3)))
    assert handled == ["0", "2"]
    assert owner.counts["event_failures"] == 1
    assert not line.is_closing()


async def test_a_list_passes_the_gate_and_unwanted_events_in_its_midst_do_not() -> None:
    made, owner, _ = protocol()
    action = PendingAction({"Action": "CoreShowChannels"}, as_list=True)
    made.send(action)
    ours = {"ActionID": action.id}
    made.data_received(f"Response: Success\r\nActionID: {action.id}\r\nEventList: start\r\n\r\n".encode())
    made.data_received(event("CoreShowChannel", Uniqueid="1", **ours) + event("Newexten") + event("Hangup"))
    made.data_received(event("CoreShowChannelsComplete", EventList="Complete", **ours))
    assert [one.get("Uniqueid") for one in await action.future] == [None, "1", None]
    assert [one["Event"] for one in owner.events] == ["Hangup"]
    assert made.responses == {}
    assert made._lists == 0


async def test_a_flood_is_taken_in_over_several_turns_and_in_order() -> None:
    made, owner, line = protocol()
    clock = count()
    made._now = lambda: 0.004 * next(clock)  # every message takes 4 ms
    flood = b"".join(event("Hangup", Uniqueid=str(number)) for number in range(10))
    made.data_received(flood)
    assert line.paused
    assert 0 < len(owner.events) < 10
    made.data_received(event("Hangup", Uniqueid="10"))  # what was in the transport's hands already
    for _ in range(10):
        await asyncio.sleep(0)
    assert not line.paused
    assert [one["Uniqueid"] for one in owner.events] == [str(number) for number in range(11)]


async def test_what_had_come_before_the_end_is_taken_in() -> None:
    made, owner, _ = protocol()
    clock = count()
    made._now = lambda: 0.02 * next(clock)
    made.data_received(b"".join(event("Hangup", Uniqueid=str(number)) for number in range(5)))
    made.connection_lost(None)
    assert len(owner.events) == 5


async def test_what_is_sent_in_one_turn_goes_out_together_and_in_order() -> None:
    made, _, line = protocol()
    made.send(PendingAction({"Action": "Hangup"}))
    made.send(PendingAction({"Action": "Ping"}))
    await asyncio.sleep(0)
    assert line.writes == 1
    assert line.written.index(b"Action: Hangup") < line.written.index(b"Action: Ping")
    made.send(PendingAction({"Action": "Ping"}))
    made.close()  # what was asked for before it is still sent
    assert line.written.count(b"Action: Ping") == 2


@pytest.mark.parametrize("way", ["close", "abort", "connection_lost"])
async def test_whoever_waits_is_told_at_once_when_the_connection_ends(way: str) -> None:
    made, owner, line = protocol()
    action = PendingAction({"Action": "Hangup"})
    future = made.send(action)
    await asyncio.sleep(0)  # actions are written together, at the end of the turn
    ends = {
        "close": made.close,
        "abort": lambda: made.abort("why"),
        "connection_lost": lambda: made.connection_lost(None),
    }
    ends[way]()
    with pytest.raises(NotConnected):
        await future
    assert made.responses == {}
    assert len(owner.lost) == 1
    with pytest.raises(NotConnected):
        made.send(PendingAction({"Action": "Hangup"}))
    assert line.written.count(b"Action: Hangup") == 1
    await asyncio.sleep(0)
