"""The last seconds of a stream of samples, addressed by their number in the stream."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


class Tape:
    """Keeps at least the newest `keep` samples; `size` counts all that were ever added."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._kept = np.zeros(keep + keep // 2, dtype=np.int16)
        self.first = 0
        """Number of the oldest sample that is kept."""
        self.size = 0

    def add(self, samples: Samples) -> None:
        """Add samples at the end; the oldest are forgotten."""
        if samples.size <= self._keep:
            self._append(samples)
            return
        for start in range(0, samples.size, self._keep):
            self._append(samples[start : start + self._keep])

    def skip(self, count: int) -> None:
        """So many samples were not heard of: they are taken for silence."""
        if count >= self._keep:
            self.first = self.size = self.size + count
        else:
            self._append(np.zeros(count, dtype=np.int16))

    def _append(self, samples: Samples) -> None:
        end = self.size - self.first
        if end + samples.size > self._kept.size:
            stay = min(end, self._keep - samples.size)
            self._kept[:stay] = self._kept[end - stay : end].copy()
            self.first = self.size - stay
            end = stay
        self._kept[end : end + samples.size] = samples
        self.size += samples.size

    def cut(self, start: int, stop: int) -> Samples:
        """Samples `start` to `stop` of the stream, a view; what is no longer kept is left out."""
        return self._kept[max(0, start - self.first) : max(0, min(stop, self.size) - self.first)]
