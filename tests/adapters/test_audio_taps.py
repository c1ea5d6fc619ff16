"""Taps over real sockets: what is heard, what keeps them alive, what ends them, and who is not let in."""

import asyncio
import os
import time
from functools import partial
from pathlib import Path

import pytest

from callflow.adapters.audio.framing import SILENCE, Kind, frame
from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.tap import Tap
from callflow.adapters.audio.taps import CATCH_UP_FRAMES, FRAMES_A_TICK
from callflow.core import events
from callflow.core.heard import Heard
from callflow.errors import ActionUnsafe, LinkError, NotConnected, TapFailed
from callflow.hearing import Listener
from tests.adapters.audio_peer import Exchange, Peer, ended, tone, unread
from tests.adapters.waiting import until
from tests.garbage import cycles_left
from tests.hearing.callers import voice


def audio(pcm: bytes) -> bytes:
    """PCM in frames of 20 ms."""
    return b"".join(frame(Kind.AUDIO, pcm[start : start + 320]) for start in range(0, len(pcm), 320))


async def test_a_caller_is_heard_and_kept_alive_by_silence() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        (peer,) = exchange.peers
        async with asyncio.timeout(1):
            assert await peer.reader.readexactly(3 * len(SILENCE)) == 3 * SILENCE
        exchange.taps.begin_window("call")
        peer.send(audio(bytes(3200)))
        peer.send(audio(tone(1000)))
        await exchange.until_told(events.MediaBegan)
        await until(lambda: (found := exchange.taps.finding("call")) and found.heard is Heard.TONE)
        exchange.taps.close("call")
        assert await peer.closed()
    assert exchange.told == [events.MediaBegan("call", 0)], "a tone is no voice, and a tap we close is not lost"


async def test_no_audio_is_no_finding() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        assert exchange.taps.finding("call") is None
        assert exchange.taps.finding("stranger") is None


async def test_a_tap_that_is_not_had_is_freed_at_once() -> None:
    """Its tapes take 300 KB: on a busy machine, hundreds waited for the garbage collector."""
    async with Exchange(patience=Patience(open_timeout_s=0.05), answers=False) as exchange:
        with cycles_left() as found:
            opening = asyncio.create_task(exchange.taps.open("call", "1.1"))
            await asyncio.wait([opening])
            assert isinstance(opening.exception(), TapFailed)
            del opening
        assert not found


async def test_a_tap_that_asterisk_ends_is_lost() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.peers[0].send(frame(Kind.HANG_UP, b""))
        lost = await exchange.until_told(events.TapLost)
        assert lost == events.TapLost("call", "Asterisk ended the tap")
        assert exchange.taps.live == 0


async def test_an_end_of_file_is_answered_at_once_by_closing() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.peers[0].writer.write_eof()
        assert await exchange.peers[0].closed(0.5)


async def test_a_tap_that_ends_with_its_caller_is_not_called_lost() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.taps._ticker.stop()
        tap = exchange.taps._taps["call"]
        exchange.peers[0].close()
        await until(partial(ended, tap))
        exchange.taps.close("call")
        tap.take_in()
        exchange.taps._hear()
        assert exchange.told == []


async def test_above_max_taps_the_other_ear_serves_and_a_counter_says_so() -> None:
    async with Exchange(TapOptions(max_taps=1)) as exchange:
        await exchange.taps.open("one", "1.1")
        with pytest.raises(TapFailed, match="max_taps"):
            await exchange.taps.open("two", "1.2")
        assert exchange.taps.counts["over max_taps"] == 1
        exchange.taps.close("one")
        await exchange.taps.open("three", "1.3")


async def test_while_callflow_is_late_the_other_ear_serves_further_callers() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("one", "1.1")
        exchange.late_s = 0.2
        with pytest.raises(TapFailed, match=r"late by 0.2 s: \[tap\] max_lag_s"):
            await exchange.taps.open("two", "1.2")
        assert exchange.taps.counts == {"opened": 1, "late": 1}
        exchange.late_s = 0.1
        await exchange.taps.open("three", "1.3")
        assert exchange.taps.live == 2


async def test_an_asterisk_that_cannot_tap_is_not_asked_for_every_call() -> None:
    async with Exchange(patience=Patience(open_timeout_s=0.05), answers=False) as exchange:
        for number in range(5):
            with pytest.raises(TapFailed):
                await exchange.taps.open(f"call{number}", "1.1")
        assert len(exchange.asked) == 3
        assert exchange.taps.counts == {"not had": 3, "resting": 2}
        assert exchange.taps.live == 0


@pytest.mark.parametrize("refusal", [ActionUnsafe("Originate", "Variable", "has a NUL"), NotConnected("stopped")])
async def test_what_asterisk_was_never_asked_is_not_held_against_it(refusal: LinkError) -> None:
    """Three callers with an impossible uniqueid must not leave everybody else without a tap."""
    async with Exchange() as exchange:
        exchange.failing = refusal
        for number in range(10):
            with pytest.raises(TapFailed):
                await exchange.taps.open(f"call{number}", "1.1\0")
        exchange.failing = None
        await exchange.taps.open("call", "1.1")
        assert exchange.taps.counts == {"not asked": 10, "opened": 1}
        assert exchange.taps.live == 1


BAD_INPUT = {
    "unknown uuid": frame(Kind.UUID, bytes(16)),
    "no uuid first": SILENCE,
    "wrong kind or length": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("reason", BAD_INPUT)
async def test_a_stranger_is_closed_with_a_counter_and_no_call_notices(reason: str) -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        stranger = await Peer.connect(exchange.address)
        stranger.send(BAD_INPUT[reason])
        assert await stranger.closed()
        stranger.close()
        assert exchange.taps.refused == {reason: 1}
        exchange.peers[0].send(audio(tone(40)))
        await exchange.until_told(events.MediaBegan)


async def test_silence_on_the_socket_is_not_waited_for() -> None:
    async with Exchange(patience=Patience(uuid_timeout_s=0.05)) as exchange:
        stranger = await Peer.connect(exchange.address)
        assert await stranger.closed()
        stranger.close()
        assert exchange.taps.refused == {"no uuid in time": 1}


async def test_half_a_frame_and_nothing_more_is_counted() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.peers[0].send(SILENCE[:100])
        exchange.peers[0].close()
        assert await exchange.refusal() == "half a frame"
        await exchange.until_told(events.TapLost)


async def test_a_known_tap_that_sends_rubbish_is_closed_and_its_call_goes_on() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.peers[0].send(b"\x42\x00\x00")
        assert await exchange.refusal() == "wrong kind or length"
        assert await exchange.until_told(events.TapLost) == events.TapLost("call", "wrong kind or length")


async def test_a_flood_of_strangers_pushes_out_its_own() -> None:
    async with Exchange(patience=Patience(max_strangers=4)) as exchange:
        strangers = [await Peer.connect(exchange.address) for _ in range(12)]
        assert await exchange.refusal() == "too many strangers"
        await exchange.taps.open("call", "1.1")
        for stranger in strangers:
            stranger.close()


async def test_a_uuid_is_good_for_one_connection() -> None:
    async with Exchange() as exchange:
        await exchange.taps.open("call", "1.1")
        second = await Peer.connect(exchange.address)
        second.introduce(exchange.asked[0][1])
        assert await second.closed()
        second.close()
        assert exchange.taps.refused == {"unknown uuid": 1}


async def test_old_audio_is_deleted_at_the_start_though_nobody_calls(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sln", tmp_path / "new.sln"
    for file in (old, new):
        file.write_bytes(b"x")
    os.utime(old, (time.time() - 2 * 86_400,) * 2)
    async with Exchange(TapOptions(debug_audio_dir=tmp_path, debug_audio_days=1)):
        await until(lambda: not old.exists())
    assert await asyncio.to_thread(new.exists)


async def test_audio_is_stored_only_when_told(tmp_path: Path) -> None:
    async with Exchange(TapOptions(debug_audio_dir=tmp_path, debug_audio_days=1)) as exchange:
        await exchange.taps.open("call", "1.1")
        exchange.peers[0].send(audio(tone(100)))
        await exchange.until_told(events.MediaBegan)
    assert (tmp_path / "call.sln").read_bytes()[:320] == tone(100)[:320]


async def test_stored_audio_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "old.sln").touch(0o666)
    umask = os.umask(0)
    try:
        async with Exchange(TapOptions(debug_audio_dir=tmp_path)) as exchange:
            for call_id in ("old", "new"):
                await exchange.taps.open(call_id, "1.1")
    finally:
        os.umask(umask)
    assert {(tmp_path / f"{name}.sln").stat().st_mode & 0o777 for name in ("old", "new")} == {0o600}


async def test_a_full_disk_costs_the_recording_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "call.sln").symlink_to("/dev/full")
    async with Exchange(TapOptions(debug_audio_dir=tmp_path)) as exchange:
        await exchange.taps.open("call", "1.1")
        await exchange.taps.open("other", "1.2")
        exchange.peers[0].send(audio(bytes(32_000)))
        exchange.peers[1].send(audio(tone(1000)))
        await until(lambda: (found := exchange.taps.finding("other")) and found.heard is Heard.TONE)
        exchange.taps.close("call")
        assert exchange.taps.live == 1


async def test_callers_who_leave_before_they_are_tapped_are_no_failures() -> None:
    async with Exchange(patience=Patience(open_timeout_s=0.05), answers=False) as exchange:
        for number in range(5):
            opening = asyncio.create_task(exchange.taps.open(f"call{number}", "1.1"))
            await asyncio.sleep(0)
            exchange.taps.close(f"call{number}")
            with pytest.raises(TapFailed, match="over"):
                await opening
        assert exchange.taps.counts == {}


def taken_in(tap: Tap, heard_ms: int) -> bool:
    """Take in what has come; True once so much audio has."""
    tap.take_in()
    return tap.heard_ms == heard_ms


async def paused(exchange: Exchange, *late_ms: int) -> list[Tap]:
    """One tap for each, to whom so much audio has come and of whom nothing is judged: the test takes the steps."""
    for number in range(len(late_ms)):
        await exchange.taps.open(f"call{number}", f"1.{number}")
    exchange.taps._ticker.stop()
    taps = [exchange.taps._taps[f"call{number}"] for number in range(len(late_ms))]
    for tap, peer, ms in zip(taps, exchange.peers, late_ms, strict=True):
        peer.send(audio(tone(ms)))
        await until(partial(taken_in, tap, ms))
    return taps


async def test_who_is_seconds_behind_is_caught_up_over_many_ticks() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 4000)
        exchange.taps._hear()
        assert tap.listener.frames == FRAMES_A_TICK
        assert exchange.taps.finding("call0") is None, "most of it is not judged yet: Asterisk's own ear serves"
        assert tap.listener.frames == FRAMES_A_TICK + CATCH_UP_FRAMES
        while tap.listener.due:
            exchange.taps._hear()
        found = exchange.taps.finding("call0")
        assert found is not None
        assert (found.heard, found.heard_ms) == (Heard.TONE, 4000)


async def test_callers_who_are_all_behind_are_caught_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stall every caller is due at once: one after another, they were the next stall."""
    async with Exchange() as exchange:
        await paused(exchange, 500, 480, 300, 500, 20)
        steps: list[int] = []
        hearing, step = exchange.taps._hearing, exchange.taps._hearing.step

        def counted(due: list[Listener]) -> None:
            steps.append(len(due))
            step(due)

        monkeypatch.setattr(hearing, "step", counted)
        found = [exchange.taps.finding(f"call{number}") for number in range(5)]
        assert [one and one.heard_ms for one in found] == [448, 448, 256, 448, 0]
        assert len(steps) == 14
        assert max(steps) == 4


async def test_a_question_is_answered_from_all_that_has_come() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 0)
        sent = audio(tone(100)) + SILENCE[:100]
        exchange.peers[0].send(sent)
        await until(lambda: unread(tap) == len(sent))
        found = exchange.taps.finding("call0")
        assert found is not None
        assert (tap.heard_ms, found.heard_ms) == (100, 64), "all but one frame of 32 ms"
        exchange.peers[0].send(SILENCE[100:])
        await until(partial(taken_in, tap, 120))


async def test_a_window_begins_behind_all_that_has_come() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 0)
        exchange.peers[0].send(audio(tone(160)))
        await until(lambda: unread(tap) == len(audio(tone(160))))
        exchange.taps.begin_window("call0")
        assert (tap.heard_ms, exchange.taps.finding("call0")) == (160, None)


async def test_what_came_before_an_end_counts() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 0)
        exchange.peers[0].send(audio(tone(160)), frame(Kind.HANG_UP, b""))
        exchange.peers[0].close()
        await until(lambda: taken_in(tap, 160) and tap.connection is None)
        assert await exchange.until_told(events.TapLost) == events.TapLost("call0", "Asterisk ended the tap")
        assert tap.heard_ms == 160


async def test_who_is_behind_does_not_hold_up_the_others() -> None:
    async with Exchange() as exchange:
        late, *others = await paused(exchange, 4000, 40, 40)
        exchange.taps._hear()
        assert [tap.listener.frames for tap in (late, *others)] == [FRAMES_A_TICK, 1, 1]


async def test_a_finding_leaves_out_one_frame_at_most() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 320)
        assert exchange.taps.finding("call0") is not None
        assert (tap.listener.frames, tap.listener.waiting) == (9, 1)


async def test_a_voice_that_a_finding_comes_upon_is_told_at_the_next_step() -> None:
    async with Exchange() as exchange:
        (tap,) = await paused(exchange, 0)
        exchange.peers[0].send(audio(voice(-26, 1.0).tobytes()))
        await until(partial(taken_in, tap, 1000))
        exchange.taps.finding("call0")
        assert tap.listener.speaking is not None
        assert exchange.told == [], "nobody is told in the middle of a question"
        exchange.taps._hear()
        assert [type(event) for event in exchange.told] == [events.MediaBegan, events.VoiceBegan]
