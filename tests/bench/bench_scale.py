"""Scale: the real daemon beside the pretend Asterisk, at a rate, for a while. Prints figures; asserts nothing.

python -m tests.bench.bench_scale --rate 100 --seconds 300
python -m tests.bench.bench_scale --quick
"""

import argparse
import asyncio
import contextlib
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table

from callflow.processes.daemon import RUN_CALLFLOW, Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.site import daemon_config
from callflow.simulator.pretend.report import Outcome, Status, read_line
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import answered
from tests.bench.stalls import Stalls
from tests.bench.viewers import watching

LISTEN_S = 3.0
NICE = -10
"""As config/systemd/callflow.service has it; Asterisk itself runs at a real-time priority."""
SPEAKING = 0.7
LINES = 10_000
LINE_LIMIT = 1 << 20
QUICK_RATE, QUICK_S = 10.0, 2.0
"""All of them speak: a silent caller's call lasts 20 s."""
HEADER = """
purpose = "A mix of callers at a steady rate, for the bench."
seed = 1
lasts_s = {seconds}
lines = {lines}
[agents]
ring_s = 0.5
talk_s = 1
"""
GROUP = """
[[callers]]
name = "{name}"
rate_per_s = {rate}
number = "{number}"
does = [{does}]
"""
CALLERS = {
    "speaks": ("1000000-1999999", '{ at = 1.5, sound = "speech" }'),
    "silent": ("2000000-2999999", ""),
    "key": ("3000000-3999999", '{ at = "listen1+1", key = "1" }'),
}
EXPECTED = {"speaks": "spoke", "silent": "silent", "key": "key"}


class Figures:
    """What is gathered while the calls come in."""

    def __init__(self) -> None:
        self.prompts: list[tuple[float, float]] = []
        """Of every prompt but a call's first: when the last one ended and when it began, by the scenario's clock."""
        self.began_at = float("inf")
        """The scenario's beginning by the monotonic clock."""
        self.results: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()
        """The outcomes of callers that ended otherwise than expected."""
        self.memory_mb: list[float] = []
        self.status: Status | None = None
        self.waited_s = 0.0
        self.stolen = 0, 1

    def take(self, outcome: Outcome) -> None:
        self.results[outcome.result or "none"] += 1
        if outcome.result != EXPECTED[outcome.caller]:
            self.unexpected[f"{outcome.caller}: {outcome.result or 'none'}"] += 1
        for before, after in pairwise(outcome.prompts):
            self.prompts.append((before.ended_s, after.started_s))

    def lateness_ms(self, stalls: Stalls | None = None) -> list[float]:
        """How late prompts were; with `stalls`, those that no stall of the machine could touch."""
        late = [(ended, began, began - ended - LISTEN_S) for ended, began in self.prompts]
        if stalls is not None:
            late = [one for one in late if not self._stalled(stalls, *one)]
        return [1000 * late_s for _, _, late_s in late]

    def _stalled(self, stalls: Stalls, ended: float, began: float, late_s: float) -> bool:
        """It may have been late as the last one ended, or as it was due itself."""
        times = (ended, ended + late_s), (began - late_s, began)
        return any(stalls.overlap(self.began_at + first, self.began_at + last) for first, last in times)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waited_s(pid: int) -> float:
    """How long a process' first thread, the daemon's event loop, was ready to run and had no processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def stolen() -> tuple[int, int]:
    """Ticks of all processors: given to other guests of the host, and in all."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


def memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def table(figures: Figures, rate: float) -> Table:
    shown = Table(title=f"{rate:g} calls per second", show_header=False)
    status = figures.status
    if status is None:
        return shown
    shown.add_row("time", f"{status.now_s:.0f} s")
    shown.add_row("placed, ended, in progress", f"{status.placed}, {status.ended}, {status.placed - status.ended}")
    shown.add_row("results", ", ".join(f"{name} {count}" for name, count in figures.results.most_common()))
    shown.add_row("daemon memory", f"{figures.memory_mb[-1]:.0f} MB")
    return shown


def scenario_text(rate: float, seconds: float, speaking: float, lines: int) -> str:
    """The scenario file. Of the callers who do not speak, two thirds are silent and one third press a key."""
    others = (1 - speaking) * rate
    rates = {"speaks": speaking * rate, "silent": others * 2 / 3, "key": others / 3}
    groups = (
        GROUP.format(name=name, rate=rates[name], number=number, does=does)
        for name, (number, does) in CALLERS.items()
        if rates[name] > 0
    )
    return HEADER.format(seconds=seconds, lines=lines) + "".join(groups)


@contextlib.asynccontextmanager
async def looking(daemon: Daemon, viewers: int) -> AsyncIterator[None]:
    """`viewers` hold live streams of the daemon's page while inside."""
    if not viewers:
        yield
        return
    _, token = TokenFile(daemon.database.with_name("web-tokens.json")).add("bench", Role.VIEWER)
    async with watching(daemon.config["web"]["port"], token, viewers, idle=True) as report:
        yield
    lost = cast("list[str]", report["lost"])
    print(f"{viewers} viewers: {report['frames']} frames, {len(lost)} streams lost {', '.join(sorted(set(lost)))}")


async def run(
    rate: float,
    seconds: float,
    console: Console,
    speaking: float = SPEAKING,
    lines: int = LINES,
    viewers: int = 0,
) -> None:
    figures = Figures()
    with take_ports() as ports, tempfile.TemporaryDirectory(prefix="callflow-bench-") as name:
        folder = Path(name)
        ami_port, agi_port = ports.named(), ports.named()
        scenario = folder / "scale.toml"
        scenario.write_text(scenario_text(rate, seconds, speaking, lines))
        config = daemon_config(ami_port, agi_port, folder / "callflow.db", "warning")
        config["limits"] |= {"max_calls": 20_000}
        if viewers:
            config["web"] = {"port": ports.named(), "max_viewers": viewers}
        daemon = Daemon(folder, config, RUN_CALLFLOW)
        options = ["--ami-port", str(ami_port), "--agi-port", str(agi_port), "--start", "stdin"]
        like = ["--asterisk", "16"]  # without taps an Asterisk 22 gives no evidence, and nobody is hung up on
        command = [sys.executable, "-m", "callflow.simulator.pretend", str(scenario), *options, *like]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT
        )
        stalls = Stalls()
        try:
            await daemon.start()
            if viewers:
                await answered(config["web"]["port"])  # it serves calls first
            async with looking(daemon, viewers):
                before = cpu_s(daemon.pid), cpu_s(process.pid)
                waited, ticks = waited_s(daemon.pid), stolen()
                assert process.stdin is not None
                process.stdin.write(b"begin\n")
                with stalls:
                    after = await follow(process, daemon.pid, figures, rate, console)
                figures.waited_s = waited_s(daemon.pid) - waited
                (now_stolen, now_all), (stolen_before, all_before) = stolen(), ticks
                figures.stolen = now_stolen - stolen_before, now_all - all_before
            await process.wait()
        finally:
            if daemon.running:
                await daemon.stop()
            else:
                print(f"the daemon has ended by itself:\n{daemon.log.read_text()[-4000:]}", file=sys.stderr)
            if process.returncode is None:
                process.terminate()
                await process.wait()
        with contextlib.closing(sqlite3.connect(folder / "callflow.db")) as database:
            counted = "select count(*), sum(ended_ms is not null), sum(interrupted) from calls"
            rows = database.execute(counted).fetchone()
        show(figures, stalls, [end - start for start, end in zip(before, after, strict=True)], rows, console)
        print(daemon.log.read_text()[-2000:], file=sys.stderr)


async def follow(
    process: asyncio.subprocess.Process, pid: int, figures: Figures, rate: float, console: Console
) -> tuple[float, float]:
    """Take in what the pretend Asterisk tells until all is over: what both have used by then, in seconds of CPU."""
    assert process.stdout is not None
    sampled_at, used = 0.0, (0.0, 0.0)
    with Live(console=console, refresh_per_second=2) as live:
        async for line in process.stdout:
            match read_line(line.decode()):
                case Outcome() as outcome:
                    figures.take(outcome)
                case Status() as status:
                    figures.status = status
                    figures.began_at = min(figures.began_at, time.monotonic() - status.now_s)
                    if time.monotonic() - sampled_at > 1:
                        sampled_at = time.monotonic()
                        figures.memory_mb.append(memory_mb(pid))
                        used = cpu_s(pid), cpu_s(process.pid)
                        live.update(table(figures, rate))
                    if status.done:
                        break
    return used


def show(figures: Figures, stalls: Stalls, cpu: list[float], rows: tuple[int, int, int], console: Console) -> None:
    calls = sum(figures.results.values())
    memory = " ".join(f"{np.mean(some):.1f}" for some in np.array_split(figures.memory_mb, 10) if some.size)
    lasted_s = figures.status.now_s if figures.status else 1.0
    lost = (figures.status.placed if figures.status else 0) - calls
    odd = ", ".join(f"{what} {count}" for what, count in figures.unexpected.most_common())
    console.print(
        f"{calls} calls, {lost} lost, {figures.unexpected.total()} not as expected ({odd or 'none'}); "
        f"in the database {rows[0]}, ended {rows[1]}, interrupted {rows[2]}\n"
        f"prompt lateness: {percentiles(figures.lateness_ms())}\n"
        + (
            f"the same but for {stalls.total_s:.1f} s in which the machine itself stood still: "
            f"{percentiles(figures.lateness_ms(stalls))}\n"
            if stalls.watched
            else ""
        )
        + f"CPU per call: daemon {cpu[0] / calls * 1000:.2f} ms, pretend Asterisk {cpu[1] / calls * 1000:.2f} ms; "
        f"one core is saturated at about {calls / cpu[0]:.0f} calls per second\n"
        f"not had: the daemon's loop waited for a processor {100 * figures.waited_s / lasted_s:.1f} % of the time; "
        f"the host kept {100 * figures.stolen[0] / figures.stolen[1]:.1f} % of the processors for others\n"
        f"daemon memory, MB, by tenth of the run: {memory}",
        highlight=False,
    )


def percentiles(late_ms: list[float]) -> str:
    low, high, worst = np.percentile(late_ms, (50, 99, 100)) if late_ms else (0, 0, 0)
    return f"p50 {low:.1f} ms, p99 {high:.1f} ms, worst {worst:.1f} ms, of {len(late_ms)} prompts"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="calls per second")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long calls arrive")
    parser.add_argument(
        "--speaking", type=float, default=SPEAKING, help="share of callers who speak; 2/3 of the others are silent"
    )
    parser.add_argument(
        "--lines", type=int, default=LINES, help="most calls at once: beside other work, arrivals wait for their turn"
    )
    parser.add_argument("--viewers", type=int, default=0, help="live streams of the daemon's page, open all through")
    parser.add_argument("--quick", action="store_true", help="a few seconds: does the bench itself still work?")
    options = parser.parse_args()
    if options.quick:
        options.rate, options.seconds, options.speaking = QUICK_RATE, QUICK_S, 1.0
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    asyncio.run(run(options.rate, options.seconds, Console(), options.speaking, options.lines, options.viewers))


if __name__ == "__main__":
    main()
