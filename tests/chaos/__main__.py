"""Chaos on a real Asterisk: faults one by one under load, judged from the packets and the database.

python -m tests.chaos --asterisk 22                  # every fault at 20 calls a second
python -m tests.chaos --faults kill,freeze --rate 5
python -m tests.chaos --quick                        # one kill at 2 calls a second
"""

import argparse
import asyncio
import gc
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from callflow.adapters.audio.options import TapOptions
from callflow.errors import LabError
from callflow.lab.lab import Lab, open_lab
from callflow.lab.prompts import Burst
from callflow.lab.sipp import Agents, Sipp
from callflow.lab.wire import Wire, WireCall
from callflow.processes.daemon import Config
from callflow.processes.ports import LOOPBACK, take_ports
from callflow.scenarios.site import VERSIONS, Version
from callflow.settings.model import Limits
from tests.chaos.audit import Struck, Verdict, audit
from tests.chaos.callers import Load
from tests.chaos.faults import BROKER_AWAY_S, Disk, Fault, Site, faults, mountable, possible, prepare
from tests.chaos.kept import Kept, runs_folder
from tests.chaos.machine import Split
from tests.labs import rows
from tests.mqtt.consumer import Consumer, consuming
from tests.services.mosquitto import PASSWORD, USER, Broker
from tests.services.programs import install
from tests.services.systemd import Service

RATE_PER_S, QUICK_RATE_PER_S = 20.0, 2.0
BEFORE_S, AFTER_S = 6.0, 8.0
"""Calls come for so long before the fault strikes, and after it is over."""
LONGEST_CALL_S = 90.0
SETTLED_S = 20.0
HEADINGS = (
    "fault",
    "calls",
    "harmed",
    "longest silence",
    "not accounted",
    "let on",
    "screened again",
    "late phones",
    "processors",
    "daemon ended",
    "results",
)
"""`let on`: without a greeting. `screened again`: from the strike until every caller is. `ended`: exit codes.

`late phones`: those whose own packets came more than 0.2 s late, and the latest; the machine is too slow for the rate.
"""
WIDTH = 200
"""Of the table in a file."""
FAULT_SIGN, STALL_SIGN = "Traceback", "Timeout ("
"""An error of our own; a loop that stalled until the daemon ended itself."""
NO_PORT = "couldn't allocate a port for RTP"
"""In Asterisk's log. When the daemon ends, all callers go on at once, and each agent's leg needs a port, too."""
Judged = Sequence[tuple[WireCall, Sequence[Burst]]]
OWN_MOUNTS = "CALLFLOW_CHAOS_MOUNTS"
"""Set in a process that has a mount namespace of its own: whatever happens, no mount is left behind."""


@dataclass(frozen=True)
class Chaos:
    """Everything that a run needs, up and running."""

    site: Site
    load: Load
    consumer: Consumer
    kept: Kept


@asynccontextmanager
async def chaos(version: Version, kept: Kept) -> AsyncIterator[Chaos]:
    """A lab with a daemon behind a line that can be cut, a broker, a small disk and a clock. Raises LabError."""
    async with AsyncExitStack() as stack:
        agents, rtp = Agents(ring_s=0.2, talk_s=0.3), stack.enter_context(take_ports())
        lab = await stack.enter_async_context(open_lab(version, agents=agents, rtp=rtp))
        blocks = [lab.ports, *(stack.enter_context(take_ports()) for _ in range(2))]
        phones = [
            Sipp(lab.tools, lab.work / f"phones-{n}", block, lab.asterisk.ports.sip) for n, block in enumerate(blocks)
        ]
        proxy = await stack.enter_async_context(lab.ami_proxy())
        broker = await stack.enter_async_context(Broker(lab.work / "mosquitto", lab.ports.named()))
        disk = stack.enter_context(Disk(lab.work / "disk"))
        clock = lab.work / "clock"
        clock.write_text("+0")
        consumer = Consumer()
        await stack.enter_async_context(consuming(broker.port, consumer))
        daemon = lab.daemon(_config(lab, proxy.port, broker.port, disk))
        service = await stack.enter_async_context(Service(daemon))
        site = Site(lab, service, proxy, broker, disk, clock)
        try:
            yield Chaos(site, Load(lab, tuple(phones)), consumer, kept)
        finally:
            kept.logs(lab, service)


def _config(lab: Lab, ami: int, mqtt: int, disk: Disk) -> Config:
    return {
        "ami": {"port": ami},
        "store": {"path": str(disk.folder / "callflow.db")},
        "mqtt": {"enabled": True, "host": LOOPBACK, "port": mqtt, "username": USER, "password": PASSWORD},
        "profiles": {"support": {}},
        "log": {"level": "warning"},
        "limits": Limits().model_dump(include={"stall_s", "max_lag_s"}),
        "tap": TapOptions().model_dump(include={"max_lag_s"}),
    }


async def strike(chaos: Chaos, name: str, fault: Fault, rate_per_s: float) -> Verdict:
    """One fault under load, from its first call to the last, and its result."""
    site = chaos.site
    await prepare(site, fault)
    lives = len(site.service.exit_codes)
    known = {row["call_id"] for row in rows(site.daemon.database, "select call_id from calls")}
    capture, split = site.lab.capture(control=True), Split()
    async with capture, split:
        load = asyncio.create_task(_load(chaos, rate_per_s, BEFORE_S + fault.lasts_s + AFTER_S, fault.loss))
        await asyncio.sleep(BEFORE_S)
        began_at = time.time()
        await fault.strike(site)
        struck = Struck(began_at, time.time(), fault.asterisk_dies)
        await load
    found = await _settled(site, known)
    wire = await asyncio.to_thread(site.lab.read, capture)  # the AMI line that can be cut is in this loop
    judged = await asyncio.to_thread(_recognised, site.lab, wire)
    verdict = await asyncio.to_thread(_judge, judged, found, struck)
    verdict.accounts += await _published(chaos, found)
    verdict.exit_codes = site.service.exit_codes[lives:]
    verdict.processors = str(split)
    database = site.daemon.database
    await asyncio.to_thread(chaos.kept.callers, name, site.lab, database, judged, capture.path)
    if verdict.violations:
        await asyncio.to_thread(chaos.kept.fault, name, capture.path, database)
    capture.path.unlink()
    return verdict


def _recognised(lab: Lab, wire: Wire) -> Judged:
    book = lab.prompts("en")
    return [(call, book.spoken(call.received)) for call in wire.calls]


def _judge(judged: Judged, found: list[dict[str, Any]], struck: Struck) -> Verdict:
    by_number: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        by_number[row["caller_number"]].append(row)
    return audit(judged, by_number, struck)


async def _load(chaos: Chaos, rate_per_s: float, for_s: float, loss: float) -> None:
    processes = await chaos.load.begin(rate_per_s, for_s, loss)
    await asyncio.gather(*(process.wait(for_s + LONGEST_CALL_S) for process in processes))


async def _settled(site: Site, known: set[str]) -> list[dict[str, Any]]:
    """The new records, once all of them have an end; as they are after 20 s."""
    ends = time.monotonic() + SETTLED_S
    while True:
        every = [dict(row) for row in rows(site.daemon.database, "select * from calls where caller_number != ''")]
        found = [row for row in every if row["call_id"] not in known]
        if all(row["ended_ms"] is not None for row in found) or time.monotonic() > ends:
            return found
        await asyncio.sleep(0.2)


async def _published(chaos: Chaos, found: list[dict[str, Any]]) -> list[str]:
    """Every record has reached the consumer, once the outbox is empty."""
    wanted = {row["call_id"] for row in found}
    ends = time.monotonic() + SETTLED_S
    while missing := wanted - {event["call_id"] for event in chaos.consumer.table.values()}:
        if time.monotonic() > ends:
            return [f"{len(missing)} calls were never published"]
        await asyncio.sleep(0.2)
    return []


async def run(
    version: Version, struck: Mapping[str, Fault], rate_per_s: float, console: Console, folder: Path | None = None
) -> int:
    """Strike with one fault after the other and print a table; the number of violations."""
    title = f"Asterisk {version}, {rate_per_s:g} calls per second, {os.cpu_count()} processors, from the wire"
    table = Table(*HEADINGS, title=title)
    for column in table.columns[1:7]:
        column.justify = "right"
    kept = Kept(folder, version)
    violations: list[str] = []
    late: list[str] = []
    try:
        async with chaos(version, kept) as made:
            with Progress(*Progress.get_default_columns()[:2], TimeElapsedColumn(), console=console) as progress:
                task = progress.add_task("", total=len(struck))
                for name, fault in struck.items():
                    progress.update(task, description=f"{name}: {fault.about}")
                    verdict = await strike(made, name, fault, rate_per_s)
                    violations += [f"{name}: {line}" for line in verdict.violations]
                    late += [f"{name}: {line}" for line in verdict.late]
                    table.add_row(*_cells(fault, verdict))
                    progress.advance(task)
            violations += _logged(made.site)
    finally:
        _report(table, violations, late, kept, console)
    return len(violations)


def _report(table: Table, violations: list[str], late: list[str], kept: Kept, console: Console) -> None:
    console.print(table)
    for line in violations[:50]:
        console.print(line, style="red", markup=False, highlight=False)
    if late:
        console.print(f"this machine is too slow for this rate: {len(late)} callers were late by their own phones")
        for line in late[:10]:
            console.print(line, style="yellow", markup=False, highlight=False)
    with (kept.folder / "report.txt").open("w") as file:
        on_paper = Console(file=file, width=WIDTH)
        on_paper.print(table)
        for line in [*violations, *late]:
            on_paper.print(line, markup=False, highlight=False)
    console.print(f"kept: {kept.folder}", highlight=False, soft_wrap=True)


def _logged(site: Site) -> Iterator[str]:
    """What the logs of daemon and Asterisk have that must not be there."""
    log = site.daemon.log.read_text(errors="replace")
    for sign in (FAULT_SIGN, STALL_SIGN):
        if sign in log:
            yield f"the daemon's log has {sign!r}: " + log[log.index(sign) :][:2000]
    if NO_PORT in site.lab.asterisk.log.read_text(errors="replace"):
        yield "Asterisk ran out of RTP ports: calls that ended then say nothing of callflow"


def _cells(fault: Fault, verdict: Verdict) -> tuple[str, ...]:
    results = ", ".join(f"{result} {number}" for result, number in verdict.results.most_common())
    return (
        fault.about,
        str(verdict.calls),
        str(len(verdict.harmed)),
        f"{verdict.longest_silence_s:.1f} s",
        str(len(verdict.accounts)),
        str(verdict.unscreened),
        "never" if verdict.recovered_s is None else f"{verdict.recovered_s:.1f} s",
        f"{verdict.late_phones} ({verdict.latest_s:.1f} s)",
        verdict.processors,
        ", ".join(map(str, verdict.exit_codes)),
        results,
    )


def main() -> int:
    """Exit code 1 if anything was violated, 2 if the lab could not be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--asterisk", choices=VERSIONS, default=VERSIONS[0])
    parser.add_argument("--rate", type=float, default=RATE_PER_S, help="calls per second")
    parser.add_argument("--faults", default=",".join(faults()), help="which, and in which order; all by default")
    parser.add_argument(
        "--broker-away", type=float, default=BROKER_AWAY_S, metavar="S", help="how long the broker is away"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help=f"folder of what explains a failure; a new one in {runs_folder()}"
    )
    parser.add_argument("--quick", action="store_true", help="one kill at 2 calls a second")
    asked = parser.parse_args()
    names = ["kill"] if asked.quick else asked.faults.split(",")
    every = faults(asked.broker_away)
    if unknown := [name for name in names if name not in every]:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(every)}")
    if not mountable():
        parser.error("the database gets a file system of its own, which only root can mount")
    if OWN_MOUNTS not in os.environ:
        os.environ[OWN_MOUNTS] = "yes"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-m", "tests.chaos", *sys.argv[1:]])
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if not all(map(possible, names)):
        console.print("installing libfaketime")
        install(["libfaketime"])
    rate = QUICK_RATE_PER_S if asked.quick else asked.rate
    struck = {name: every[name] for name in names}
    gc.disable()  # with the packets of ten minutes in memory, one collection would hold the AMI line up for seconds
    try:
        return 1 if asyncio.run(run(asked.asterisk, struck, rate, console, asked.keep)) else 0
    except LabError as error:
        console.print(str(error), style="red")
        return 2


if __name__ == "__main__":
    sys.exit(main())
