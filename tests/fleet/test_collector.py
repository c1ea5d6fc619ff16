"""Publishers, a real broker, a collector in a process of its own: killed at any moment, nothing is lost or doubled."""

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from typer.testing import CliRunner

from callflow.adapters.mqtt import client, session
from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.outbox import MQTT
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import outbox
from callflow.cli import app
from callflow.core.callbacks.states import State
from callflow.core.fleet.arrival import Arrival
from callflow.core.publishing.envelope import with_seq
from callflow.processes.ports import take_ports
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS
from tests.fleet.collecting import collecting
from tests.fleet.test_moving import tables
from tests.mqtt.sending import Sending, sending
from tests.publishing import samples
from tests.services.mosquitto import Broker, settings_for
from tests.services.postgres import clear

KILLS = int(os.environ.get("CALLFLOW_COLLECTOR_KILLS", "3"))
"""100 is the long form."""

pytestmark = pytest.mark.timeout(240 + 6 * KILLS)

DAY_MS = 86_400_000
A_DAY = r"86(?:39|40)\d"
"""In seconds; a message is under way for a while."""
LIST = [kind.table.name for kind in (CALLBACKS, CALLBACK_CHANGES, CALLBACK_ATTEMPTS)]
AWAITS = {"await_collector": True, "collector_timeout_s": 2.0}
PATIENCE_S = 60.0 + KILLS


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; what it asks is read from a database."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - other processes do not tell
            await asyncio.sleep(0.1)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    with take_ports() as ports:
        async with Broker(tmp_path / "mosquitto", ports.named()) as broker:
            yield broker


def waiting(sender: Sending) -> int:
    """Events that the publisher still keeps."""
    with Reader(sender.settings.store.path) as reader:
        asked = sa.select(sa.func.count().label("n")).where(outbox.c.destination == MQTT)
        return int(reader.rows(asked)[0]["n"])


def event_ids(url: str) -> list[str]:
    found: list[str] = []
    with Reader(url) as reader:
        for name in tables(url):
            found += [str(row["event_id"]) for row in reader.rows(sa.text(f"SELECT event_id FROM {name}"))]
    return found


async def all_stored(sender: Sending, url: str) -> None:
    """Wait until every event is in the fleet's database, each once, and the node keeps none."""
    await eventually(lambda: sender.wanted <= set(event_ids(url)))
    await eventually(lambda: waiting(sender) == 0)
    found = event_ids(url)
    assert len(found) == len(set(found))
    assert set(found) == sender.wanted


async def test_events_stay_at_their_node_until_they_are_stored(fleet: str, broker: Broker, tmp_path: Path) -> None:
    async with sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender:
        sender.tell(1)
        await eventually(lambda: sender.outbox.sent >= 3)
        assert waiting(sender) == 3, "the broker has confirmed them"
        async with collecting(tmp_path / "collector", broker.port, fleet):
            await all_stored(sender, fleet)


async def test_a_collector_killed_at_any_moment_loses_and_doubles_nothing(
    fleet: str, broker: Broker, tmp_path: Path
) -> None:
    dice = random.Random(7)
    async with (
        sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender,
        collecting(tmp_path / "collector", broker.port, fleet) as collector,
    ):
        load = asyncio.create_task(tell_on(sender))
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.5, 3.0))
            await collector.kill()
            await collector.start()
        load.cancel()
        await all_stored(sender, fleet)
        collected = everything(fleet)
    clear(fleet)
    calls = len(sender.wanted) // 3
    write_all(fleet, calls)
    assert collected == everything(fleet)
    assert {len(collected[name]) for name in LIST} == {calls, 2 * calls}


def everything(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of a collected kind, and of the call-back lists."""
    with Postgres(url).writing_engine().connect() as connection:
        of_list = {name: {tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")} for name in LIST}
    return tables(url) | of_list


def called_back(number: int) -> Iterator[Any]:
    """A call-back of a caller: raised, placed and reached."""
    entry = replace(samples.callback_change(), callback_id=f"cb-{number}", revision=1)
    yield entry
    yield replace(samples.callback_attempt(), attempt_id=f"cb-{number}-1", callback_id=entry.callback_id)
    yield replace(entry, revision=2, state=State.DONE, before=State.DIALLING.value, attempt_id=f"cb-{number}-1")


def write_all(url: str, calls: int) -> None:
    """What a collector stores that nothing interrupts."""
    of_call = (samples.leg, samples.offer, samples.stay)
    records = [record for n in range(calls) for record in (*(make(n) for make in of_call), *called_back(n))]
    events = [event for record in records if (event := samples.MAKER.event_of(record)) is not None]
    database = CollectorDatabase(Postgres(url), "test")
    assert database.open()
    database.write([Arrival(event.topic, with_seq(event.body(), 1), 1) for event in events])
    database.close()


async def tell_on(sender: Sending) -> None:
    """A call every 50 ms, and a call-back: 120 events a second."""
    for number in count():
        sender.tell(number)
        for record in called_back(number):
            sender.publishing.recording.save(record, final=True)
        await asyncio.sleep(0.05)


async def test_a_lost_connection_to_the_database_is_taken_up_again(fleet: str, broker: Broker, tmp_path: Path) -> None:
    async with (
        sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender,
        collecting(tmp_path / "collector", broker.port, fleet),
    ):
        sender.tell(1)
        await all_stored(sender, fleet)
        with Postgres(fleet).writing_engine().connect() as connection:
            ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            mine = " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            assert connection.exec_driver_sql(ended + mine).scalar()
        sender.tell(2)
        await all_stored(sender, fleet)


async def test_what_a_broker_forgets_is_sent_again(fleet: str, tmp_path: Path) -> None:
    """It confirms everything, keeps nothing, and nobody listens yet."""
    with take_ports() as ports:
        async with (
            Broker(tmp_path / "mosquitto", ports.named(), persistent=False) as broker,
            sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender,
        ):
            for number in range(20):
                sender.tell(number)
            await eventually(lambda: sender.outbox.sent >= 60)
            await broker.kill()
            await broker.start()
            with capture_logs() as logs:
                async with collecting(tmp_path / "collector", broker.port, fleet):
                    await all_stored(sender, fleet)
            assert "the collector misses events; they are sent again" in {line["event"] for line in logs}


async def test_a_standby_takes_over(fleet: str, broker: Broker, tmp_path: Path) -> None:
    async with (
        sending(tmp_path / "node", {**settings_for(broker.port), **AWAITS}) as sender,
        collecting(tmp_path / "first", broker.port, fleet) as first,
    ):
        sender.tell(1)
        await all_stored(sender, fleet)
        async with collecting(tmp_path / "second", broker.port, fleet):
            await first.kill()
            sender.tell(2)
            await all_stored(sender, fleet)


async def test_a_node_whose_clock_is_a_day_off_is_named_and_loses_nothing(
    fleet: str, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ANNOUNCE_S", 0.5)
    mqtt = {**settings_for(broker.port), **AWAITS}
    async with (
        sending(tmp_path / "ahead", mqtt | {"site": "ahead"}, ahead_ms=DAY_MS) as ahead,
        sending(tmp_path / "behind", mqtt | {"site": "behind"}, ahead_ms=-DAY_MS) as behind,
        collecting(tmp_path / "collector", broker.port, fleet) as collector,
    ):
        ahead.tell(1)
        behind.tell(2)
        await eventually(lambda: len(event_ids(fleet)) == len(ahead.wanted | behind.wanted))
        await eventually(lambda: waiting(ahead) == waiting(behind) == 0)
        log = collector.process.output
        told = re.compile(f"the clock of this node is {A_DAY} s (ahead of|behind)")
        await eventually(lambda: set(told.findall(log.read_text())) == {"ahead of", "behind"})
    done = CliRunner(env={"COLUMNS": "200", "CALLFLOW_CONFIG": ""}).invoke(app, ["fleet", "--db", fleet])
    assert re.search(rf"ahead: its clock is \+{A_DAY} s", done.stdout)
    assert re.search(f"behind: its clock is -{A_DAY} s", done.stdout)


async def test_two_nodes_with_one_name_are_told_of_and_lose_nothing(fleet: str, broker: Broker, tmp_path: Path) -> None:
    """The broker ends the connection of one when the other connects; the pauses in between grow."""
    mqtt = {**settings_for(broker.port), **AWAITS, "reconnect_min_s": 0.5, "reconnect_max_s": 30.0}
    async with (
        sending(tmp_path / "one", mqtt) as one,
        sending(tmp_path / "other", mqtt) as other,
        collecting(tmp_path / "collector", broker.port, fleet) as collector,
    ):
        one.tell(1)
        other.tell(2)
        await eventually(lambda: one.wanted | other.wanted <= set(event_ids(fleet)))
        await eventually(lambda: waiting(one) == waiting(other) == 0)
        await eventually(lambda: "two daemons use this site's name" in collector.process.output.read_text())


async def test_a_collector_without_room_leaves_events_at_the_broker(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "AT_ONCE", 5)
    options = MqttOptions.model_validate(dict(settings_for(broker.port)))
    async with client.collecting_client(options, "slow", None) as slow, broker.client() as publisher:
        await slow.subscribe("many", qos=1)
        for number in range(50):
            await publisher.publish("many", str(number), qos=1)
        assert len(slow.messages) <= 5
        came = []
        async with asyncio.timeout(PATIENCE_S):
            async for message in slow.messages:
                came.append(int(bytes(message.payload)))
                slow.taken(message)
                if len(came) == 50:
                    break
    assert came == list(range(50))


async def test_without_a_collector_the_broker_alone_confirms(broker: Broker, tmp_path: Path) -> None:
    async with sending(tmp_path / "node", dict(settings_for(broker.port))) as sender:
        sender.tell(1)
        await eventually(lambda: sender.outbox.sent >= 3)
        await eventually(lambda: waiting(sender) == 0)
