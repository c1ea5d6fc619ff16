"""The whole daemon beside a pretend Asterisk, killed in the middle: every call is told as it is saved."""

import asyncio
import contextlib
import sqlite3
import sys
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callflow.core.publishing.envelope import event_id
from callflow.processes.daemon import Daemon
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.processes.process import Process
from callflow.scenarios.scenario import find_scenario
from callflow.scenarios.site import daemon_config
from tests.mqtt.consumer import Consumer, consuming
from tests.mqtt.waiting import soon
from tests.services.mosquitto import Broker, settings_for


def calls_in(database: Path) -> dict[str, str]:
    """Screened calls that have ended, by id: what became of each."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT call_id, result FROM calls WHERE ended_ms IS NOT NULL"))


def screened(consumer: Consumer) -> dict[str, str]:
    """The same from the events."""
    told = [event for event in consumer.table.values() if event["topic"].endswith("/call/screened")]
    assert all(
        event["event_id"] == event_id("main", "main", "screened", event["data"]["screening_id"]) for event in told
    )
    return {event["data"]["screening_id"]: event["data"]["result"] for event in told}


def scraped(port: int) -> dict[str, float]:
    """Screened calls by result, as /metrics counts them."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        families = {family.name: family for family in text_string_to_metric_families(answer.read().decode())}
    found: dict[str, float] = {}
    for sample in families["callflow_screened_calls"].samples:
        if sample.name.endswith("_total") and sample.value:
            found[sample.labels["result"]] = found.get(sample.labels["result"], 0) + sample.value
    return found


@pytest.mark.xdist_group("pretend-demo")
async def test_every_call_is_told_and_counted_through_a_kill(tmp_path: Path, broker: Broker, ports: PortBlock) -> None:
    ami, agi, http = ports.named(), ports.named(), ports.named()
    config = daemon_config(ami, agi, tmp_path / "callflow.db", taps=50) | {"mqtt": dict(settings_for(broker.port))}
    config["http"] = {"port": http}
    daemon = Daemon(tmp_path, config)
    consumer = Consumer()
    command = [sys.executable, "-m", "callflow.simulator.pretend", str(find_scenario("demo"))]
    command += ["--ami-port", str(ami), "--agi-port", str(agi), "--start", "login"]
    async with consuming(broker.port, consumer):
        pretend = await Process.start(command, tmp_path, "pretend")
        try:
            await daemon.start()
            await soon(lambda: len(calls_in(daemon.database)) >= 3)
            await soon(lambda: len(screened(consumer)) >= 3)
            before = await asyncio.to_thread(scraped, http)
            assert sum(before.values()) >= 3
            await daemon.kill()
            await daemon.start()
            ended = calls_in(daemon.database)
            await soon(lambda: ended.items() <= screened(consumer).items())
            told = screened(consumer)
            assert told.items() <= calls_in(daemon.database).items(), "a call is saved before it is told"
            await soon(lambda: screened(consumer) == calls_in(daemon.database))
            after = await asyncio.to_thread(scraped, http)
            assert after.get("unavailable", 0) >= 1, "those whom the kill interrupted are counted by the next life"
            status = next(text for topic, text in consumer.states.items() if topic.endswith("/status"))
            assert '"online"' in status
            await daemon.stop()
            await soon(lambda: '"offline"' in consumer.states["callflow/v1/main/status"])
        finally:
            if daemon.running:
                await daemon.kill()
            await pretend.kill()
    assert consumer.retained_events == 0
