"""The voice detector says what onnxruntime says of the same model, stream by stream and over time."""

import numpy as np

from callflow.hearing.vad import REMEMBERED, Vad
from tests.hearing.by_onnxruntime import Step, step_by_onnxruntime
from tests.hearing.callers import noise, silence, tone, voice

FRAME = 256


def _told_by(step: Step, frames: np.ndarray) -> np.ndarray:
    """Probability of voice in each frame of each stream."""
    states, said = np.zeros((frames.shape[1], REMEMBERED), np.float32), []
    for frame in frames:
        found, states = step(frame, states)
        said.append(found)
    return np.array(said)


def test_it_says_what_onnxruntime_says() -> None:
    sounds = [voice(-26), voice(-50), voice(-36, name="zh/callflow/greeting"), noise(-40), tone(440, 480), silence()]
    whole = np.array([sound[: 90 * FRAME] for sound in sounds], dtype=np.float32) / 32768 * 10
    frames = whole.reshape(len(sounds), 90, FRAME).transpose(1, 0, 2)
    said = _told_by(Vad().run, frames)
    assert max(step[0] for step in said) > 0.9
    assert np.abs(said - _told_by(step_by_onnxruntime(), frames)).max() < 1e-4
