"""What one collector takes: events as fast as they go through a broker, a collector and PostgreSQL of its own.

python -m tests.bench.bench_collector [--events N] [--quick]

Prints events a second, and the CPU time of each part for an event, without the start of its program.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from callflow.core.publishing.envelope import with_seq
from callflow.processes.ports import take_ports
from tests.bench.fleet.cpu import CpuTime
from tests.bench.fleet.stage import SAFE, query
from tests.fleet.collecting import collecting
from tests.publishing import samples
from tests.services.mosquitto import PASSWORD, USER, Broker
from tests.services.postgres import Cluster, make_database

LOOK_S = 0.1
STORED = "SELECT coalesce(max(committed_seq), 0) FROM publishers"


def events() -> Iterator[tuple[str, str]]:
    """Topics and bodies of calls: leg, offer, stay, talk, hold, rating and screening, each of another caller."""
    for number in count(1):
        stay = replace(samples.stay(number), caller_number=f"+1555{number:07}")
        call = replace(samples.call(number), caller_number=stay.caller_number)
        others = samples.leg(number), samples.offer(number), samples.talk(number), samples.hold(number)
        for record in (*others, samples.rating(number), stay, call):
            event = samples.MAKER.event_of(record)
            assert event is not None
            yield event.topic, event.body()


def publish(port: int, first: int, last: int) -> None:
    """Send the events with these numbers of one stream, as a node does; blocks until the broker has them."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="node", protocol=paho.MQTTv5)
    client.username_pw_set(USER, PASSWORD)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for seq, (topic, body) in enumerate(islice(events(), first - 1, last), start=first):
        about = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        about.UserProperty = [("stream", "s1"), ("after", str(seq - 1))]
        sent = client.publish(topic, with_seq(body, seq), qos=1, properties=about)
    sent.wait_for_publish()
    client.disconnect()
    client.loop_stop()


def stored(url: str) -> int:
    """Everything up to this event; 0 as long as there are no tables."""
    try:
        return int(query(url, STORED)[0][0])
    except psycopg.errors.UndefinedTable:
        return 0


async def measure(folder: Path, number: int) -> None:
    """Start everything, send, and print."""
    async with AsyncExitStack() as stack:
        cluster = Cluster.new(SAFE)
        stack.callback(cluster.stop)
        await asyncio.to_thread(cluster.start)
        url = make_database(cluster.folder, "fleet")
        port = stack.enter_context(take_ports()).named()
        broker = await stack.enter_async_context(Broker(folder / "broker", port, persistent=False))
        collector = await stack.enter_async_context(collecting(folder / "collector", port, url, {}))
        while not stored(url):
            await asyncio.to_thread(publish, port, 1, 1)  # until it has subscribed
            await asyncio.sleep(LOOK_S)
        parts = {"collector": [collector.process.pid], "broker": [broker.pid], "PostgreSQL": cluster.pids()}
        before, after = CpuTime(), CpuTime()
        for part, pids in parts.items():
            before.look(part, pids)
        begun = time.monotonic()
        sending = asyncio.create_task(asyncio.to_thread(publish, port, 2, number))
        while stored(url) < number:  # noqa: ASYNC110 - other processes do not tell
            await asyncio.sleep(LOOK_S)
        await sending
        lasted_s = time.monotonic() - begun
        print(f"{number:,} events in {lasted_s:.1f} s: {number / lasted_s:.0f} events/s")
        for part, pids in parts.items():
            after.look(part, pids)
            used_s = after.seconds(part) - before.seconds(part)
            print(f"CPU for an event: {part} {1000 * used_s / number:.3f} ms, {used_s / lasted_s:.0%} of a core")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="some events: shows that it works, measures little")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callflow-collector-") as folder:
        asyncio.run(measure(Path(folder), 500 if options.quick else options.events))


if __name__ == "__main__":
    os.nice(5)
    main()
