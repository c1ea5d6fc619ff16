"""The audio that the lab plays, and what it recognises."""

import struct
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dpkt
import numpy as np
import numpy.typing as npt
import pytest

from callflow.installed import SOUNDS
from callflow.lab.prompts import PromptBook
from callflow.lab.rtp_pcap import Renumbering, write_stream
from callflow.lab.wire import Packet
from callflow.sound import mulaw
from callflow.sound.audio import Sound, active_level_dbov, level_dbov, read_wav, timeline, voice_from, write_mulaw

VOICE = np.random.default_rng(0).normal(scale=3000, size=16000)


class TestMulaw:
    def test_every_code_comes_back(self) -> None:
        codes = bytes(range(256))
        assert mulaw.encode(mulaw.decode(codes)) == codes.replace(b"\x7f", b"\xff")

    @pytest.mark.parametrize(
        ("sample", "code"),
        [
            (0, 0xFF),
            (-1, 0x7F),
            (-4, 0x7F),
            (-5, 0x7E),
            (3, 0xFF),
            (4, 0xFE),
            (32767, 0x80),
            (-32768, 0x00),
            (99999, 0x80),
        ],
    )
    def test_rounds_as_asterisk_does(self, sample: int, code: int) -> None:
        assert mulaw.encode([sample]) == bytes([code])


class TestAudio:
    @pytest.mark.parametrize("name", ["tone", "noise"])
    def test_level_is_as_asked(self, name: str) -> None:
        made = timeline([Sound(0, name, 1.0, -30.0)], 1.0, VOICE)  # type: ignore[arg-type]
        assert level_dbov(made) == pytest.approx(-30.0, abs=0.1)

    def test_level_of_speech_leaves_its_pauses_out(self) -> None:
        halting = np.concatenate([VOICE, VOICE / 100])
        made = timeline([Sound(0, "speech", 4.0, -26.0)], 4.0, halting)
        assert active_level_dbov(made) == pytest.approx(-26.0, abs=0.2)
        assert level_dbov(made) == pytest.approx(-29.0, abs=0.3)

    def test_sounds_are_where_they_should_be(self) -> None:
        made = timeline([Sound(1.0, "click"), Sound(1.9, "tone")], 2.0, VOICE)
        assert not made[:8000].any()
        assert np.flatnonzero(made[:15000]).tolist() == list(range(8000, 8240))
        assert made.size == 16000

    def test_silence_is_silence_on_the_wire(self, tmp_path: Path) -> None:
        assert write_mulaw(tmp_path / "a.ul", timeline([], 0.03, VOICE)).read_bytes() == b"\xff" * 320

    def test_voice_begins_with_the_voice(self, tmp_path: Path) -> None:
        _write_wav(tmp_path / "vm-options.wav", np.concatenate([np.zeros(5000), VOICE]))
        assert np.abs(voice_from(tmp_path)[:160]).mean() > 500
        with pytest.raises(FileNotFoundError):
            voice_from(tmp_path, names=("nothing",))

    def test_another_kind_of_wav_is_refused(self, tmp_path: Path) -> None:
        _write_wav(tmp_path / "a.wav", VOICE, rate=16000)
        with pytest.raises(ValueError, match="8 kHz"):
            read_wav(tmp_path / "a.wav")


class TestStream:
    def test_a_key_lies_in_the_audio_and_ends_three_times(self, tmp_path: Path) -> None:
        packets = list(_rtp(write_stream(tmp_path / "a.pcap", b"\xff" * 160 * 100, [(1.0, "#")])))
        events = [(at, packet) for at, packet in packets if packet[1] & 0x7F == 101]
        assert [packet[12] for _, packet in events] == [11] * 10
        assert [bool(packet[13] & 0x80) for _, packet in events] == [False] * 7 + [True] * 3
        assert len({packet[4:8] for _, packet in events}) == 1, "one event has one time stamp"
        assert events[0][0] == pytest.approx(1.0)
        assert len(packets) == 100 - 8 + 10
        assert [struct.unpack("!H", packet[2:4])[0] for _, packet in packets] == list(range(102))

    def test_without_audio_there_is_only_the_key(self, tmp_path: Path) -> None:
        packets = list(_rtp(write_stream(tmp_path / "a.pcap", b"", [(0.0, "5")])))
        assert {packet[1] & 0x7F for _, packet in packets} == {101}

    def test_what_is_lost_leaves_a_gap_in_the_numbers(self, tmp_path: Path) -> None:
        packets = list(_rtp(write_stream(tmp_path / "a.pcap", b"\xff" * 160 * 500, [], loss=0.4)))
        numbers = [struct.unpack("!H", packet[2:4])[0] for _, packet in packets]
        assert 0.35 < 1 - len(set(numbers)) / 500 < 0.45
        assert [at for at, _ in packets] == pytest.approx([number * 0.02 for number in numbers])

    def test_numbers_jump_and_the_ssrc_changes_when_they_are_told_to(self, tmp_path: Path) -> None:
        changes = [Renumbering(1.0, -8000), Renumbering(2.0, 12, new_ssrc=True)]
        file = write_stream(tmp_path / "a.pcap", b"\xff" * 160 * 150, [], renumberings=changes, first_sequence=65500)
        heads = [struct.unpack("!HII", packet[2:12]) for _, packet in _rtp(file)]
        steps = [(after[0] - before[0]) & 0xFFFF for before, after in pairwise(heads)]
        assert {place: step for place, step in enumerate(steps, 1) if step != 1} == {50: 65536 - 7999, 100: 13}
        assert heads[0][0] == 65500
        assert heads[36][0] == 0, "a wrap is an ordinary step"
        assert [time for _, time, _ in heads] == list(range(0, 150 * 160, 160))
        ssrcs = [ssrc for _, _, ssrc in heads]
        assert len(set(ssrcs[:100])) == len(set(ssrcs[100:])) == 1
        assert ssrcs[0] != ssrcs[100]


class TestPrompts:
    @pytest.fixture
    def book(self) -> PromptBook:
        return PromptBook(SOUNDS / "zh" / "callflow")

    def test_whole_cut_and_foreign_sound(self, book: PromptBook) -> None:
        greeting, goodbye = _frames("greeting"), _frames("goodbye")
        ring = [bytes([value % 256] * 80 + [value % 7] * 80) for value in range(30)]
        heard = book.spoken([*_at(0.0, greeting), *_at(10.0, goodbye[:100]), *_at(12.0, ring)])
        assert [(burst.prompt, burst.cut_at_ms) for burst in heard] == [
            ("greeting", None),
            ("goodbye", 2000),
            (None, None),
        ]
        assert heard[0].ended_at == pytest.approx(sum(map(len, greeting)) / 8000)
        assert heard[1].started_at == 10.0

    def test_a_prompt_started_again_is_two(self, book: PromptBook) -> None:
        frames = _frames("can_you_hear")
        assert [burst.prompt for burst in book.spoken(_at(0.0, frames[:60] + frames))] == ["can_you_hear"] * 2

    def test_a_stall_within_a_prompt_does_not_make_it_two(self, book: PromptBook) -> None:
        frames = _frames("greeting")
        heard = book.spoken([*_at(0.0, frames[:50]), *_at(1.4, frames[50:])])
        assert [(burst.prompt, burst.was_cut) for burst in heard] == [("greeting", False)]

    def test_an_agent_who_sends_silence_is_no_prompt(self, tmp_path: Path) -> None:
        _write_wav(tmp_path / "begins_silent.wav", np.concatenate([np.zeros(1600), VOICE]))
        heard = PromptBook(tmp_path).spoken(_at(0.0, [b"\xff" * 160] * 200))
        assert [burst.prompt for burst in heard] == [None]


def _write_wav(path: Path, samples: npt.NDArray[np.float64], rate: int = 8000) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


def _frames(prompt: str) -> list[bytes]:
    codes = mulaw.encode(read_wav(SOUNDS / "zh" / "callflow" / f"{prompt}.wav"))
    return [codes[start : start + 160] for start in range(0, len(codes), 160)]


def _at(start_s: float, frames: list[bytes]) -> list[Packet]:
    return [Packet(start_s + number * 0.02, frame) for number, frame in enumerate(frames)]


def _rtp(path: Path) -> Iterator[tuple[float, bytes]]:
    with path.open("rb") as file:
        for at, frame in dpkt.pcap.Reader(file):
            yield float(at), bytes(dpkt.ethernet.Ethernet(frame).data.data.data)
