"""Soak: the daemon with everything enabled, hour after hour. Prints what it holds, by tenths.

Exit code 1 if memory is above its plan (`soak_plan.py`), if anything grew that is not in it, or if a planned call is
not in the database exactly once (`soak_calls.py`).

python -m tests.bench.bench_soak --rate 20 --seconds 7200
python -m tests.bench.bench_soak --quick

A pretend Asterisk 22 places callers who speak and rate their agent, stay silent, press a key, hang up at once and ring
again, or are put on hold. Beside it stand a real Mosquitto, a receiver of webhooks and a viewer of the page.

Beside other work, give it priority (`nice -n -10`, as root) and switch off kernel.sched_autogroup_enabled: with it,
Linux gives every session the same share of the processors, however nice its processes are.
"""

import argparse
import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callflow.processes.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.scenarios.site import daemon_config
from callflow.simulator.pretend.report import Outcome, Status, read_line
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import answered
from tests.bench.soak_calls import Placed, recorded, unaccounted
from tests.bench.soak_plan import Held, held, planned_mb, settled, unplanned
from tests.bench.viewers import watching
from tests.services.mosquitto import Broker, settings_for
from tests.webhooks.receiver import Receiver, webhooks_to

LINE_LIMIT = 1 << 20
SAMPLE_S = 10.0
TAPS = 50
PARTS = 10
FILE_WIDTH = 140
"""Columns of the tables in a file."""
SAMPLES, SCENARIO_FILE, DATABASE = "samples.jsonl", "soak.toml", "callflow.db"
AS_PLANNED = """memory: as planned, and nothing grew that is not planned
calls: each that was planned is in the database exactly once"""
MB = 2**20
QUICK_RATE, QUICK_S = 14.0, 5.0
WATCHED = (sys.executable, "-m", "tests.bench.watched_daemon", "run", "--config")
SCENARIO = """
purpose = "A mix of callers at a steady rate, with everything enabled, for the bench."
seed = 1
lasts_s = {seconds}
lines = 5000
music = true
dialplan = '''
[from-lab]
exten => desk,1,Gosub(callflow-screen,s,1(support))
 same => n,Gosub(callflow-greet,s,1(support))
 same => n,Queue(support,c,,,60)
 same => n,Gosub(callflow-rating,s,1(support))
 same => n,Hangup()
[phones]
exten => _8XXX,1,Dial(PJSIP/${{EXTEN}},20,g)
 same => n,Hangup()
'''

[[phones]]
number = "8001-8199"
queues = ["support"]
talk_s = 6
acts = [
    {{ at_s = 0.3, sound = "speech", for_s = 1 }},
    {{ at_s = 2, hold = true }},
    {{ at_s = 3, resume = true }},
]

[[phones]]
number = "138*"
after_s = 1
talk_s = 3
"""
GROUP = """
[[callers]]
name = "{name}"
rate_per_s = {rate}
number = "{number}"
dials = "desk"
stays_s = 60
does = [{does}]
"""
SPEAKS = '{ at = 1.5, sound = "speech" }'
RATES = ", ".join(
    f'{{ on_prompt = "rate_{scale}", at = 1, key = "{key}" }}'
    for scale, key in {"efficiency": 5, "attitude": 4, "correctness": 5}.items()
)
CALLERS = {
    "speaks": (0.5, "13810000000-13810999999", SPEAKS),
    "rates": (0.2, "13820000000-13820999999", f"{SPEAKS}, {RATES}"),
    "silent": (0.1, "13830000000-13830000999", ""),
    "key": (0.1, "13840000000-13840999999", '{ at = "listen1+1", key = "1" }'),
    "rings-again": (0.1, "13850000000-13850000199", "{ at = 0.8, hang_up = true }"),
}
"""Share of the callers, numbers and what they do. Of those who are silent or ring again there are few, often."""


@dataclass
class Figures:
    """What is gathered while the calls come in."""

    placed: int = 0
    ended: int = 0
    results: Counter[str] = field(default_factory=Counter)
    calls: list[Placed] = field(default_factory=list)
    samples: list[dict[str, float]] = field(default_factory=list)
    before: Held = field(default_factory=Held)
    after: Held = field(default_factory=Held)
    """What the daemon holds while no call is under way."""


def scenario_text(rate: float, seconds: float) -> str:
    """The scenario file."""
    groups = (
        GROUP.format(name=name, rate=share * rate, number=number, does=does)
        for name, (share, number, does) in CALLERS.items()
    )
    return SCENARIO.format(seconds=seconds) + "".join(groups)


def settings(ami_port: int, agi_port: int, folder: Path) -> dict[str, Any]:
    """Everything that can be enabled is."""
    config = daemon_config(ami_port, agi_port, folder / DATABASE, "info", taps=TAPS)
    open_all_day = {"zone": "UTC", "hours": ["mon-sun 00:00-24:00"], "after_s": 0}
    config["profiles"] = {"support": {"assist": "act"}}
    config["callbacks"] = {
        "dial": "PJSIP/{number}@carrier",
        "auto": True,
        "agent_rest_s": 0,
        "profiles": {"default": open_all_day},
    }
    config["ratings"] = {"answer_s": 1.5}
    return config


def in_folder(folder: Path, database: Path, log: Path) -> dict[str, float]:
    """Sizes on disk, MB."""
    wal = database.with_name(database.name + "-wal")
    kept = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / MB
    sizes = {"database": database, "write-ahead log": wal, "log": log}
    return {name: (file.stat().st_size / MB if file.exists() else 0.0) for name, file in sizes.items()} | {
        "all files": kept
    }


def told(port: int) -> dict[str, float]:
    """What the daemon tells of itself at /metrics."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    wanted = {
        "process_resident_memory_bytes": ("memory", MB),
        "process_open_fds": ("open files", 1),
        "callflow_tasks": ("tasks", 1),
        "callflow_calls_live": ("calls screened", 1),
        "callflow_taps": ("taps", 1),
        "callflow_outbox_depth": ("outbox", 1),
        "process_cpu_seconds_total": ("CPU", 1),
    }
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {wanted[one.name][0]: one.value / wanted[one.name][1] for one in samples if one.name in wanted} | {
        "metrics page": len(text) / 1024
    }


async def run(rate: float, seconds: float, console: Console, keep: Path) -> Figures:
    """Play it; the daemon's database and log stay in `keep`."""
    figures = Figures()
    with take_ports() as ports:
        ami_port, agi_port = ports.named(), ports.named()
        config = settings(ami_port, agi_port, keep)
        async with contextlib.AsyncExitStack() as stack:
            broker = await stack.enter_async_context(Broker(keep / "broker", ports.named()))
            receiver = Receiver()
            await receiver.open()
            stack.push_async_callback(receiver.close)
            config["mqtt"] = settings_for(broker.port)
            config["webhooks"] = webhooks_to(receiver)
            config["http"] = {"port": ports.named()}
            config["web"] = {"port": ports.named()}
            scenario = keep / SCENARIO_FILE
            scenario.write_text(scenario_text(rate, seconds))
            daemon = Daemon(keep, config, WATCHED, ahead=True)
            process = await stack.enter_async_context(pretend(scenario, ami_port, agi_port))
            await daemon.start()
            stack.push_async_callback(daemon.stop)
            await answered(config["web"]["port"])
            _, token = TokenFile(daemon.database.with_name("web-tokens.json")).add("bench", Role.VIEWER)
            await stack.enter_async_context(watching(config["web"]["port"], token, 1))
            figures.before = await held(daemon)
            assert process.stdin is not None
            process.stdin.write(b"begin\n")
            watch = asyncio.create_task(sample(figures, daemon, config["http"]["port"], receiver))
            try:
                await follow(process, figures, seconds, console)
                await recorded(daemon.database, figures.calls)
                await ended(process)
                figures.after = await settled(daemon, figures.before, figures.placed)
            finally:
                watch.cancel()
    return figures


@contextlib.asynccontextmanager
async def pretend(scenario: Path, ami_port: int, agi_port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A pretend Asterisk 22 as a process of its own, ended with SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callflow.simulator.pretend", str(scenario),
        "--ami-port", str(ami_port), "--agi-port", str(agi_port), "--start", "stdin", "--stay",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT,
    )  # fmt: skip
    try:
        yield process
    finally:
        await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """End it with SIGTERM, unless it has ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    await process.wait()


async def sample(figures: Figures, daemon: Daemon, http_port: int, receiver: Receiver) -> None:
    """Every ten seconds; the receiver forgets what it has received, so that this process stays small."""
    while True:
        now = await asyncio.to_thread(told, http_port)
        figures.samples.append(now | in_folder(daemon.work, daemon.database, daemon.log) | {"at": time.monotonic()})
        with (daemon.work / SAMPLES).open("a") as file:
            file.write(json.dumps(figures.samples[-1]) + "\n")
        receiver.arrivals.clear()
        receiver.confirmed.clear()
        await asyncio.sleep(SAMPLE_S)


async def follow(process: asyncio.subprocess.Process, figures: Figures, seconds: float, console: Console) -> None:
    """Take in what the pretend Asterisk tells until all calls have ended."""
    assert process.stdout is not None
    with Progress(console=console) as progress:
        bar = progress.add_task("calls arrive", total=seconds)
        async for line in process.stdout:
            match read_line(line.decode()):
                case Outcome() as outcome:
                    figures.results[outcome.result or "none"] += 1
                    figures.calls.append(Placed.of(outcome))
                case Status() as status:
                    figures.placed, figures.ended = status.placed, status.ended
                    progress.update(bar, completed=min(seconds, status.now_s))
                    if status.done:
                        return
    raise SystemExit("the pretend Asterisk ended before its calls did")


def show(figures: Figures, stored: Mapping[str, Any], console: Console) -> None:
    """A table: what was held, by tenths of the run."""
    console.print(
        f"{figures.placed} calls placed, {figures.ended} ended; in the database {stored['calls']}, "
        f"of them ended {stored['ended']}, twice {stored['twice']}\n"
        + ", ".join(f"{name} {count}" for name, count in figures.results.most_common())
        + "\n"
        + ", ".join(f"{name} {count}" for name, count in stored["tables"].items()),
        highlight=False,
    )
    table = Table(title="what the daemon holds, mean by tenths of the run; sizes in MB")
    table.add_column("")
    parts = [part for part in np.array_split(np.array(figures.samples, dtype=object), PARTS) if part.size]
    for _ in parts:
        table.add_column(justify="right")
    for name in figures.samples[0]:
        if name not in ("at", "CPU"):
            table.add_row(name, *(f"{np.mean([one.get(name, 0.0) for one in part]):.4g}" for part in parts))
    console.print(table)
    first, last = figures.samples[0], figures.samples[-1]
    if last["at"] > first["at"]:
        console.print(f"CPU: {(last['CPU'] - first['CPU']) / (last['at'] - first['at']):.3f} of a core")


def faults(figures: Figures, rate: float, keep: Path) -> list[str]:
    """What is not as planned."""
    found = list(unplanned(figures.before, figures.after, figures.placed))
    found += unaccounted(keep / SCENARIO_FILE, figures.calls, keep / DATABASE)
    memory_mb, planned = figures.samples[-1]["memory"], planned_mb(rate, figures.placed)
    if memory_mb > planned:
        found.append(f"memory is {memory_mb:.0f} MB, planned are {planned:.0f}")
    return found


def stored(database: Path) -> dict[str, Any]:
    """Calls in the database after the end, and the rows of its other tables."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        one = "select count(*), coalesce(sum(ended_ms is not null), 0), count(*) - count(distinct call_id) from calls"
        calls, ended, twice = connection.execute(one).fetchone()
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        counts = {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in sorted(names)}
    tables = {name: count for name, count in counts.items() if count and not name.startswith("sqlite_")}
    return {"calls": calls, "ended": ended, "twice": twice, "tables": tables}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=20.0, help="calls per second")
    parser.add_argument("--seconds", type=float, default=7200.0, help="how long calls arrive")
    parser.add_argument("--quick", action="store_true", help="a few seconds: does the bench itself still work?")
    parser.add_argument("--keep", type=Path, help="an empty folder in which database, log and samples stay")
    options = parser.parse_args()
    if options.quick:
        options.rate, options.seconds = QUICK_RATE, QUICK_S
    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    with contextlib.ExitStack() as stack:
        keep = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callflow-soak-")))
        keep.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options.rate, options.seconds, console, keep))
        show(figures, stored(keep / DATABASE), console)
        found = faults(figures, options.rate, keep)
    console.print("\n".join(found) or AS_PLANNED, highlight=False)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
