"""A daemon whose loop stalls ends itself, even while Python is stuck; one that runs does not."""

import subprocess
import sys

STALL_S = 4.0

PROGRAM = """
import asyncio, sys, time
from callflow.runtime.watchdog import Watchdog

async def main(sleeps, stalls, stops):
    watchdog = Watchdog({stall_s})
    watchdog.start()
    await asyncio.sleep(sleeps)
    if stops:
        watchdog.stop()
    time.sleep(stalls)
    print("alive", flush=True)
    watchdog.stop()

asyncio.run(main(*map(float, sys.argv[1:])))
"""


def run(sleeps_s: float, stalls_s: float, *, stops: bool = False) -> "subprocess.CompletedProcess[str]":
    """A process with a watchdog that runs for a while, perhaps stops it, and stalls."""
    program = PROGRAM.format(stall_s=STALL_S)
    command = [sys.executable, "-c", program, str(sleeps_s), str(stalls_s), str(int(stops))]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_loop_that_stalls_ends_the_process_and_says_where() -> None:
    ended = run(0.1, 30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Timeout" in ended.stderr
    assert "in main" in ended.stderr


def test_a_loop_that_runs_is_let_alone_for_longer_than_a_stall_may_last() -> None:
    ended = run(1.25 * STALL_S, 0)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "alive\n", "")


def test_a_watchdog_that_was_stopped_ends_nothing() -> None:
    ended = run(0.1, 1.25 * STALL_S, stops=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n")
