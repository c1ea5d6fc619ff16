"""What listening costs: CPU per tap, lateness of a step, memory. `python -m tests.bench.bench_taps [--quick]`

Callers talk all the time, which is the dearest thing they can do; the last rows have silent ones. One table is the
voice model alone, the floor of all that follows, and the same model by onnxruntime: a yardstick to compare machines
by. One is the hearing alone; one the whole of it: AudioSocket connections from another process, bookkeeping, silence
sent back. All three are of one run on one machine; its speed is printed too.
"""

import callflow  # before numpy: it says on how many threads that works

# isort: split

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.taps import Taps
from callflow.hearing import Hearing
from callflow.hearing.frames import FRAME as MODEL_FRAME
from callflow.hearing.frames import FRAME_MS
from callflow.hearing.hearing import TOGETHER
from callflow.hearing.vad import REMEMBERED, Vad
from callflow.runtime.pauses import keep_pauses_short
from tests.hearing.by_onnxruntime import Step, step_by_onnxruntime
from tests.hearing.callers import silence, voice

FRAME = 160
SOUNDS = {"voice": lambda: voice(-26, 6.0), "silence": lambda: silence(6.0)}
PLAN = [(50, "voice"), (200, "voice"), (400, "voice"), (400, "silence")]
QUICK_PLAN = [(5, "voice"), (5, "silence")]
FRAME_S = 0.02
WINDOW_S = 3.0
TICKS_A_LOOK = 8
COUNT = 10_000_000
WIDTH = 120


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def pace() -> float:
    """Seconds of CPU that counting to ten million takes: this machine, at this moment."""
    begun, number = time.process_time(), 0
    while number < COUNT:
        number += 1
    return time.process_time() - begun


def cores_of(used_s: float, seconds: float, taps: int) -> list[str]:
    """The first columns of each table."""
    return [str(taps), f"{used_s / seconds:.3f}", f"{100 * used_s / seconds / taps:.3f} %"]


def step_of_ours() -> Step:
    """The model as callflow computes it."""
    return Vad().run


def measure_model(taps: int, seconds: float, model: Callable[[], Step]) -> list[str]:
    """One row: the model's work on so many callers for so long, and nothing else, at the pace of a real line."""
    step, sound = model(), (voice(-26, 6.0) / 32768).astype(np.float32)
    ends = [min(taps, start + TOGETHER) - start for start in range(0, taps, TOGETHER)]
    states = [np.zeros((size, REMEMBERED), dtype=np.float32) for size in ends]
    frames = sound[: sound.size // MODEL_FRAME * MODEL_FRAME].reshape(-1, MODEL_FRAME)
    cpu, begun = time.process_time(), time.monotonic()
    for number in range(round(1000 * seconds / FRAME_MS)):
        time.sleep(max(0.0, begun + number * FRAME_MS / 1000 - time.monotonic()))
        for some, state in enumerate(states):
            _, states[some] = step(frames[(number + np.arange(len(state))) % len(frames)], state)
    return cores_of(time.process_time() - cpu, seconds, taps)


def measure(taps: int, seconds: float, sound_name: str) -> list[str]:
    """One row: `taps` callers for so long, each judged every 3 s, at the pace of a real line."""
    hearing, sound = Hearing(), SOUNDS[sound_name]()
    listeners = [hearing.listener() for _ in range(taps)]
    offsets = np.random.default_rng(1).integers(0, sound.size - FRAME, size=taps)
    next_at = time.monotonic() + FRAME_S
    cpu = time.process_time()
    for number in range(round(seconds / FRAME_S)):
        time.sleep(max(0.0, next_at - time.monotonic()))
        offsets = (offsets + FRAME) % (sound.size - FRAME)
        for listener, at in zip(listeners, offsets, strict=True):
            listener.feed(sound[at : at + FRAME])
        hearing.run(listeners)
        for listener in listeners[number % 150 :: 150]:  # each window ends at a time of its own
            listener.verdict()
            listener.begin_window()
        next_at += FRAME_S
    return [*cores_of(time.process_time() - cpu, seconds, taps), f"{resident_mb():.0f}"]


class Exchange:
    """An Asterisk with AudioSocket: the other process connects."""

    has_audio_socket = True

    def __init__(self, talks: asyncio.StreamWriter) -> None:
        self._talks = talks

    async def open_tap(self, uniqueid: str, uuid: str, address: str) -> None:
        self._talks.write(f"{uuid} {address}\n".encode())


def run_whole(taps: int, seconds: float, sound: str) -> list[str]:
    """One row, in the event loop that the daemon has."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measure_whole(taps, seconds, sound))


async def measure_whole(taps: int, seconds: float, sound: str) -> list[str]:
    """One row: `taps` connections of another process, each judged every 3 s; lateness is from a step's due time."""
    command = [sys.executable, "-m", "tests.bench.audio_callers", sound]
    callers = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    talks, said = callers.stdin, callers.stdout
    assert talks is not None
    assert said is not None
    await said.readline()

    options = TapOptions(max_taps=taps, sounds=Path())
    listening = TimedTaps(
        options,
        Exchange(talks),
        lambda event: None,
        lambda: time.time_ns() // 1_000_000,
        structlog.get_logger(),
        Patience(open_timeout_s=20),
    )
    await listening.start()
    try:
        names = [str(number) for number in range(taps)]
        for first in range(0, taps, 50):
            await asyncio.gather(*(listening.open(name, name) for name in names[first : first + 50]))
        talks.write(b"talk\n")
        keep_pauses_short(lambda: False)
        await asyncio.sleep(1)
        for measured in (listening.late_ms, listening.done_ms, listening.waiting):
            measured.clear()
        cpu, begun = time.process_time(), time.monotonic()
        heard_ms = sum(tap.heard_ms for tap in listening._taps.values())
        for number in itertools.count():
            if time.monotonic() > begun + seconds:
                break
            listening.finding(names[number % taps])  # each window ends at a time of its own
            listening.begin_window(names[number % taps])
            await asyncio.sleep(max(0.0, begun + (number + 1) * WINDOW_S / taps - time.monotonic()))
        used, seconds = time.process_time() - cpu, time.monotonic() - begun
        heard_ms = sum(tap.heard_ms for tap in listening._taps.values()) - heard_ms
        assert listening.live == taps, f"{taps - listening.live} taps were lost"
    finally:
        await listening.stop()
        callers.terminate()
        await callers.wait()
    p50, p99 = np.percentile(listening.late_ms, (50, 99))
    done = np.percentile(listening.done_ms, 99)
    return [*cores_of(used, seconds, taps), f"{resident_mb():.0f}", f"{p50:.1f}", f"{p99:.1f}", f"{done:.1f}",
            f"{max(listening.waiting)}", f"{heard_ms / 10 / seconds / taps:.0f} %"]  # fmt: skip


class TimedTaps(Taps):
    """Notes how long after its time each step was begun and done, and how many callers still waited then."""

    def __init__(self, *arguments: Any) -> None:
        self.late_ms: list[float] = []
        self.done_ms: list[float] = []
        self.waiting: list[int] = []
        self._next_due = time.monotonic()
        super().__init__(*arguments)

    def _tick(self) -> None:
        clock, planned = time.monotonic, self._next_due  # uvloop's own clock stands still until it goes round
        self._next_due, begun = self._ticker.due, clock()
        super()._tick()
        self.late_ms.append((begun - planned) * 1000)
        self.done_ms.append((clock() - planned) * 1000)
        if len(self.late_ms) % TICKS_A_LOOK == 1:  # to look at all of them takes time itself
            self.waiting.append(sum(tap.listener.due for tap in self._taps.values()))


def show(title: str, rows: list[list[str]], *headings: str) -> None:
    """Print one table."""
    table = Table(title=title, title_justify="left")
    for heading in ("taps", "cores", "of a core per tap", *headings):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    Console(width=WIDTH).print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds for each row")
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that it works, measures little")
    asked = parser.parse_args()
    seconds, plan = (1.0, QUICK_PLAN) if asked.quick else (asked.seconds, PLAN)
    floor, alone, whole, paces = [], [], [], [pace()]
    fresh = get_context("spawn")  # a process of its own for each row, as a daemon is one: memory is its own then, too
    with ProcessPoolExecutor(1, fresh, max_tasks_per_child=1) as processes:
        for taps, sound in track(plan, "measuring", transient=True):
            if sound == "voice":
                ours, yardstick = (
                    processes.submit(measure_model, taps, seconds, model).result()
                    for model in (step_of_ours, step_by_onnxruntime)
                )
                floor.append([*ours, *yardstick[1:]])
            alone.append(processes.submit(measure, taps, seconds, sound).result())
            whole.append(processes.submit(run_whole, taps, seconds, sound).result())
            paces.append(pace())
    print(
        f"callflow {callflow.__version__}; counting to ten million took {min(paces):.2f} to {max(paces):.2f} s of CPU"
    )
    show("The voice model alone", floor, "by onnxruntime: cores", "of a core per tap")
    show("The hearing alone, callers talking (last row: silent)", alone, "process MB")
    headings = ("late p50 ms", "late p99 ms", "done p99 ms", "most waiting", "audio come")
    show("All of it: sockets, hearing, bookkeeping", whole, "process MB", *headings)


if __name__ == "__main__":
    main()
