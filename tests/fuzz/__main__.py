"""Fuzzing of every reader of outside input, each for so many minutes of CPU. Exit code 1 if one of them broke.

python -m tests.fuzz --minutes 60             # each reader for an hour; Ctrl-C ends it with the figures so far
python -m tests.fuzz --minutes 5 --only ami agi

An input that broke a reader goes to tests/fuzz/corpus/NAME: mend the fault and commit the file; each run tries it.
Inputs that reach new code are kept from run to run (--pool), so that the next run goes on where this one ended;
--keep writes the small ones to tests/fuzz/pool, for everybody's next run and for `make test`.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from callflow.lab.roots import cache_folder
from tests.fuzz.pool import keep
from tests.fuzz.readers import READERS

ENDS_WITHIN_S = 30.0
"""A process that was told to end: one input may take 5 s of CPU."""
LINE_LIMIT = 1 << 20


@dataclass
class Report:
    """Of one reader: its last line of figures (tests/fuzz/guided.py), and how its process ended."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def take(self, line: bytes) -> None:
        """One line: of figures, or what libFuzzer says when it gives up."""
        if not line.startswith(b"{"):
            return
        self.figures = json.loads(line)
        self.faults = self.figures.pop("faults")

    def ended(self, code: int, said: str) -> None:
        """Anything but 0 is a fault that Python did not see: a crash in C, or an input that never came back."""
        if code:
            self.faults.append(f"the process ended with {code}: {said[-300:]}")


class Fuzzing:
    """All readers asked for, `jobs` at once."""

    def __init__(self, minutes: float, seed: int, pool: Path, jobs: int, console: Console) -> None:
        self._minutes, self._seed, self._pool = minutes, seed, pool
        self._free = asyncio.Semaphore(jobs)
        words = TextColumn("{task.fields[words]}")
        self._progress = Progress(TextColumn("{task.description:12}"), BarColumn(), words, console=console)

    async def run(self, reports: list[Report]) -> None:
        """Until each has had its minutes, or until cancelled; the reports then hold what there is."""
        with self._progress:
            async with asyncio.TaskGroup() as group:
                for report in reports:
                    bar = self._progress.add_task(report.name, total=60 * self._minutes, words="")
                    group.create_task(self._one(report, bar))

    async def _one(self, report: Report, bar: TaskID) -> None:
        arguments = [report.name, str(self._pool / report.name)]
        arguments += ["--minutes", str(self._minutes), "--seed", str(self._seed)]
        async with self._free:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.fuzz.guided", *arguments,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LINE_LIMIT,
                start_new_session=True,  # Ctrl-C is for this process, which then ends the others
            )  # fmt: skip
            said = asyncio.create_task(_all_of(process.stderr))
            try:
                report.ended(await self._follow(process, report, bar), await said)
            except asyncio.CancelledError:
                process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(ENDS_WITHIN_S):
                        await self._follow(process, report, bar)
                raise
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def _follow(self, process: asyncio.subprocess.Process, report: Report, bar: TaskID) -> int:
        """Until it has ended; its exit code."""
        assert process.stdout is not None
        async for line in process.stdout:
            report.take(line)
            if at := report.figures:
                words = f"{at['inputs']:,} inputs, {len(report.faults)} faults"
                self._progress.update(bar, completed=at["cpu_s"], words=words)
        return await process.wait()


async def _all_of(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await stream.read()).decode("utf-8", "replace")


def table(reports: list[Report]) -> Table:
    """What each reader was given, and what came of it."""
    made = Table(title="fuzzing")
    for heading in ("reader", "inputs", "CPU min", "reach new code", "most MB", "faults"):
        made.add_column(heading, justify="left" if heading in ("reader", "faults") else "right")
    for report in reports:
        if at := report.figures:
            cells = [f"{at['inputs']:,}", f"{at['cpu_s'] / 60:.1f}", f"{at['kept']:,}", f"{at['memory_mb']:.0f}"]
            made.add_row(report.name, *cells, "\n".join(report.faults) or "none")
        else:
            made.add_row(report.name, *[""] * 4, "\n".join(report.faults) or "not begun")
    return made


def main() -> int:
    """Exit code 1 if a reader broke, 2 without atheris."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="of CPU, for each reader")
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS), help="these readers")
    parser.add_argument("--seed", type=int, default=1, help="of the changes to inputs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="readers at once")
    parser.add_argument("--pool", type=Path, default=cache_folder().parent / "fuzz", help="inputs that reach new code")
    parser.add_argument("--keep", action="store_true", help="write the small ones of them to tests/fuzz/pool")
    asked = parser.parse_args()
    console = Console()
    if importlib.util.find_spec("atheris") is None:
        console.print("atheris is missing: pip install atheris (Linux on x86_64, Python 3.11 to 3.13)", style="red")
        return 2
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs have it ignored
    reports = [Report(name) for name in asked.only]
    with suppress(KeyboardInterrupt):
        asyncio.run(Fuzzing(asked.minutes, asked.seed, asked.pool, asked.jobs, console).run(reports))
    console.print(table(reports))
    if asked.keep:
        console.print(", ".join(f"{one.name} {keep(one.name, asked.pool / one.name)} kept" for one in reports))
    return 1 if any(report.faults for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
