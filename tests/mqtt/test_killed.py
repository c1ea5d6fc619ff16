"""kill -9 between saving and the broker's confirmation: what was saved arrives all the same."""

import sys
from functools import partial
from pathlib import Path

from callflow.lab.proxy import Proxy
from callflow.processes.ports import PortBlock
from callflow.processes.process import Process
from tests.mqtt.consumer import Consumer, consuming
from tests.mqtt.sending import sending
from tests.mqtt.waiting import soon
from tests.services.mosquitto import Broker, settings_for

CHECKOUT = Path(__file__).resolve().parents[2]


def has_lines(file: Path, least: int) -> bool:
    return file.read_text().count("\n") >= least


async def test_every_saved_event_arrives_after_kills_under_load(
    tmp_path: Path, broker: Broker, ports: PortBlock
) -> None:
    consumer, folder = Consumer(), tmp_path / "d"
    saved: set[str] = set()
    async with Proxy(ports.named(), broker.port) as proxy, consuming(broker.port, consumer):
        for life in range(3):
            proxy.slow(0.05)  # so that there always is something between saving and confirmation
            command = [sys.executable, "-m", "tests.mqtt.publishing_process", str(folder)]
            command += [str(proxy.port), str(1000 * life), "100000"]
            process = await Process.start(command, tmp_path, f"life-{life}", cwd=CHECKOUT)
            output = process.output
            await soon(partial(has_lines, output, 60))
            await process.kill()
            saved |= {word for line in output.read_text().splitlines() for word in line.split() if word.count("-") == 4}
        proxy.heal()
        assert len(saved) >= 3 * 150
        already = len(consumer.table)
        async with sending(folder, dict(settings_for(proxy.port))) as sender:
            await soon(lambda: saved <= set(consumer.table))
            await soon(lambda: sender.outbox.sent > 0)
        assert already < len(consumer.table), "the kill came when all had been sent: nothing was shown"
        # A kill may come after the commit and before the process could say so.
        unsaid = set(consumer.table) - saved
        assert len(unsaid) <= 3 * 3
        consumer.assert_exactly_once_and_in_order(saved | unsaid)
