"""The page under load: weight, first paint with 200 live calls, how soon viewers see a change, memory of reconnects.

`python -m tests.bench.bench_web [--viewers 50] [--seconds 20] [--reconnects 2000] [--database PATH] [--quick]`

Without --database the stored calls are a million made-up ones (made once and kept, 1.5 GB). Prints; judges nothing.
"""

import argparse
import asyncio
import os
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table

from callflow.adapters.store.store import Store
from callflow.web.options import WebOptions
from callflow.web.server import WebServer, tokens_of
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.bench import bench_report
from tests.bench.viewers import watching
from tests.services.chromium import browser
from tests.store.plausible_day import plausible_day

CALLS, AGENTS, QUEUES = 200, 60, 20
CHANGES_PER_S = 40
PROBE_EVERY_S = 0.37
PERCENT = (50, 95, 99)
TURN_MS = 1_000_000
"""The probe shows the milliseconds of the clock, without those of more than a quarter of an hour."""
WATCH_THE_PROBE = """turn => {
  window.late = [];
  const probe = () => [...document.querySelectorAll(".tile")].find((tile) => tile.querySelector("h3")?.textContent === "probe")?.querySelector("b").textContent;
  let shown = probe();
  const drawn = (value) => window.late.push((Date.now() - Number(value) + turn) % turn);
  new MutationObserver(() => {
    const value = probe();
    if (value === shown) return;
    shown = value;
    setTimeout(() => drawn(value)); // the frame is painted first
  }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true });
}"""  # noqa: E501 - JavaScript


class Floor:
    """A busy floor: some of it changes forty times a second."""

    def __init__(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        self.state: dict[str, dict[str, Any]] = {"health": {"ami": True, "store": {}}}
        for n in range(QUEUES):
            self.state[f"queue/{n}"] = {"queue": f"queue {n}", "waiting": 0, "oldest_ms": None, "members": {}}
        for n in range(AGENTS):
            self.state[f"agent/{n}"] = {"agent": str(n), "work": "talking", "since_ms": now_ms, "queues": []}
        for n in range(CALLS):
            self.state[f"call/{n}"] = {
                "call_id": str(n),
                "caller": "•••12",
                "profile": "support",
                "rung": 1,
                "does": "saying",
                "prompt": "greeting",
                "heard": None,
                "level_dbov": None,
                "arrived_ms": now_ms,
            }

    async def move(self) -> None:
        """Change it until cancelled."""
        probe_at = 0.0
        while True:
            key = random.choice([key for key in self.state if key.startswith("call/")])
            now = time.monotonic_ns()
            change = {key: self.state[key] | {"rung": random.randint(1, 3), "since_ms": now}}
            if time.monotonic() >= probe_at:
                probe_at = time.monotonic() + PROBE_EVERY_S
                change["queue/probe"] = {
                    "queue": "probe",
                    "waiting": time.time_ns() // 1_000_000 % TURN_MS,
                    "oldest_ms": None,
                    "sent_ns": now,
                    "members": {},
                }
            self.state = self.state | change
            await asyncio.sleep(1 / CHANGES_PER_S)


def memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def first_paint(server: WebServer, secret: str, database: Path) -> list[tuple[str, str]]:
    """How long a first visit takes, and a page of stored calls."""
    async with browser() as chromium:
        painted, drawn, listed = [], [], []
        for _ in range(3):
            context = await chromium.new_context(viewport={"width": 1280, "height": 900})
            tab = await context.new_page()
            began = time.perf_counter()
            await tab.goto(f"http://127.0.0.1:{server.port}/#token={secret}")
            await tab.wait_for_selector(f"tbody tr:nth-child({CALLS})")
            drawn.append(time.perf_counter() - began)
            entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
            painted.append(await tab.evaluate(entry) / 1000)
            began = time.perf_counter()
            await tab.evaluate("location.hash = '#/calls?period=days365'")
            await tab.wait_for_selector("td a, .empty")
            listed.append(time.perf_counter() - began)
            await context.close()
    return [
        ("first contentful paint", f"{statistics.median(painted):.2f} s"),
        (f"all of {CALLS} live calls drawn", f"{statistics.median(drawn):.2f} s"),
        ("first page of stored calls", f"{statistics.median(listed):.2f} s ({_stored(database):,} stored)"),
    ]


def _stored(database: Path) -> int:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from calls").fetchone()[0])


async def seen_after(server: WebServer, secret: str, viewers: int, seconds: float) -> list[tuple[str, str]]:
    """How late viewers see what has changed, and what the server uses for it; one of them is a browser."""
    async with browser() as chromium, watching(server.port, secret, viewers - 1) as report:
        tab = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await tab.goto(f"http://127.0.0.1:{server.port}/#token={secret}")
        await tab.wait_for_selector("h3:text-is('probe')")
        await tab.evaluate(WATCH_THE_PROBE, TURN_MS)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        await asyncio.sleep(seconds)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_utime - used
        drawn = await tab.evaluate("late")
    return [
        (f"a change is at {viewers} viewers after, p50 / p95 / p99", _spread(report["late_ms"])),
        ("and on the screen of a browser after", _spread(drawn)),
        (
            "frames and megabytes to each viewer",
            f"{_each(report, 'frames', viewers - 1)}, {_each(report, 'bytes', (viewers - 1) * 1e6)}",
        ),
        ("streams lost", str(len(report["lost"]))),
        ("processor, this floor's own changes with it", f"{used / seconds:.3f} core"),
    ]


def _spread(late_ms: list[float]) -> str:
    late = sorted(late_ms)
    at = [f"{late[min(len(late) - 1, len(late) * p // 100)]:.0f}" for p in PERCENT] if late else ["-"] * len(PERCENT)
    return f"{' / '.join(at)} ms ({len(late)} seen)"


def _each(report: dict[str, Any], name: str, of: float) -> str:
    return f"{float(report[name]) / of:.1f}"


async def reconnecting(server: WebServer, secret: str, times: int) -> list[tuple[str, str]]:
    """Memory while twenty viewers come and go again and again; as often as in an hour of one visit every 36 s."""
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n\r\n".encode()

    async def visit() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request)
        await reader.readuntil(b"data: ")
        writer.close()

    figures = []
    for turn in range(times // 20):
        await asyncio.gather(*(visit() for _ in range(20)))
        if turn % max(1, times // 200) == 0:
            figures.append(memory_mb())
    tenths = " ".join(f"{figures[len(figures) * n // 10]:.1f}" for n in range(10)) if len(figures) >= 10 else "-"
    return [
        (f"memory by tenths over {times} visits, 20 at once", f"{tenths} MB"),
        ("streams left", str(server.viewers)),
    ]


async def measure(asked: argparse.Namespace, database: Path) -> None:
    options = WebOptions(
        port=0, tokens_file=str(asked.work / "tokens.json"), audit_file=str(asked.work / "audit.jsonl")
    )
    floor = Floor()
    server = WebServer(options, database, lambda: time.time_ns() // 1_000_000, lambda: floor.state)
    _, secret = tokens_of(options, database).add("bench", Role.ADMIN)
    server.start()
    moving = asyncio.create_task(floor.move())
    await until(lambda: server.port)
    try:
        rows = [("weight of the whole page, compressed", f"{StaticFiles().packed_bytes / 1000:.1f} kB")]
        rows += await first_paint(server, secret, database)
        rows += await seen_after(server, secret, asked.viewers, asked.seconds)
        rows += await reconnecting(server, secret, asked.reconnects)
    finally:
        moving.cancel()
        await server.stop()
    shown = Table(title="the page", show_header=False)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False, width=130).print(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--reconnects", type=int, default=2000)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--quick", action="store_true", help="a few seconds: ten viewers, a day of calls")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="callflow-bench-") as folder:
        asked.work = Path(folder)
        if asked.quick:
            asked.viewers, asked.seconds, asked.reconnects = 10, 2.0, 200
            asked.database = asked.work / "callflow.db"
            with Store(asked.database, "bench") as store:
                for record in plausible_day(200):
                    store.save(record, final=True)
        elif asked.database is None:
            asked.database = bench_report.FOLDER / "hourly-100000.db"
            bench_report.FOLDER.mkdir(parents=True, exist_ok=True)
            bench_report.build_file(asked.database, 10, 100_000)
        asyncio.run(measure(asked, asked.database))


if __name__ == "__main__":
    main()
