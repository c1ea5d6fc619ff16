"""Which prompts Asterisk played to a caller: recognises the project's prompts in its RTP, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from callflow.lab.wire import Packet
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, RATE, duration_s, read_wav

_GAP_S = 0.07
_STALL_S = 1.0
_SLACK_FRAMES = 2


@dataclass(frozen=True)
class Burst:
    """Unbroken sound from Asterisk; `prompt` is None if it is none of ours (a ringing tone, an agent)."""

    prompt: str | None
    started_at: float
    ended_at: float
    cut_at_ms: int | None = None

    @property
    def was_cut(self) -> bool:
        return self.cut_at_ms is not None


class PromptBook:
    """The prompts of one language, as Asterisk sends them over mu-law."""

    def __init__(self, folder: Path) -> None:
        self._frames = {path.stem: _frames(path) for path in sorted(folder.glob("*.wav"))}

    def spoken(self, received: Sequence[Packet]) -> list[Burst]:
        """The prompts and other sounds in these packets, in order."""
        bursts = []
        start = 0
        while start < len(received):
            prompt, length = self._follow(received, start)
            if prompt is None:
                length = self._skip(received, start)
            bursts.append(self._burst(prompt, received[start : start + length]))
            start += length
        return bursts

    def _follow(self, packets: Sequence[Packet], start: int) -> tuple[str | None, int]:
        """The prompt that begins at this packet, and how many packets it lasts."""
        lengths = {name: _matching(frames, packets, start) for name, frames in self._frames.items()}
        name = max(lengths, key=lambda name: lengths[name], default=None)
        if name is None or all(_is_silent(frame) for frame in self._frames[name][: lengths[name]]):
            return None, 0
        return name, lengths[name]

    def _skip(self, packets: Sequence[Packet], start: int) -> int:
        """How many packets of something else there are before silence or a prompt."""
        for number in range(start + 1, len(packets)):
            pause_s = packets[number].at - packets[number - 1].at
            if pause_s > _GAP_S or self._follow(packets, number)[0]:
                return number - start
        return len(packets) - start

    def _burst(self, prompt: str | None, packets: Sequence[Packet]) -> Burst:
        start, end = packets[0].at, packets[-1].at + len(packets[-1].payload) / RATE
        missing = len(self._frames[prompt]) - len(packets) if prompt else 0
        return Burst(prompt, start, end, len(packets) * 20 if missing > _SLACK_FRAMES else None)


def prompt_durations(folder: Path) -> dict[str, float]:
    """Name and length in seconds of every prompt in a folder."""
    return {path.stem: duration_s(path) for path in sorted(folder.glob("*.wav"))}


def _frames(path: Path) -> list[bytes]:
    codes = mulaw.encode(read_wav(path))
    return [codes[start : start + FRAME] for start in range(0, len(codes), FRAME)]


def _matching(frames: Sequence[bytes], packets: Sequence[Packet], start: int) -> int:
    """How many packets from `start` on are these frames. A machine that stalls for a moment does not end a prompt."""
    for number, (frame, packet) in enumerate(zip(frames, islice(packets, start, None), strict=False)):
        # Asterisk sends the last frame of a file incomplete, and shorter by the size of a WAV header.
        same = frame.startswith(packet.payload)
        if not same or (number and packet.at - packets[start + number - 1].at > _STALL_S):
            return number
    return min(len(frames), len(packets) - start)


def _is_silent(frame: bytes) -> bool:
    return len(set(frame)) == 1
