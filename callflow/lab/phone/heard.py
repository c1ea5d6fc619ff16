"""Who was heard when in the audio that a phone received: each party sends its own sine, prompts are recognised.

A sine whose frequency is a multiple of 50 Hz fills whole periods of a frame (20 ms). Of sines 100 Hz apart each frame
tells exactly which are in it, and how loud.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from callflow.lab.phone.media import FRAME_S, Frame, audio
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, FULL_SCALE, RATE
from callflow.sound.mulaw import Samples

TONES_HZ = (650, 750, 850, 950, 1050, 1150, 1250, 1350)
"""One for each party: apart from each other and from ringing tones (440, 480)."""
HEARD_DBOV = -40.0
Party = TypeVar("Party", bound=str)
_WINDOW = 1 - np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
"""Hann, doubled: other sounds, a ringing tone for one, do not leak into a sine's level."""
_BRIDGED_S = 0.07
"""A shorter pause does not end a span."""
_BLOCK = RATE // 10
_HEAD = RATE // 2
_SHORTEST = RATE // 5
_ALIKE = 0.5
_MOST_SHIFT = 5 * FRAME


class Span(NamedTuple):
    """From one moment to another, epoch seconds."""

    began: float
    ended: float

    @property
    def lasted_s(self) -> float:
        return self.ended - self.began


class Played(NamedTuple):
    """A prompt that was heard: when, and how much of it."""

    span: Span
    share: float


def levels_dbov(frames: Sequence[Frame], hz: int) -> npt.NDArray[np.float64]:
    """The level of one sine in each frame of audio; -inf where it is absent."""
    samples = _samples(frames)
    wave = np.exp(-2j * np.pi * hz * np.arange(FRAME) / RATE) * _WINDOW
    rms = np.abs(samples @ wave) * np.sqrt(2) / FRAME / FULL_SCALE
    with np.errstate(divide="ignore"):
        return np.asarray(20 * np.log10(rms))


def heard(frames: Iterable[Frame], hz: int, above_dbov: float = HEARD_DBOV) -> list[Span]:
    """When one sine was heard."""
    sound = audio(frames)
    loud = levels_dbov(sound, hz) > above_dbov
    return joined(Span(frame.at, frame.at + FRAME_S) for frame, is_loud in zip(sound, loud, strict=True) if is_loud)


def who_was_heard(frames: Iterable[Frame], parties: Mapping[Party, int]) -> dict[Party, list[Span]]:
    """When each party was heard, by its name; `parties` gives their frequencies."""
    sound = audio(frames)
    return {name: heard(sound, hz) for name, hz in parties.items()}


def gaps(frames: Iterable[Frame], longer_than_s: float = 0.1) -> list[Span]:
    """Where no audio arrived for longer than this, between the first frame and the last."""
    times = [frame.at for frame in audio(frames)]
    return [Span(before, after) for before, after in pairwise(times) if after - before > longer_than_s]


def played(frames: Iterable[Frame], prompt: Samples) -> Played | None:
    """When a prompt was heard, alone or beneath other voices, and how much of it; None if not at all.

    Searches for its first half second, or all of a shorter prompt; from there every part that matches counts.
    """
    sound = audio(frames)
    heard_samples, head = _samples(sound).reshape(-1), _without_silence(prompt)
    searched = head[:_HEAD]
    if searched.size < _SHORTEST or heard_samples.size < searched.size:
        return None
    alike = _likeness(heard_samples, searched)
    start = int(np.argmax(alike))
    if alike[start] < _ALIKE:
        return None
    share, length = _alike(heard_samples[start:], head)
    first, last = sound[start // FRAME], sound[min((start + length - 1) // FRAME, len(sound) - 1)]
    return Played(Span(first.at, last.at + FRAME_S), share)


def _samples(frames: Sequence[Frame]) -> Samples:
    """One row of samples for each frame; a shorter frame is filled with silence."""
    if not frames:
        return np.zeros((0, FRAME))
    whole = b"".join(frame.payload[:FRAME].ljust(FRAME, b"\xff") for frame in frames)
    return mulaw.decode(whole).astype(np.float64).reshape(-1, FRAME)


def _without_silence(prompt: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(prompt) > 200)
    return prompt[loud[0] : loud[-1] + 1] if loud.size else prompt[:0]


def _likeness(whole: Samples, part: Samples) -> Samples:
    """Normalised correlation of `part` with `whole` at every place, -1 to 1."""
    size = whole.size + part.size
    product = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)
    places = whole.size - part.size + 1
    sums = np.concatenate(([0.0], np.cumsum(np.square(whole))))
    energy = sums[part.size :] - sums[: -part.size]
    norm = np.sqrt(np.maximum(energy, 1.0) * np.sum(np.square(part)))
    return np.asarray(product[:places] / norm)


def _alike(whole: Samples, prompt: Samples) -> tuple[float, int]:
    """How much of the prompt's sound is in `whole`, and where the last of it ends.

    A late or lost frame shifts what follows it; a busy machine loses some in the middle.
    """
    sound = there = last = min(_HEAD, prompt.size)
    shift = 0
    for start in range(_HEAD, prompt.size, _BLOCK):
        block = prompt[start : start + _BLOCK]
        if float(np.sum(np.square(block))) <= _BLOCK * 200.0**2:
            continue
        sound += block.size
        first = max(0, start + shift - _MOST_SHIFT)
        near = whole[first : start + shift + block.size + _MOST_SHIFT]
        likeness = _likeness(near, block) if near.size >= block.size else np.zeros(1)
        place = int(np.argmax(likeness))
        if likeness[place] >= _ALIKE:
            shift = first + place - start
            there += block.size
            last = first + place + block.size
    return there / sound, last


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order; those with only a short pause between them are merged."""
    whole: list[Span] = []
    for span in spans:
        if whole and span.began - whole[-1].ended < _BRIDGED_S:
            whole[-1] = Span(whole[-1].began, span.ended)
        else:
            whole.append(span)
    return whole
