"""Whatever happens to the broker: every event arrives, once after the upsert, in order per call."""

import asyncio
from pathlib import Path

import pytest

from callflow.adapters.store.store import Store
from callflow.lab.proxy import Proxy
from callflow.processes.ports import PortBlock
from tests.mqtt.consumer import Consumer, consuming
from tests.mqtt.sending import Sending, sending
from tests.mqtt.waiting import SOON_S, soon
from tests.services.mosquitto import PASSWORD, Broker, settings_for

CALLS = 200


async def test_events_arrive_with_their_envelope(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        for number in range(CALLS):
            sender.tell(number)
        await soon(lambda: len(consumer.table) == len(sender.wanted))
        consumer.assert_exactly_once_and_in_order(sender.wanted)
        assert len(consumer.arrivals) == 3 * CALLS
        await soon(lambda: sender.outbox.sent == 3 * CALLS)
        await empty(sender)


async def empty(sender: Sending) -> None:
    """Wait until the outbox holds nothing any more; `sent` counts twice what was sent twice."""
    async with asyncio.timeout(SOON_S):
        while True:
            await sender.store.flush(5)
            await sender.outbox.tidy()
            if not sender.outbox.depth:
                break
            await asyncio.sleep(0.01)
    assert (sender.outbox.depth, sender.outbox.oldest_ms, sender.outbox.dropped) == (0, None, 0)


@pytest.mark.parametrize("persistent", [True, False], ids=["with persistence", "without persistence"])
async def test_a_broker_stopped_under_load_and_started_again_loses_nothing(
    persistent: bool, tmp_path: Path, ports: PortBlock
) -> None:
    consumer = Consumer()
    async with (
        Broker(tmp_path / "mosquitto", ports.named(), persistent=persistent) as broker,
        consuming(broker.port, consumer),
        sending(tmp_path / "d", dict(settings_for(broker.port))) as sender,
    ):
        for number in range(CALLS):
            sender.tell(number)
            if number == CALLS // 3:
                await soon(lambda: len(consumer.table) > 10)
                await broker.stop()
        await sender.store.flush(5)
        await sender.outbox.tidy()
        assert sender.outbox.depth > CALLS
        await broker.start()
        await soon(lambda: len(consumer.table) == len(sender.wanted))
        consumer.assert_exactly_once_and_in_order(sender.wanted)
        await soon(lambda: sender.outbox.sent >= 3 * CALLS)


async def test_a_broker_killed_again_and_again_under_load_gets_everything(tmp_path: Path, broker: Broker) -> None:
    """The consumer listens on a broker that is killed too; the sender's side of the promise is what is checked."""
    async with sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        for number in range(CALLS):
            sender.tell(number)
            if number % 50 == 25:
                await soon(lambda: sender.link.connected)
                await broker.kill()
                await broker.start()
        await soon(lambda: sender.outbox.sent >= 3 * CALLS)
        await empty(sender)


async def test_a_changed_password_keeps_events_back_until_it_is_right_again(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.tell(1)
        await soon(lambda: len(consumer.table) == 3)
        await broker.stop()
        broker.set_password("second-password")
        await broker.start()
        failures = sender.link.counts["failures"]
        sender.tell(2)
        await soon(lambda: sender.link.counts["failures"] >= failures + 2)
        assert not sender.link.connected
        assert len(consumer.table) == 3
        await broker.stop()
        broker.set_password(PASSWORD)
        await broker.start()
        await soon(lambda: len(consumer.table) == 6)
        consumer.assert_exactly_once_and_in_order(sender.wanted)


async def test_a_slow_broker_gets_everything_and_holds_up_nobody(
    tmp_path: Path, broker: Broker, ports: PortBlock
) -> None:
    consumer = Consumer()
    async with Proxy(ports.named(), broker.port) as proxy, consuming(broker.port, consumer):
        proxy.slow(0.2)
        async with sending(tmp_path / "d", dict(settings_for(proxy.port))) as sender:
            for number in range(60):
                sender.tell(number)
            assert await sender.store.flush(5), "saving does not wait for the broker"
            assert len(consumer.table) < 180
            await soon(lambda: len(consumer.table) == 180)
            consumer.assert_exactly_once_and_in_order(sender.wanted)


async def test_a_line_that_goes_dead_or_is_cut_is_noticed_and_made_again(
    tmp_path: Path, broker: Broker, ports: PortBlock
) -> None:
    consumer = Consumer()
    async with (
        Proxy(ports.named(), broker.port) as proxy,
        consuming(broker.port, consumer),
        sending(tmp_path / "d", dict(settings_for(proxy.port))) as sender,
    ):
        sender.tell(1)
        await soon(lambda: len(consumer.table) == 3)
        proxy.stall()
        sender.tell(2)
        await soon(lambda: not sender.link.connected)
        proxy.heal()
        await soon(lambda: len(consumer.table) == 6)
        for number in range(3, 9):
            proxy.cut(reset=True)
            sender.tell(number)
            await soon(lambda: len(consumer.table) == len(sender.wanted))
        consumer.assert_exactly_once_and_in_order(sender.wanted)


async def test_a_refused_message_is_not_taken_for_a_sent_one(tmp_path: Path, ports: PortBlock) -> None:
    """MQTT 5 answers a forbidden topic with a refusal, which the library takes for a confirmation."""
    rules = tmp_path / "acl"
    rules.write_text("user callflow\ntopic read #\ntopic write callflow/v1/lab/status\n")
    consumer = Consumer()
    async with (
        Broker(tmp_path / "mosquitto", ports.named(), lines=(f"acl_file {rules}",)) as broker,
        consuming(broker.port, consumer),
        sending(tmp_path / "d", dict(settings_for(broker.port))) as sender,
    ):
        sender.tell(1)
        await soon(lambda: sender.link.counts["failures"] >= 2)
        assert sender.outbox.sent == 0
        await broker.stop()
        rules.write_text("user callflow\ntopic readwrite #\n")
        await broker.start()
        await soon(lambda: len(consumer.table) == 3)
        consumer.assert_exactly_once_and_in_order(sender.wanted)


async def test_the_outbox_is_bounded_by_number_and_counts_what_it_gave_up(tmp_path: Path, ports: PortBlock) -> None:
    nobody = dict(settings_for(ports.named())) | {"outbox_max_events": 100}
    async with sending(tmp_path / "d", nobody) as sender:
        for number in range(50):
            sender.tell(number)
        await sender.store.flush(5)
        await sender.outbox.tidy()
        assert (sender.outbox.depth, sender.outbox.dropped) == (100, 50)
        await sender.store.flush(5)
        assert [event.seq for event in await sender.outbox.read(1000)] == list(range(51, 151))


async def test_the_outbox_is_bounded_by_age(tmp_path: Path, ports: PortBlock) -> None:
    nobody = dict(settings_for(ports.named())) | {"outbox_max_age_h": 1.0}
    async with sending(tmp_path / "d", nobody) as sender:
        sender.tell(1)
        await sender.store.flush(5)
        sender.ahead_ms = 3_500_000
        sender.tell(2)
        await sender.store.flush(5)
        await sender.outbox.tidy()
        assert (sender.outbox.depth, sender.outbox.dropped) == (6, 0)
        sender.ahead_ms = 3_700_000
        await sender.outbox.tidy()
        assert (sender.outbox.depth, sender.outbox.dropped) == (3, 3)
        await sender.store.flush(5)
        assert [event.seq for event in await sender.outbox.read(1000)] == [4, 5, 6]


async def test_what_was_not_confirmed_is_sent_after_the_next_start(tmp_path: Path, ports: PortBlock) -> None:
    port = ports.named()
    async with sending(tmp_path / "d", dict(settings_for(port))) as sender:
        sender.tell(1)
        await sender.store.flush(5)
        wanted = sender.wanted
    consumer = Consumer()
    async with (
        Broker(tmp_path / "mosquitto", port),
        consuming(port, consumer),
        sending(tmp_path / "d", dict(settings_for(port))) as sender,
    ):
        sender.tell(2)
        await soon(lambda: len(consumer.table) == 6)
        consumer.assert_exactly_once_and_in_order(wanted | sender.wanted)


async def test_events_of_another_database_in_its_place_are_sent_from_the_first(tmp_path: Path, broker: Broker) -> None:
    """A restored backup counts its events anew: what has been read of the old file says nothing of it."""
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        for number in range(5):
            sender.tell(number)
        await soon(lambda: sender.outbox.sent == len(sender.wanted) == len(consumer.table))
        assert await sender.store.flush(5)  # nothing is written while there is no file
        path = sender.settings.store.path
        Store(tmp_path / "other.db", "main").__enter__().close()
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        (tmp_path / "other.db").rename(path)
        sender.tell(5)
        await soon(lambda: len(consumer.table) == len(sender.wanted))
        assert min(event["seq"] for event in consumer.arrivals[15:]) == 1
