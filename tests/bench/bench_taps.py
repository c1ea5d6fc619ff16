"""What listening costs: CPU per tap, lateness of a step, memory. `python -m tests.bench.bench_taps`

Callers talk all the time, which is the dearest thing they can do; the last rows have silent ones. One table is the
hearing alone, the other the whole of it: AudioSocket connections from another process, bookkeeping, silence sent back.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callflow.adapters.audio.options import TapOptions
from callflow.adapters.audio.taps import HEAR_S, Taps
from callflow.hearing import Hearing
from callflow.hearing.frames import FRAME_MS
from tests.hearing.callers import Samples, silence, voice

FRAME = 160
SOUNDS = {"voice": lambda: voice(-26, 6.0), "silence": lambda: silence(6.0)}
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


async def measure_whole(taps: int, seconds: float, sound: str) -> list[str]:
    """One row: `taps` connections of another process, each judged every 3 s; lateness is from a step's due time."""
    command = [sys.executable, "-m", "tests.bench.audio_callers", sound]
    callers = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    await callers.stdout.readline()

    async def originate(uniqueid: str, uuid: str, address: str) -> None:
        callers.stdin.write(f"{uuid} {address}\n".encode())

    options = TapOptions(max_taps=taps, sounds=Path(), open_timeout_s=20)
    listening = TimedTaps(
        options, originate, lambda event: None, lambda: time.time_ns() // 1_000_000, structlog.get_logger()
    )
    await listening.start()
    try:
        names = [str(number) for number in range(taps)]
        for first in range(0, taps, 50):
            await asyncio.gather(*(listening.open(name, name) for name in names[first : first + 50]))
        callers.stdin.write(b"talk\n")
        await asyncio.sleep(1)
        listening.late_ms.clear()
        cpu, ends = time.process_time(), time.monotonic() + seconds
        for number in range(round(seconds / FRAME_S)):
            for name in names[number % 150 :: 150]:
                listening.finding(name)
                listening.begin_window(name)
            await asyncio.sleep(max(0.0, ends - seconds + (number + 1) * FRAME_S - time.monotonic()))
        used = time.process_time() - cpu
        assert listening.live == taps, f"{taps - listening.live} taps were lost"
    finally:
        await listening.stop()
        callers.terminate()
        await callers.wait()
    p50, p99 = np.percentile(listening.late_ms, (50, 99))
    return [str(taps), f"{used / seconds:.3f}", f"{100 * used / seconds / taps:.3f} %", f"{p50:.1f}", f"{p99:.1f}",
            f"{resident_mb():.0f}"]  # fmt: skip


class TimedTaps(Taps):
    """Notes how long after its time each step was done."""

    def __init__(self, *arguments: Any) -> None:
        self.late_ms: list[float] = []
        super().__init__(*arguments)

    def _hear(self) -> None:
        due = self._tickers[0].due - HEAR_S
        super()._hear()
        self.late_ms.append((asyncio.get_running_loop().time() - due) * 1000)


def show(title: str, rows: list[list[str]]) -> None:
    """Print one table."""
    table = Table(title=title, title_justify="left")
    for heading in ("taps", "cores", "of a core per tap", "step p50 ms", "step p99 ms", "process MB"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds for each row")
    seconds = parser.parse_args().seconds
    plan = [(50, "voice"), (200, "voice"), (400, "voice"), (400, "silence")]
    alone, whole = [], []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for taps, sound in track(plan, "measuring", transient=True):
            alone.append(measure(taps, seconds, SOUNDS[sound]()))
            whole.append(runner.run(measure_whole(taps, seconds, sound)))
    show("The hearing alone, callers talking (last row: silent)", alone)
    show("All of it: sockets, hearing, bookkeeping", whole)


if __name__ == "__main__":
    main()
