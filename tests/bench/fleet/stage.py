"""The fleet on this machine: one broker, two collectors, one PostgreSQL, and the nodes in a few processes."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Any

import psycopg

from callflow.processes.ports import take_ports
from callflow.processes.process import Process
from tests.bench.fleet.cpu import CpuTime
from tests.bench.fleet.node import database, last_event, waiting
from tests.fleet.collecting import Collecting, collecting
from tests.services.mosquitto import Broker
from tests.services.postgres import Cluster, make_database

SAFE = "-c listen_addresses='' -c shared_buffers=512MB -c max_connections=60 -c max_wal_size=2GB"
"""Nothing that a crash could lose: fsync and synchronous_commit are on, as in service."""
LOOK_S = 0.2
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
PROGRESS = "SELECT site, max(committed_seq), count(*) FROM publishers WHERE events > 0 GROUP BY site"


@dataclass
class Stage:
    """Everything that a fault can hit. `last`: the number of the last event of each site."""

    cluster: Cluster
    url: str
    broker: Broker
    collectors: list[Collecting]
    last: dict[str, int]
    groups: list[list[str]]
    publish: list[str]
    """The command of a process of nodes, without their names."""
    folder: Path
    cpu: CpuTime = field(default_factory=CpuTime)
    nodes: list[Process] = field(default_factory=list)
    stored: dict[str, int] = field(default_factory=dict)
    """By site: everything up to this event is in the fleet's database."""
    lives: dict[str, int] = field(default_factory=dict)
    """By site: of so many lives of its daemon there are events in the database."""

    async def start_nodes(self, number: int) -> None:
        """Start the process of one group of nodes, again if it was killed."""
        process = await Process.start([*self.publish, *self.groups[number]], self.folder, f"nodes{number}")
        self.nodes[number : number + 1] = [process]

    @property
    def unfinished(self) -> set[str]:
        return {site for site, last in self.last.items() if self.stored.get(site, 0) < last}

    @property
    def share(self) -> float:
        """Of all events, those that are stored."""
        return sum(self.stored.values()) / sum(self.last.values())

    async def until(self, share: float) -> None:
        """Wait until this share is stored."""
        while self.share < share and self.unfinished:  # noqa: ASYNC110 - other processes do not tell
            await asyncio.sleep(LOOK_S / 2)

    async def until_all_advance(self, sites: set[str]) -> None:
        """Wait until an event of each of these sites, which it had not stored, is stored."""
        before = dict(self.stored)
        while any(self.stored.get(site, 0) <= before.get(site, 0) for site in sites & self.unfinished):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S / 2)

    async def until_all_live_again(self, sites: set[str]) -> None:
        """Wait until events of one more life of each of these sites are stored."""
        before = dict(self.lives)
        while any(self.lives.get(site, 0) <= before.get(site, 0) for site in sites & self.unfinished):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S / 2)

    async def until_delivered(self) -> None:
        """Wait until every event is stored and no node keeps any."""
        await self.until(1.0)
        while any(waiting(database(self.folder, site)) for site in self.last):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)

    async def watch(self) -> None:
        """Keep `stored` and `cpu` up to date, until cancelled; raises RuntimeError when nodes end by themselves."""
        while True:
            self.look()
            if ended := [process for process in self.nodes if process.returncode not in (None, -SIGKILL)]:
                raise RuntimeError(ended[0].output.read_text()[-4000:])
            with suppress(psycopg.Error):
                for site, upto, lives in await asyncio.to_thread(query, self.url, PROGRESS):
                    self.stored[site], self.lives[site] = upto, lives
            await asyncio.sleep(LOOK_S)

    async def rest(self) -> None:
        """Stop nodes and collectors: what they have stored is to be compared."""
        nodes, self.nodes = self.nodes, []
        await asyncio.gather(*(process.stop() for process in (*nodes, *(one.process for one in self.collectors))))

    def look(self) -> None:
        """Note what every part has used."""
        self.cpu.look("nodes, publishing", (process.pid for process in self.nodes))
        self.cpu.look("broker", [self.broker.pid])
        self.cpu.look("collectors", (collector.process.pid for collector in self.collectors))
        self.cpu.look("PostgreSQL", self.cluster.pids())


def query(url: str, text: str) -> list[Any]:
    """The rows; raises psycopg.Error."""
    with psycopg.connect(url, connect_timeout=2) as connection:
        return connection.execute(text.encode()).fetchall()


@asynccontextmanager
async def staged(
    folder: Path, groups: list[list[str]], events_a_second: float, mqtt: dict[str, Any], fleet: dict[str, Any]
) -> AsyncIterator[Stage]:
    """Everything started but the nodes; the databases of the nodes are in `folder`."""
    async with AsyncExitStack() as stack:
        port = stack.enter_context(take_ports()).named()
        cluster = Cluster.new(SAFE)
        stack.callback(cluster.stop)
        await asyncio.to_thread(cluster.start)
        url = make_database(cluster.folder, "fleet")
        broker = await stack.enter_async_context(Broker(folder / "broker", port, persistent=False))
        first = await stack.enter_async_context(collecting(folder / "first", port, url, fleet))
        while not query(url, LOCKS)[0][0]:  # noqa: ASYNC110 - it becomes the active one
            await asyncio.sleep(LOOK_S)
        second = await stack.enter_async_context(collecting(folder / "second", port, url, fleet))
        last = {site: last_event(database(folder, site)) for sites in groups for site in sites}
        command = [sys.executable, "-m", "tests.bench.fleet.publishing"]
        publish = [*command, str(folder), str(port), str(events_a_second), json.dumps(mqtt)]
        stage = Stage(cluster, url, broker, [first, second], last, groups, publish, folder)
        stack.push_async_callback(stage.rest)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(stage.watch())
            yield stage
            watching.cancel()


async def fill(folder: Path, sites: list[str], calls: int, rate: float, at_once: int) -> float:
    """Make the nodes' databases, `at_once` at a time; returns the seconds of CPU."""
    cpu, running = CpuTime(), []
    with take_ports() as ports:
        command = [sys.executable, "-m", "tests.bench.fleet.filling", str(folder), str(calls), str(rate)]
        for number in range(at_once):
            mine = [*command, str(ports.named()), *sites[number::at_once]]
            running.append(await Process.start(mine, folder, f"filling{number}"))
        try:
            while any(process.running for process in running):
                cpu.look("filling", (process.pid for process in running if process.running))
                await asyncio.sleep(LOOK_S)
        finally:
            for process in running:
                await process.kill()
    if any(process.returncode for process in running):
        raise SystemExit((folder / "filling0.out").read_text()[-4000:])
    return cpu.seconds("filling")


def copied(folder: Path, sites: list[str], to: Path) -> Path:
    """The databases of the nodes, to be used up."""
    to.mkdir()
    for site in sites:
        shutil.copy(database(folder, site), to)
    return to
