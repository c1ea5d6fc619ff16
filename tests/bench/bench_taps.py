"""What hearing costs: CPU per tap, lateness of a step, memory. `python -m tests.bench.bench_taps`

Callers talk all the time, which is the dearest thing they can do; the last row has silent ones. Sockets are not in it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from callflow.hearing import Hearing
from callflow.hearing.frames import FRAME_MS
from tests.hearing.callers import Samples, silence, voice

FRAME = 160
FRAME_S = 0.02
WINDOW_S = 3.0


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def measure(taps: int, seconds: float, sound: Samples) -> list[str]:
    """One row: `taps` callers for so long, each judged every 3 s, at the pace of a real line."""
    hearing = Hearing()
    listeners = [hearing.listener() for _ in range(taps)]
    offsets = np.random.default_rng(1).integers(0, sound.size - FRAME, size=taps)
    lateness_ms, next_at, fed_ms = [], time.monotonic() + FRAME_S, 0
    cpu = time.process_time()
    for number in range(round(seconds / FRAME_S)):
        time.sleep(max(0.0, next_at - time.monotonic()))
        offsets = (offsets + FRAME) % (sound.size - FRAME)
        for listener, at in zip(listeners, offsets, strict=True):
            listener.feed(sound[at : at + FRAME])
        fed_ms += 20
        if fed_ms % FRAME_MS < 20:
            hearing.run(listeners)
            lateness_ms.append((time.monotonic() - next_at) * 1000)
        for listener in listeners[number % 150 :: 150]:  # each window ends at a time of its own
            listener.verdict()
            listener.begin_window()
        next_at += FRAME_S
    used = time.process_time() - cpu
    p50, p99 = np.percentile(lateness_ms, (50, 99))
    return [str(taps), f"{used / seconds:.3f}", f"{100 * used / seconds / taps:.3f} %", f"{p50:.1f}", f"{p99:.1f}",
            f"{resident_mb():.0f}"]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds for each row")
    seconds = parser.parse_args().seconds
    table = Table(title="The hearing alone: CPU, time until a step is done, memory")
    for heading in ("taps", "cores", "of a core per tap", "step p50 ms", "step p99 ms", "process MB"):
        table.add_column(heading, justify="right")
    for taps in (50, 200, 400):
        table.add_row(*measure(taps, seconds, voice(-26, 6.0)))
    table.add_row(*measure(400, seconds, silence(6.0)))
    Console().print(table)


if __name__ == "__main__":
    main()
