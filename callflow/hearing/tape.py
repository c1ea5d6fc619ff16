"""The last seconds of a stream of samples, addressed by their number in the stream."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
_WIDTH = 2
"""Bytes of a sample."""


class Tape:
    """Keeps at least the newest `keep` samples; `size` counts all that were ever added."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._kept = np.zeros(keep + keep // 2, dtype=np.int16)
        self._bytes = self._kept.data.cast("B")  # to copy a small piece so takes a quarter of what numpy takes
        self.first = 0
        """Number of the oldest sample that is kept."""
        self.size = 0

    def add(self, samples: Samples | bytes) -> None:
        """Add samples, an array or as they came from the line, at the end; the oldest are forgotten."""
        if not len(samples):
            return
        pcm = memoryview(samples if isinstance(samples, bytes) else samples.data).cast("B")
        if pcm.nbytes <= _WIDTH * self._keep:
            self._append(pcm)
            return
        for start in range(0, pcm.nbytes, _WIDTH * self._keep):
            self._append(pcm[start : start + _WIDTH * self._keep])

    def skip(self, count: int) -> None:
        """So many samples were not heard of: they are taken for silence."""
        if count >= self._keep:
            self.first = self.size = self.size + count
        else:
            self._append(memoryview(bytes(_WIDTH * count)))

    def _append(self, pcm: memoryview) -> None:
        count, end = pcm.nbytes // _WIDTH, self.size - self.first
        if end + count > self._kept.size:
            stay = min(end, self._keep - count)
            self._kept[:stay] = self._kept[end - stay : end].copy()
            self.first = self.size - stay
            end = stay
        self._bytes[_WIDTH * end : _WIDTH * (end + count)] = pcm
        self.size += count

    def cut(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` of the stream, a view; what is no longer kept is left out."""
        return self._kept[max(0, start - self.first) : max(0, min(stop, self.size) - self.first)]

    def pcm(self, start: int, stop: int) -> memoryview:
        """The same as bytes."""
        return self._bytes[_WIDTH * max(0, start - self.first) : _WIDTH * max(0, min(stop, self.size) - self.first)]
