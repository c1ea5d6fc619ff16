"""A high voice that the model doubts is heard when it is slowed down; noise stays noise."""

import numpy as np
import pytest

from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.second_look import SecondLook, _slowed
from callflow.hearing.vad import Vad
from tests.hearing.callers import noise, prompt


@pytest.fixture(scope="module")
def second_look() -> SecondLook:
    return SecondLook(Vad())


def _levels(samples: Floats) -> Floats:
    frames = samples.reshape(-1, FRAME)
    return np.asarray(10 * np.log10(np.mean(np.square(frames), axis=1) + 1e-12), dtype=np.float32)


def _part(samples: np.ndarray) -> Floats:
    return np.ascontiguousarray(samples[: samples.size // FRAME * FRAME], dtype=np.float32)


def test_a_voice_played_too_fast_is_a_voice(second_look: SecondLook) -> None:
    child = _part(_slowed(prompt()[8000:24000].astype(np.float32), 1.5))
    level = _levels(child)
    assert second_look.voice(child, level, int(level.argmax()), 4) > 0.8


def test_noise_is_none(second_look: SecondLook) -> None:
    made = _part(noise(-35) / 32768)
    assert second_look.voice(made, _levels(made), 40, 4) < 0.1


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_hardly_anything_is_no_voice(second_look: SecondLook, frames: int) -> None:
    made = _part(noise(-35, 0.2)[: frames * FRAME] / 32768)
    assert 0.0 <= second_look.voice(made, _levels(made), 0, 4) <= 1.0


def test_slower_is_lower() -> None:
    at = np.arange(8000) / 8000
    slowed = _slowed(np.sin(2 * np.pi * 600 * at).astype(np.float32), 2 / 3)
    spectrum = np.abs(np.fft.rfft(slowed[:8000]))
    assert abs(int(spectrum.argmax()) - 400) <= 1
