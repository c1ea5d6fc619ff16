"""How fast the store is; prints, judges nothing.

`python -m tests.bench.bench_store [--calls N] [--live N] [--folder PATH] [--quick]`
"""

import argparse
import asyncio
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from callflow.adapters.store.queries import CallFilter, Reader
from callflow.adapters.store.store import Store
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from tests.store.samples import T0, ended, live_call

SAVES = 4
HAPPENINGS = 10
SPACING_MS = 4000
BURST = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="calls in the database that is read")
    parser.add_argument("--live", type=int, default=2000, help="calls for the figures of a daemon at work")
    parser.add_argument("--folder", type=Path, help="folder on the disk to measure")
    parser.add_argument("--quick", action="store_true", help="a few seconds: shows that it works, measures little")
    asked = parser.parse_args()
    if asked.quick:
        asked.calls, asked.live = 2000, 200
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        asyncio.run(_work(Path(folder) / "work.db", asked.live))
        path = Path(folder) / "large.db"
        asyncio.run(_fill(path, asked.calls))
        print(f"{'size on the disk':34}{path.stat().st_size / 1e6:10,.0f} MB")
        _read(path, asked.calls)


async def _work(path: Path, calls: int) -> None:
    """Calls as a daemon tells them, a number of them at once, each flushed before it is given back."""
    for at_once in (1, 20, 50):
        with Store(path, f"at-once-{at_once}") as store:
            waits: list[float] = []
            numbers = iter(range(calls if at_once > 1 else calls // 4))
            begun, cpu = time.perf_counter(), time.process_time()
            late = asyncio.ensure_future(_lateness())
            await asyncio.gather(*(_caller(store, numbers, at_once, waits) for _ in range(at_once)))
            late.cancel()
            took, cpu = time.perf_counter() - begun, time.process_time() - cpu
            cuts = statistics.quantiles(waits, n=100)
            rate, commits = len(waits) / took, store.counters().commits
            print(
                f"{at_once:3} at once: {rate:7.0f} calls/s saved, "
                f"flush p50 {1000 * cuts[49]:6.2f} ms  p99 {1000 * cuts[98]:6.2f} ms, "
                f"{1000 * cpu / len(waits):.2f} ms CPU a call, {commits} commits, "
                f"event loop at most {1000 * await late:.1f} ms late"
            )


async def _lateness() -> float:
    """How late a timer of 1 ms was at the worst, seconds; ends when cancelled."""
    worst = 0.0
    loop = asyncio.get_running_loop()
    try:
        while True:
            due = loop.time() + 0.001
            await asyncio.sleep(0.001)
            worst = max(worst, loop.time() - due)
    except asyncio.CancelledError:
        return worst


async def _caller(store: Store, numbers: Iterator[int], prefix: int, waits: list[float]) -> None:
    for number in numbers:
        _tell(store, f"{prefix}-{number:07}", number)
        begun = time.perf_counter()
        if not await store.flush(60):
            raise SystemExit("the store did not write; is the disk full?")
        waits.append(time.perf_counter() - begun)


async def _fill(path: Path, calls: int) -> None:
    """As fast as the writer takes it."""
    begun = time.perf_counter()
    with Store(path, "main") as store:
        for first in range(0, calls, BURST):
            for number in range(first, min(first + BURST, calls)):
                _tell(store, f"{T0 // 1000 + number * SPACING_MS // 1000}.{number}-1", number)
            await store.flush(60)
        dropped = store.dropped
    took = time.perf_counter() - begun
    print(f"{calls:,} calls in bulk: {calls / took:,.0f} calls/s, dropped {dropped}")


def _tell(store: Store, call_id: str, number: int) -> None:
    """4 saves and 10 happenings, and a mix of results."""
    at_ms = T0 + number * SPACING_MS
    call = replace(live_call(call_id, at_ms), caller_number=f"+1-555-{number % 9973:04}")
    for seq in range(1, HAPPENINGS):
        store.add_to_timeline(
            call_id, TimelineEntry(seq, at_ms + 100 * seq, Kind.SAID, "greeting", "rung 1 of 3 in en")
        )
        if seq % 3 == 1:
            store.save(replace(call, rung=1 + seq // 3), final=False)
    result = (Result.SPOKE, Result.KEY, Result.SILENT, Result.RESCUED, Result.HANGUP)[number % 5]
    store.add_to_timeline(
        call_id, TimelineEntry(HAPPENINGS, at_ms + 2500, Kind.DECIDED, result, "the caller was heard")
    )
    final = ended(call, result)
    if number % 10 == 2:
        final = replace(final, mode=Mode.OBSERVE, result=Result.OBSERVED, would=Result.SILENT)
    store.save(final, final=True)


def _read(path: Path, calls: int) -> None:
    middle = T0 + calls // 2 * SPACING_MS
    some = f"{T0 // 1000 + (calls // 2) * SPACING_MS // 1000}.{calls // 2}"
    with Reader(path) as reader:
        _timed("list the newest 50", lambda: reader.page())
        _timed(
            "list 50 silent ones of one day",
            lambda: reader.page(CallFilter(middle, middle + 86_400_000, Result.SILENT)),
        )
        _timed("list 50 of one caller", lambda: reader.page(CallFilter(number="+1-555-0100")))
        _timed("list 50 of a profile nobody has", lambda: reader.page(CallFilter(profile="none")))
        _timed("summary of everything", lambda: reader.summary())
        _timed("summary of one day", lambda: reader.summary(CallFilter(middle, middle + 86_400_000)))
        _timed("show one by prefix", lambda: reader.happenings(reader.find(some)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        streamed = sum(1 for _ in reader.stream())
        took = time.perf_counter() - begun
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"{'stream all':34}{streamed / took:10,.0f} calls/s, memory grew by {grown / 1024:.1f} MB")


def _timed(what: str, do: Callable[[], object]) -> None:
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        do()
        took.append(time.perf_counter() - begun)
    print(f"{what:34}{1000 * statistics.median(took):10.2f} ms")


if __name__ == "__main__":
    os.nice(5)
    main()
