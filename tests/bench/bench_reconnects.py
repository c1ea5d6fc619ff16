"""Memory of the page's server while viewers come and go in real time: twenty of them for an hour.

`python -m tests.bench.bench_reconnects [--minutes 60] [--viewers 20] [--stay 5] [--quick]`

Each viewer opens the page, watches the live stream for about `--stay` seconds, leaves (half of them without a goodbye)
and comes again. The floor changes forty times a second. The viewers are a process of their own, so the memory is the
server's alone. Prints; judges nothing.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from callflow.adapters.store.store import Store
from callflow.web.options import WebOptions
from callflow.web.server import WebServer, tokens_of
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.bench.bench_web import Floor, memory_mb
from tests.bench.viewers import watching
from tests.store.plausible_day import plausible_day

TENTHS = 10
LOOKS = 20
"""Of the memory, in each tenth."""


def open_files() -> int:
    """File handles of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def measure(asked: argparse.Namespace, database: Path) -> list[tuple[str, str]]:
    """Serve, let them come and go, and look at the memory all the while."""
    floor = Floor()
    server = WebServer(WebOptions(port=0), database, lambda: time.time_ns() // 1_000_000, lambda: floor.state)
    _, secret = tokens_of(WebOptions(), database).add("bench", Role.SUPERVISOR)
    server.start()
    moving = asyncio.create_task(floor.move())
    await until(lambda: server.port)
    tenths: list[float] = []
    try:
        async with watching(server.port, secret, asked.viewers, asked.stay) as report:
            await until(lambda: server.viewers)
            for _ in range(TENTHS):
                looks = []
                for _ in range(LOOKS):
                    await asyncio.sleep(60 * asked.minutes / TENTHS / LOOKS)
                    looks.append(memory_mb())
                tenths.append(statistics.mean(looks))
            files = open_files()
        await until(lambda: not server.viewers)
        return [
            ("lasted", f"{asked.minutes:g} min"),
            (f"visits of {asked.viewers} viewers", f"{report['visits']:,}"),
            ("frames read", f"{report['frames']:,}"),
            ("viewers that were refused or failed", str(len(report["lost"]))),
            ("memory by tenths", " ".join(f"{mb:.1f}" for mb in tenths) + " MB"),
            ("from the second tenth to the last", f"{tenths[-1] - tenths[1]:+.1f} MB"),
            ("files open at the end", str(files)),
            ("streams left", str(server.viewers)),
        ]
    finally:
        moving.cancel()
        await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--stay", type=float, default=5.0, help="seconds that a viewer watches before leaving")
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    asked = parser.parse_args()
    if asked.quick:
        asked.minutes, asked.viewers, asked.stay = 0.05, 10, 0.2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(prefix="callflow-bench-") as folder:
        database = Path(folder) / "callflow.db"
        with Store(database, "bench") as store:
            for record in plausible_day(200):
                store.save(record, final=True)
        rows = asyncio.run(measure(asked, database))
    shown = Table(title="viewers who come and go", show_header=False)
    for row in rows:
        shown.add_row(*row)
    Console(highlight=False, width=130).print(shown)


if __name__ == "__main__":
    main()
