"""A fleet on one machine: many nodes, one broker, two collectors, one PostgreSQL; everything is killed once.

python -m tests.bench.bench_fleet --nodes 50 --calls 2000 --rate 200         # some minutes on two idle cores
python -m tests.bench.bench_fleet --nodes 50 --calls 30000 --rate 1000
python -m tests.bench.bench_fleet --nodes 50 --keep FOLDER --faults-only --minutes 15
python -m tests.bench.bench_fleet --quick

First each node's calls happen in virtual time: a real daemon beside a pretend Asterisk, no broker. Then the nodes send
their events in real time, at the rate or as fast as the machine goes: once undisturbed, and once while the active
collector, the broker, PostgreSQL and some nodes are killed. Prints the CPU time of each part for a call, the recovery
times, and how the tables differ from the nodes' databases; exit code 1 if they do.
"""

import argparse
import asyncio
import contextlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from tests.bench.fleet.comparing import Comparison, compare
from tests.bench.fleet.node import database
from tests.bench.fleet.stage import Stage, copied, fill, query, staged
from tests.services.postgres import make_database

PARTS = ("nodes, publishing", "broker", "collectors", "PostgreSQL")
QUICK_MQTT = {"settle_s": 0.5, "reconnect_min_s": 0.05, "reconnect_max_s": 0.5, "collector_timeout_s": 3.0}
QUICK_FLEET = {"batch_s": 0.05}
PROGRESS_S = 10.0
STORED_BYTES = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"


@dataclass(frozen=True, slots=True)
class Load:
    """What the nodes have to send."""

    sites: list[str]
    calls: int
    events: int
    sent_bytes: int
    """Topics and bodies."""
    file_bytes: int


@dataclass
class Played:
    """The result of one run."""

    lasted_s: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    repeated: int = 0
    stored_bytes: int = 0
    recovered_s: dict[str, float] = field(default_factory=dict)
    comparison: Comparison = field(default_factory=lambda: Comparison(0, 0, 0, 0, 0))


async def kill_collector(stage: Stage) -> None:
    active = stage.collectors[0]
    await active.kill()
    await active.start()


async def kill_broker(stage: Stage) -> None:
    await stage.broker.kill()
    await stage.broker.start()


async def crash_postgres(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.crash)
    await asyncio.to_thread(stage.cluster.restart)


async def kill_nodes(stage: Stage) -> None:
    await stage.nodes[0].kill()
    await stage.start_nodes(0)


FAULTS: dict[str, tuple[float, Callable[[Stage], Awaitable[None]]]] = {
    "the active collector is killed": (0.15, kill_collector),
    "the broker is killed, with all that it keeps": (0.35, kill_broker),
    "PostgreSQL is killed": (0.55, crash_postgres),
    "a process of nodes is killed": (0.75, kill_nodes),
}
"""When: at this share of all events."""


async def strike(stage: Stage) -> dict[str, float]:
    """All faults, one after the other; returns how long each took until every node concerned was stored again."""
    recovered = {}
    for name, (share, fault) in FAULTS.items():
        await stage.until(share)
        begun = time.monotonic()
        stage.look()
        await fault(stage)
        if fault is kill_nodes:
            await stage.until_all_live_again(set(stage.groups[0]))
        else:
            await stage.until_all_advance(set(stage.last))
        recovered[name] = time.monotonic() - begun
    return recovered


async def play(folder: Path, load: Load, options: argparse.Namespace, console: Console, *, faults: bool) -> Played:
    """Send everything, and compare; uses up the databases in `folder`. Raises TimeoutError after `--minutes`."""
    groups = [load.sites[n : n + options.in_process] for n in range(0, len(load.sites), options.in_process)]
    mqtt, fleet = (QUICK_MQTT, QUICK_FLEET) if options.quick else ({}, {})
    events_a_second = options.rate * load.events / load.calls / len(load.sites)
    async with (
        asyncio.timeout_at(options.ends_at),
        staged(folder, groups, events_a_second, mqtt, fleet) as stage,
        progress(stage, load, console),
    ):
        begun = time.monotonic()
        for number in range(len(groups)):
            await stage.start_nodes(number)
        played = Played()
        if faults:
            played.recovered_s = await strike(stage)
        await stage.until(1.0)
        played.lasted_s = time.monotonic() - begun
        await stage.until_delivered()
        stage.look()
        played.cpu = {part: stage.cpu.seconds(part) for part in PARTS}
        played.repeated = int(query(stage.url, "SELECT sum(events) FROM publishers")[0][0]) - load.events
        played.stored_bytes = int(query(stage.url, STORED_BYTES)[0][0])
        await stage.rest()
        expected = make_database(stage.cluster.folder, "expected")
        played.comparison = await asyncio.to_thread(compare, folder, load.sites, stage.url, expected)
        return played


@contextlib.asynccontextmanager
async def progress(stage: Stage, load: Load, console: Console) -> AsyncIterator[None]:
    """A line every ten seconds while inside; where it ends early, what a call has cost until then."""
    begun = time.monotonic()

    def so_far() -> str:
        return f"{round(stage.share * load.events):,} of {load.events:,} events stored ({stage.share:.0%})"

    async def tell() -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            console.print(f"{time.monotonic() - begun:6.0f} s: {so_far()}; at {len(stage.unfinished)} nodes some wait")

    telling = asyncio.create_task(tell())
    try:
        yield
    except BaseException:
        stored = max(1.0, stage.share * load.calls)
        costs = ", ".join(f"{part} {1000 * stage.cpu.seconds(part) / stored:.1f} ms" for part in PARTS)
        console.print(f"not finished: {so_far()}; CPU for a call until then: {costs}")
        raise
    finally:
        telling.cancel()


def measure(folder: Path, sites: list[str]) -> Load:
    """Count what the nodes have."""
    calls = events = sent = size = 0
    for site in sites:
        path = database(folder, site)
        size += path.stat().st_size
        with contextlib.closing(sqlite3.connect(path)) as connection:
            calls += connection.execute("SELECT count(*) FROM calls").fetchone()[0]
            told = "SELECT count(*), sum(length(topic) + length(CAST(body AS BLOB))) FROM outbox"
            number, length = connection.execute(told).fetchone()
            events, sent = events + number, sent + length
    return Load(sites, calls, events, sent, size)


async def run(folder: Path, options: argparse.Namespace, console: Console) -> bool:
    """Whether the tables were those of the nodes, always."""
    sites = [f"n{number:02}" for number in range(1, options.nodes + 1)]
    if missing := [site for site in sites if not database(folder, site).exists()]:
        begun, rate = time.monotonic(), options.rate / options.nodes
        used = await fill(folder, missing, round(options.calls / options.nodes), rate, options.at_once)
        made = measure(folder, missing)
        console.print(
            f"{made.calls} calls at {len(missing)} nodes in virtual time: {time.monotonic() - begun:.0f} s, "
            f"{1000 * used / made.calls:.1f} ms of CPU for a call (daemon and pretend Asterisk together)"
        )
    load = measure(folder, sites)
    runs = {}
    for name, faults in (("undisturbed", False), ("with faults", True)):
        if faults or not (options.quick or options.faults_only):
            console.print(f"{name}: {load.events:,} events of {load.calls:,} calls at {len(sites)} nodes")
            with tempfile.TemporaryDirectory(prefix="callflow-fleet-") as work:
                runs[name] = await play(
                    copied(folder, sites, Path(work) / "nodes"), load, options, console, faults=faults
                )
            console.print(f"{name}: {runs[name].lasted_s:.0f} s; {runs[name].comparison}")
    show(load, runs, options, console)
    return all(played.comparison.equal for played in runs.values())


async def bounded(folder: Path, options: argparse.Namespace, console: Console) -> bool:
    """`run`, for at most `--minutes`."""
    options.ends_at = asyncio.get_running_loop().time() + 60 * options.minutes
    async with asyncio.timeout_at(options.ends_at):
        return await run(folder, options, console)


def show(load: Load, runs: dict[str, Played], options: argparse.Namespace, console: Console) -> None:
    """The figures."""
    console.print(
        f"{len(load.sites)} nodes, {load.calls} calls, {load.events} events; for a call {load.events / load.calls:.1f} "
        f"events, {load.sent_bytes / load.calls:,.0f} bytes of MQTT, {load.file_bytes / load.calls:,.0f} of SQLite"
    )
    table = Table(title=f"{options.rate:g} calls/s asked for")
    for heading in ("", *runs):
        table.add_column(heading, justify="right" if heading else "left")

    def row(name: str, figure: Callable[[Played], str]) -> None:
        table.add_row(name, *map(figure, runs.values()))

    row("time", lambda played: f"{played.lasted_s:.1f} s")
    row("calls/s", lambda played: f"{load.calls / played.lasted_s:.0f}")
    for part in PARTS:
        row(f"CPU for a call: {part}", partial(_cpu, load.calls, part))
    row("events that came again", lambda played: f"{played.repeated}")
    row("bytes in PostgreSQL for a call", lambda played: f"{played.stored_bytes / load.calls:,.0f}")
    for fault in FAULTS:
        row(f"{fault}: all nodes stored again after", partial(_recovered, fault))
    console.print(table)


def _cpu(calls: int, part: str, played: Played) -> str:
    return f"{1000 * played.cpu[part] / calls:.2f} ms"


def _recovered(fault: str, played: Played) -> str:
    return f"{played.recovered_s[fault]:.1f} s" if fault in played.recovered_s else "-"


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--calls", type=int, default=30_000, help="of all nodes together")
    parser.add_argument("--rate", type=float, default=1000.0, help="calls per second, of all nodes together")
    parser.add_argument("--in-process", type=int, default=10, help="nodes that share a process, and its death")
    parser.add_argument("--at-once", type=int, default=2, help="processes that fill databases")
    parser.add_argument("--keep", type=Path, help="a folder in which the filled databases stay for the next time")
    parser.add_argument("--minutes", type=float, default=15.0, help="it gives up after so long, with what it knows")
    parser.add_argument("--faults-only", action="store_true", help="leave the undisturbed run out")
    parser.add_argument("--quick", action="store_true", help="a minute: four nodes, some calls, every fault")
    options = parser.parse_args()
    if options.quick:
        options.nodes, options.calls, options.rate, options.in_process = 4, 60, 8.0, 2
    structlog.configure(processors=[structlog.dev.ConsoleRenderer()])
    with contextlib.ExitStack() as stack:
        keep = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callflow-nodes-")))
        keep.mkdir(parents=True, exist_ok=True)
        console = Console(width=120, highlight=False)
        try:
            return 0 if asyncio.run(bounded(keep, options, console)) else 1
        except TimeoutError:
            console.print(f"given up after {options.minutes:g} minutes (--minutes)")
            return 1


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
