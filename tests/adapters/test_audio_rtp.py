"""Taps by RTP over real sockets: what is heard, who is not let in, what keeps them and what ends them."""

import asyncio
import socket
import struct
from collections import Counter
from functools import partial
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.audio import rtp as adapter
from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.rtp import LATE, RtpStream
from callflow.adapters.audio.tap import Tap
from callflow.core import events
from callflow.core.heard import Heard
from callflow.errors import ActionRefused, TapFailed
from callflow.sound import mulaw
from tests.adapters.audio_peer import Exchange, rtp, tone
from tests.adapters.waiting import until

FRAME_BYTES = 320


def frame(number: int) -> bytes:
    """Samples that tell which packet they came in, unchanged by mu-law."""
    return int(mulaw.decode(bytes([number % 128]))[0]).to_bytes(2, "little", signed=True) * 160


def heard(*batches: list[bytes]) -> tuple[list[bytes], Counter[str]]:
    """The frames of these packets, read in so many turns; and what was dropped."""
    dropped = Counter[str]()
    stream = RtpStream(dropped)
    pcm = b"".join(stream.samples(batch) for batch in batches)
    return [pcm[start : start + FRAME_BYTES] for start in range(0, len(pcm), FRAME_BYTES)], dropped


@given(st.integers(0, 65535), st.integers(1, 60), st.data())
def test_whatever_is_lost_or_comes_late_the_rest_is_heard_in_order_and_once(
    first: int, length: int, data: st.DataObject
) -> None:
    """Of packets that come together any order is put right; one that comes again, or after a later turn, is dropped."""
    sent = list(range(first, first + length))
    come = data.draw(st.lists(st.sampled_from(sent), min_size=1, max_size=2 * length))
    begin = [first - 1]  # its number is known: the first packet of all can have none before it
    turns = data.draw(st.lists(st.integers(1, 5), min_size=len(come), max_size=len(come)))
    batches, at = [begin], 0
    for size in turns:
        if at < len(come):
            batches.append(come[at : at + size])
            at += size
    frames, dropped = heard(*([rtp(number, frame(number)) for number in batch] for batch in batches))
    expected, newest = [], first - 2
    for batch in batches:
        for number in sorted(batch):
            if number > newest:
                expected.append(frame(number))
                newest = number
    assert frames == expected
    assert len(frames) + dropped["late"] == len(begin) + len(come)


def test_a_lost_packet_leaves_no_gap() -> None:
    assert heard([rtp(1, frame(1)), rtp(4, frame(4))]) == ([frame(1), frame(4)], {})


@pytest.mark.parametrize("jump", [-LATE - 50, -8000, 40_000, 3000])
def test_a_stream_that_begins_anew_is_heard_on(jump: int) -> None:
    """Asterisk 22 goes deaf at this; the tap must not."""
    sent = [rtp(10_000 + number, frame(number)) for number in (0, 1)]
    again = [rtp(10_000 + jump + number, frame(number)) for number in (2, 3)]
    assert heard(sent, again) == ([frame(number) for number in range(4)], {})


def test_a_new_source_is_heard_after_the_old_one() -> None:
    sent = [rtp(500, frame(1)), rtp(3, frame(2), source=8), rtp(4, frame(3), source=8)]
    assert heard(sent) == ([frame(1), frame(2), frame(3)], {})


def header(first: int = 0x80, second: int = 0) -> bytes:
    return struct.pack("!BBHII", first, second, 1, 160, 7)


NO_AUDIO = {
    "nothing": (b"", "no RTP"),
    "half a header": (header()[:11], "no RTP"),
    "RTP of another version": (header(0x40) + bytes(160), "no RTP"),
    "comfort noise": (header(second=13) + b"\x40", "wrong payload type"),
    "A-law": (header(second=8) + bytes(160), "wrong payload type"),
    "RTCP": (header(0x81, 200) + bytes(16), "wrong payload type"),
    "no payload": (header(), "wrong length"),
    "too much": (header() + bytes(1601), "wrong length"),
    "sources that are not there": (header(0x8F) + bytes(20), "wrong length"),
    "an extension that is not there": (header(0x90), "no RTP"),
    "an extension beyond the end": (header(0x90) + b"\0\0\xff\xff" + bytes(160), "wrong length"),
    "more padding than there is": (header(0xA0) + b"\xff" * 160, "wrong length"),
}


@pytest.mark.parametrize("what", NO_AUDIO)
def test_what_is_no_audio_is_left_out_and_counted(what: str) -> None:
    packet, reason = NO_AUDIO[what]
    assert heard([rtp(1, frame(1)), packet, rtp(2, frame(2))]) == ([frame(1), frame(2)], {reason: 1})


def test_everything_around_the_audio_is_cut_off() -> None:
    extended = header(0xB1) + bytes(4) + b"\xbe\xde\0\1" + bytes(4) + b"\x05" * 160 + b"\0\0\3"
    assert heard([extended])[0] == [frame(5)]


@given(st.lists(st.binary(max_size=300)))
def test_no_packet_breaks_it(packets: list[bytes]) -> None:
    assert len(list(chain(*heard(packets)))) >= 0


# -- over sockets -----------------------------------------------------------------------------------------------------


def by_rtp(patience: Patience | None = None, *, answers: bool = True, **options: object) -> Exchange:
    made = TapOptions.model_validate({"transport": "rtp"} | options)
    return Exchange(made, answers=answers, patience=patience or Patience())


def taken_in(tap: Tap, heard_ms: int) -> bool:
    """Take in what has come; True once so much audio has."""
    tap.take_in()
    return tap.heard_ms >= heard_ms


@pytest.mark.parametrize(
    ("transport", "has_audio_socket", "is_by_rtp"),
    [("auto", True, False), ("auto", False, True), ("rtp", True, True), ("audiosocket", False, False)],
)
async def test_what_asterisk_offers_is_used(transport: str, has_audio_socket: bool, is_by_rtp: bool) -> None:
    async with Exchange(TapOptions.model_validate({"transport": transport})) as exchange:
        exchange.has_audio_socket = has_audio_socket
        assert await exchange.taps.open("call", "1.1", some_will_do=True) is not is_by_rtp
        assert (len(exchange.rtp_peers), len(exchange.peers)) == ((1, 0) if is_by_rtp else (0, 1))


async def test_screening_needs_all_of_the_audio() -> None:
    """Asterisk 16 leaves frames out."""
    async with by_rtp() as exchange:
        for number in range(5):
            with pytest.raises(TapFailed, match="in talks alone"):
                await exchange.taps.open(f"call{number}", "1.1")
        await exchange.taps.open("talk", "1.1", some_will_do=True)
        assert exchange.taps.counts == {"opened": 1}


async def test_a_caller_is_heard_and_our_close_ends_the_channel() -> None:
    async with by_rtp() as exchange:
        await exchange.taps.open("call", "1.1", some_will_do=True)
        ((uniqueid, channel_id),), (peer,) = exchange.asked, exchange.rtp_peers
        assert uniqueid == "1.1"
        exchange.taps.begin_window("call")
        peer.send(tone(1000))
        await exchange.until_told(events.MediaBegan)
        await until(lambda: (found := exchange.taps.finding("call")) and found.heard is Heard.TONE)
        assert exchange.taps.quiet_ms("call") == 0
        exchange.taps.close("call")
        assert exchange.hung_up == [channel_id]
    assert exchange.told == [events.MediaBegan("call", 0)], "a tone is no voice, and a tap we close is not lost"


async def test_only_the_port_of_its_own_channel_is_heard() -> None:
    """Before that port is known and afterwards."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        async with by_rtp() as exchange:
            original = exchange.open_rtp_tap

            async def flooded(channel_id: str, uniqueid: str, address: str) -> tuple[str, int]:
                host, _, port = address.rpartition(":")
                for number in range(400):
                    stranger.sendto(rtp(number, tone(20)), (host, int(port)))
                return await original(channel_id, uniqueid, address)

            exchange.open_rtp_tap = flooded  # type: ignore[method-assign]
            await exchange.taps.open("call", "1.1", some_will_do=True)
            (peer,) = exchange.rtp_peers
            stranger.connect(peer.to)
            stranger.send(rtp(400, tone(20)))
            with pytest.raises(ConnectionRefusedError):
                stranger.send(rtp(401, tone(20)))
            peer.send(tone(40))
            tap = exchange.taps._taps["call"]
            await until(partial(taken_in, tap, 40))
            assert tap.heard_ms == 40


async def test_asterisk_is_asked_again_and_again_to_keep_the_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "KEEP_ALIVE_TURNS", 3)
    async with by_rtp() as exchange:
        await exchange.taps.open("call", "1.1", some_will_do=True)
        await until(lambda: len(exchange.kept) >= 3)
        assert set(exchange.kept) == {exchange.asked[0][1]}


async def test_a_channel_that_ends_is_a_lost_tap() -> None:
    async with by_rtp() as exchange:
        await exchange.taps.open("call", "1.1", some_will_do=True)
        await exchange.taps.open("other", "1.2", some_will_do=True)
        exchange.taps.channel_ended("1.1")
        exchange.taps.channel_ended(exchange.asked[0][1])
        assert await exchange.until_told(events.TapLost) == events.TapLost("call", "Asterisk ended the tap")
        assert exchange.taps.live == 1
        assert exchange.taps.quiet_ms("other") is not None


async def test_a_tap_that_ends_with_its_caller_is_not_called_lost() -> None:
    async with by_rtp() as exchange:
        await exchange.taps.open("call", "1.1", some_will_do=True)
        exchange.taps.channel_ended(exchange.asked[0][1])
        exchange.taps.close("call")
        await asyncio.sleep(0.3)
        assert exchange.told == []


async def test_an_asterisk_without_chan_rtp_is_not_asked_for_every_call() -> None:
    async with by_rtp() as exchange:
        exchange.failing = ActionRefused("Originate", "Originate failed")
        for number in range(5):
            with pytest.raises(TapFailed):
                await exchange.taps.open(f"call{number}", "1.1", some_will_do=True)
        assert exchange.taps.counts == {"not had": 3, "resting": 2}
        assert exchange.taps.live == 0


async def test_a_caller_who_leaves_while_the_channel_is_made_leaves_none_behind() -> None:
    async with by_rtp(Patience(open_timeout_s=0.05), answers=False) as exchange:
        opening = asyncio.create_task(exchange.taps.open("call", "1.1", some_will_do=True))
        await until(lambda: exchange.asked)
        exchange.taps.close("call")
        with pytest.raises(TapFailed, match="over"):
            await opening
        assert exchange.hung_up == [exchange.asked[0][1]]
        assert exchange.taps.counts == {}


async def test_a_channel_that_begins_behind_its_end_is_ended_again() -> None:
    async with by_rtp() as exchange:
        exchange.answers_after_s = 0.05
        opening = asyncio.create_task(exchange.taps.open("call", "1.1", some_will_do=True))
        await until(lambda: exchange.asked)
        exchange.taps.close("call")
        with pytest.raises(TapFailed, match="over"):
            await opening
        assert exchange.hung_up == 2 * [exchange.asked[0][1]]


async def test_an_asterisk_that_does_not_answer_is_told_to_end_what_it_may_have_begun() -> None:
    async with by_rtp(Patience(open_timeout_s=0.05), answers=False) as exchange:
        with pytest.raises(TapFailed):
            await exchange.taps.open("call", "1.1", some_will_do=True)
        assert exchange.hung_up == [exchange.asked[0][1]]
