"""What each part of the fleet costs: processor time, over all processes that the part has had."""

from collections import defaultdict
from collections.abc import Iterable

from tests.bench.bench_scale import cpu_s


class CpuTime:
    """Look often: what a process used after the last look is not counted when it ends."""

    def __init__(self) -> None:
        self._used: dict[str, dict[int, float]] = defaultdict(dict)

    def look(self, part: str, pids: Iterable[int]) -> None:
        """Note what the processes of a part have used."""
        for pid in pids:
            try:
                self._used[part][pid] = cpu_s(pid)
            except (OSError, IndexError):
                continue

    def seconds(self, part: str) -> float:
        """In all."""
        return sum(self._used[part].values())
