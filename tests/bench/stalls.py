"""Notices when the machine itself stands still: a watcher on every processor, at a real-time priority.

A host may give a guest's processor to others for tenths of a second. Nothing is on time then, and a bench that does not
know of it blames the program.
"""

import bisect
import os
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO, Self

SLEEP_S = 0.002
STALL_S = 0.005
"""A sleep that lasted so much longer than asked: nothing of ours can keep such a watcher from its processor."""
MARGIN_S = 0.01


class Stalls:
    """`with Stalls() as stalls:` watches; afterwards it knows. Without the right to a real-time priority, nothing."""

    def __init__(self) -> None:
        self._watchers: list[tuple[subprocess.Popen[bytes], IO[str]]] = []
        self._known: list[tuple[float, float]] = []
        self.watched = False

    def __enter__(self) -> Self:
        for processor in sorted(os.sched_getaffinity(0)):
            command = [sys.executable, "-m", "tests.bench.stalls", str(processor)]
            told = tempfile.TemporaryFile("w+")
            self._watchers.append((subprocess.Popen(command, stdout=told), told))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        stalls = []
        for watcher, told in self._watchers:
            watcher.terminate()
            watcher.wait()
            with told:
                told.seek(0)
                begun, *lines = told.read().splitlines() or [""]
            self.watched |= begun == "watching"
            stalls += [(float(began), float(ended)) for began, ended in (line.split() for line in lines)]
        self._known = _united(stalls)

    @property
    def total_s(self) -> float:
        """How long at least one processor stood still."""
        return sum(ended - began for began, ended in self._known)

    def overlap(self, began: float, ended: float) -> bool:
        """The machine stood still at some time between two moments of the monotonic clock, or just beside them."""
        first = bisect.bisect_left(self._known, began - MARGIN_S, key=lambda stall: stall[1])
        return first < len(self._known) and self._known[first][0] < ended + MARGIN_S


def _united(stalls: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same times, in order, none overlapping another."""
    united: list[tuple[float, float]] = []
    for began, ended in sorted(stalls):
        if united and began <= united[-1][1]:
            united[-1] = united[-1][0], max(ended, united[-1][1])
        else:
            united.append((began, ended))
    return united


def watch(processor: int) -> None:
    """Print the beginning and end of every stall of one processor, for as long as who began it lives."""
    parent = os.getppid()
    os.sched_setaffinity(0, {processor})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("not allowed", flush=True)
        return
    print("watching", flush=True)
    before = time.monotonic()
    while os.getppid() == parent:
        time.sleep(SLEEP_S)
        now = time.monotonic()
        if now - before > SLEEP_S + STALL_S:
            print(before + SLEEP_S, now, flush=True)
            now = time.monotonic()
        before = now


if __name__ == "__main__":
    watch(int(sys.argv[1]))
