"""The publishing part of some nodes in one process: their events are released at a rate, sent, and kept until stored.

python -m tests.bench.fleet.publishing FOLDER BROKER_PORT EVENTS_A_SECOND MQTT_JSON SITE...

EVENTS_A_SECOND is that of each node. Runs until SIGTERM; a node that was killed goes on where its database stands.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from callflow.adapters.http.sample import Sample
from callflow.adapters.store.store import Store
from callflow.logs import configure_logs
from callflow.publishing.publisher import Publishing
from callflow.runtime.clock import Clock
from callflow.settings.model import Settings
from callflow.simulator.pretend.__main__ import loop_factory
from tests.bench.fleet.node import HeldEvents, database, sections

RELEASE_S = 0.1


@asynccontextmanager
async def publishing(folder: Path, site: str, config: dict[str, Any]) -> AsyncIterator[Publishing]:
    """The daemon's own parts from the database to the broker, without calls."""
    settings, clock = Settings.model_validate(config), Clock()
    store = Store(settings.store.path, site)

    def idle() -> Sample:
        return Sample(now_ms=clock.now_ms(), ami_connected=True, ear_proven=True, calls_live=0)

    node = Publishing(settings, store, idle, clock.now_ms)
    node.recording.open()
    node.start()
    try:
        yield node
    finally:
        await node.stop()
        store.close()


async def release(path: Path, rate: float, node: Publishing) -> None:
    """Release what is held, so many events a second."""
    events, begun, released = HeldEvents(path), time.monotonic(), 0
    assert node.mqtt is not None
    try:
        while True:
            due = round((time.monotonic() - begun) * rate) - released
            if due > 0:
                done = await asyncio.to_thread(events.release, due)
                if not done:
                    return
                released += done
                node.mqtt.outbox.has_news()
            await asyncio.sleep(RELEASE_S)
    finally:
        events.close()


async def publish(folder: Path, port: int, rate: float, mqtt: dict[str, Any], sites: list[str]) -> None:
    """All of these nodes, until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        releasing = []
        for site in sites:
            node = await stack.enter_async_context(publishing(folder, site, sections(folder, site, port, mqtt)))
            releasing.append(tasks.create_task(release(database(folder, site), rate, node)))
        await stopped.wait()
        for task in releasing:
            task.cancel()


def main() -> None:
    """The command."""
    folder, port, rate, mqtt = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4])
    configure_logs(Settings().log.model_copy(update={"level": "warning"}))
    with asyncio.Runner(loop_factory=loop_factory("real")) as runner:
        runner.run(publish(folder, port, rate, mqtt, sys.argv[5:]))


if __name__ == "__main__":
    main()
