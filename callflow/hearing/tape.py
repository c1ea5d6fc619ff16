"""The last seconds of a stream of samples, addressed by their number in the stream."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
_WIDTH = 2
"""Bytes of a sample."""


class Tape:
    """Keeps at least the newest `keep` samples; `size` counts all that were ever added."""

    def __init__(self, keep: int) -> None:
        self._keep = _WIDTH * keep
        self._samples = np.zeros(keep + keep // 2, dtype=np.int16)
        self._bytes = self._samples.data.cast("B")  # a small piece is copied so in a quarter of the time numpy takes
        self.first = 0
        """Number of the oldest sample that is kept."""
        self.size = 0

    def add(self, samples: Samples | bytes) -> None:
        """Add samples, an array or as they came from the line, at the end; the oldest are forgotten."""
        pcm = samples if isinstance(samples, bytes) else samples.tobytes()
        if self._end + len(pcm) > len(self._bytes):
            pcm = self._make_room(pcm)
        end = self._end
        self._bytes[end : end + len(pcm)] = pcm
        self.size += len(pcm) // _WIDTH

    def skip(self, count: int) -> None:
        """So many samples were not heard of: they are taken for silence."""
        if _WIDTH * count < self._keep:
            self.add(bytes(_WIDTH * count))
        else:
            self.first = self.size = self.size + count

    @property
    def _end(self) -> int:
        """Bytes in use."""
        return _WIDTH * (self.size - self.first)

    def _make_room(self, pcm: bytes) -> bytes:
        """Forget the oldest; returns what of these bytes is to be kept."""
        stay = max(0, min(self._end, self._keep - len(pcm)))
        self._bytes[:stay] = bytes(self._bytes[self._end - stay : self._end])
        self.size += max(0, len(pcm) - self._keep) // _WIDTH
        self.first = self.size - stay // _WIDTH
        return pcm[-self._keep :]

    def cut(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` of the stream, a view; what is no longer kept is left out."""
        return self._samples[max(0, start - self.first) : max(0, min(stop, self.size) - self.first)]

    def pcm(self, start: int, stop: int) -> memoryview:
        """The same as bytes, where all of it is kept."""
        return self._bytes[_WIDTH * (start - self.first) : _WIDTH * (stop - self.first)]
