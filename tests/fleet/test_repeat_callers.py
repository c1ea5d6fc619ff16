"""Row A1 over a fleet: five short calls over three nodes raise one call-back, where the last call was, exactly once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.fleet import repeats
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.store import Store
from callflow.collecting.collector import Collector
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.fleet.arrival import Arrival
from callflow.core.fleet.orders import Answer, Do, Order, answer_of, order_of
from callflow.core.publishing.envelope import with_seq
from callflow.core.publishing.topics import Topics
from callflow.core.rings.records import Outcome, Stay
from callflow.daemon import Daemon
from callflow.processes.ports import take_ports
from callflow.publishing.fleet_commands import FleetCommands
from callflow.runtime.callback_desk import CallbackDesk
from callflow.runtime.clock import Clock
from callflow.runtime.fleet_orders import FleetOrders
from callflow.settings.model import Settings
from tests.fleet.test_collector import AWAITS, eventually
from tests.mqtt.sending import Sending, sending
from tests.publishing import samples
from tests.services.mosquitto import Broker, settings_for
from tests.services.postgres import clear

T0 = samples.T0
NOW = T0 + 3_600_000
RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})
CALLER = samples.HIDDEN.caller("+15550100")
SITES = ("north", "south", "north", "east", "south")
"""Where the caller calls, one call a minute."""


def short(number: int, wait_ms: int = 20_000, began_ms: int = T0) -> Stay:
    """The caller gives up in the queue after 20 s, in the minute of this number."""
    return samples.stay(number, Outcome.ABANDONED_RINGING, wait_ms, at_ms=began_ms + 60_000 * number)


def arrival(site: str, record: Any) -> Arrival:
    event = replace(samples.MAKER, topics=Topics(site)).event_of(record)
    assert event is not None
    return Arrival(event.topic, with_seq(event.body(), 1), NOW)


def five() -> list[Arrival]:
    return [arrival(site, short(number)) for number, site in enumerate(SITES)]


def opened(url: str, shard: str = "all", rules: CallbackRules = RULES) -> CollectorDatabase:
    database = CollectorDatabase(Postgres(url), shard, rules)
    assert database.open()
    return database


def asked(database: CollectorDatabase) -> dict[str, Order]:
    """Orders by site; there is never more than one for a site."""
    found = database.orders((), NOW)
    assert len({site for site, _ in found}) == len(found)
    return dict(found)


def test_the_node_of_the_last_call_raises_and_the_others_begin_anew(fleet: str) -> None:
    database = opened(fleet)
    database.write(five()[:4])
    assert not database.look(NOW)
    database.write(five()[4:])
    assert database.has_short_calls
    assert database.look(NOW)
    orders = asked(database)
    assert {site: order.do for site, order in orders.items()} == {
        "north": Do.BEGIN_ANEW,
        "east": Do.BEGIN_ANEW,
        "south": Do.RAISE,
    }
    raised = orders["south"]
    assert (raised.caller, raised.call_id, raised.at_ms) == (CALLER, short(4).call_id, short(4).left_ms)
    assert raised.why == f"5 short calls at 3 nodes, the last at {short(4).call_id}"
    assert orders["north"].call_id == short(2).call_id
    assert [order_of(order.body()) for order in orders.values()] == list(orders.values())

    database.write(five())
    assert not database.look(NOW), "events that came again"
    for number, order in enumerate(orders.values()):
        database.answered(Answer(order.order_id, True, "raised", f"cb-{number}"), NOW)
    assert asked(database) == {}
    database.write([arrival("north", short(number)) for number in range(5, 9)])
    assert not database.look(NOW), "counting has begun anew"
    database.write([arrival("east", short(9))])
    assert database.look(NOW)
    database.close()


def test_old_calls_are_not_read_again_with_each_new_one(fleet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node was cut off for days, and a machine rang it all the time: its calls come late, one after the other."""
    read: list[Any] = []

    def parts(connection: Any, *of_call: Any) -> list[Any]:
        read.append(of_call)
        return []

    monkeypatch.setattr(repeats, "_parts", parts)
    database = opened(fleet)
    for number in range(10):
        database.write([arrival(SITES[number % 5], short(number))])
        assert not database.look(NOW + 3 * 86_400_000)
    assert read == []
    database.close()


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_twice_and_with_a_collector_that_dies_in_between_it_is_one_call_back(
    fleet: str, seed: int
) -> None:
    dice = random.Random(seed)
    sent = five() * 2
    dice.shuffle(sent)
    raised = 0
    while sent:
        database = opened(fleet)
        number = dice.randint(1, 4)
        database.write(sent[:number])
        sent = sent[number:]
        if dice.random() < 0.5:
            raised += database.look(NOW)
        database.close()
    database = opened(fleet)
    if database.has_short_calls:
        raised += database.look(NOW)
    assert raised == 1
    assert [order.do for order in asked(database).values()].count(Do.RAISE) == 1
    database.close()


def test_two_collectors_that_share_the_sites_count_together(fleet: str) -> None:
    first, second = opened(fleet, "a"), opened(fleet, "b")
    first.write(five()[:3])
    second.write(five()[3:])
    assert [first.look(NOW), second.look(NOW)].count(True) == 1
    assert len(asked(first)) == 3
    assert [site for site, _ in second.orders(("east",), NOW)] == ["east"]
    first.close()
    second.close()


def test_calls_of_one_node_are_left_to_that_node(fleet: str) -> None:
    database = opened(fleet)
    database.write([arrival("north", short(number)) for number in range(5)])
    assert not database.look(NOW)
    assert asked(database) == {}
    database.write([arrival("south", short(5))])
    assert not database.look(NOW), "the five are counted"
    database.close()


def test_a_call_that_went_on_or_lasted_is_not_short(fleet: str) -> None:
    database = opened(fleet)
    went_on = replace(samples.line_offer(2), began_ms=short(2).left_ms or 0, ended_ms=(short(2).left_ms or 0) + 90_000)
    long = short(3, wait_ms=61_000)
    database.write([*five()[:3], arrival("north", went_on), arrival("east", long), five()[4]])
    database.write([arrival("east", short(7)), arrival("east", short(8))])
    assert database.look(NOW), "0, 1, 4, 7 and 8"
    assert asked(database)["east"].do is Do.RAISE
    assert asked(database)["south"].call_id == short(4).call_id
    database.close()


def test_what_is_too_old_or_turned_off_raises_nothing(fleet: str) -> None:
    late = opened(fleet)
    late.write(five())
    assert not late.look(NOW + 25 * 3_600_000), "a node was away for a day"
    late.close()
    clear(fleet)
    off = opened(fleet, rules=RULES.model_copy(update={"enabled": False}))
    off.write(five())
    assert not off.look(NOW)
    off.close()


def test_what_is_no_order_and_no_answer_is_refused() -> None:
    answer = Answer("1", True, "raised", "cb-1")
    assert answer_of(json.dumps({**json.loads(answer.body()), "more": 1})) == answer
    assert (
        order_of(json.dumps({name: value for name, value in asdict(order()).items() if name != "callback_id"}))
        == order()
    )
    late = json.dumps(asdict(order()) | {"call_ms": 10**30})
    for text in (late, "", "[]", "{}", '{"order_id": 1}', "x" * 5000, '{"order_id": "1", "done": 1, "why": ""}'):
        for reads in (answer_of, order_of):
            with pytest.raises(ValueError, match=r"it is|is None|is 1|Expecting"):
                reads(text)


class Node:
    """The call-back desk of a node, and the orders that come to it."""

    def __init__(self, path: Path, recorder: Any, now_ms: Any) -> None:
        self.desk = CallbackDesk(RULES, path, "main", recorder, now_ms)
        self.orders = FleetOrders(self.desk, path, samples.HIDDEN, now_ms)
        self.list = CallbackList(path, "main")


def order(do: Do = Do.RAISE, **changes: Any) -> Order:
    stay = short(4)
    first = Order("1", do, str(CALLER), stay.call_id, stay.left_ms or 0, stay.left_ms or 0, "", "5 short calls")
    return replace(first, **changes)


async def test_an_order_that_comes_again_raises_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        store.save(short(4), final=True)
    node = Node(path, None, lambda: NOW)
    first = await node.orders.obey(order())
    assert (first.done, first.why) == (True, "raised")
    again = await node.orders.obey(order())
    assert (again.callback_id, again.why) == (first.callback_id, "is on the list already")
    (entry,) = node.list.entries()
    assert (entry.number, entry.reasons, entry.why) == ("+15550100", ("repeated",), "5 short calls")


async def test_an_order_that_fails_leaves_the_connection_alone(fleet: str) -> None:
    class Broken:
        async def obey(self, order: Any) -> Answer:
            raise OverflowError("too large")

    commands = FleetCommands(Topics("north"), Broken)
    assert await commands.answer("callflow/v1/north/fleet/command", order().body()) == (
        "callflow/v1/north/fleet/answer",
        "",
    )
    database = opened(fleet)
    database.answered(Answer("1\x00", True, "a\x00b", "cb\x00"), NOW)
    database.close()


async def test_the_daemon_gives_orders_to_its_own_call_back_list(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        store.save(short(4), final=True)
    settings = Settings.model_validate({"store": {"path": path}, "privacy": {"key": samples.KEY.decode()}})
    daemon = Daemon(settings, lambda: settings)
    assert daemon._publishing.fleet_orders is not None
    assert (await daemon._publishing.fleet_orders.obey(order())).done
    assert len(CallbackList(path, "main").entries()) == 1


async def test_an_order_for_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        store.save(short(4), final=True)
    node = Node(path, None, lambda: NOW)
    for wrong in (order(caller="h0000000000000000"), order(call_id="1.1"), order(call_ms=NOW + 10 * 3_600_000)):
        assert not (await node.orders.obey(wrong)).done
    assert node.list.entries() == []


async def test_a_node_that_is_told_begins_to_count_anew(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        store.save(short(4), final=True)
    node = Node(path, None, lambda: NOW)
    node.desk._early = None
    for number in range(4):
        node.desk.follow(short(number), True)
    assert (await node.orders.obey(order(Do.BEGIN_ANEW))).done
    node.desk.follow(short(5), True)
    assert list(node.desk._wanted) == []
    for number in range(6, 10):
        node.desk.follow(short(number), True)
    assert len(node.desk._wanted) == 1


async def test_five_calls_over_three_nodes_and_a_broker_are_one_call_back(fleet: str, tmp_path: Path) -> None:
    """The collector is started again in the middle of it."""
    began_ms = Clock().now_ms() - 3_600_000
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(take_ports())
        broker = await stack.enter_async_context(Broker(tmp_path / "mosquitto", ports.named()))
        nodes: dict[str, tuple[Sending, Node]] = {}
        for site in dict.fromkeys(SITES):
            mqtt = {**settings_for(broker.port), **AWAITS, "site": site}
            sender = await stack.enter_async_context(sending(tmp_path / site, mqtt))
            recording = sender.publishing.recording
            node = Node(sender.settings.store.path, recording, Clock().now_ms)
            sender.publishing.fleet_orders = node.orders
            nodes[site] = (sender, node)

        def entries() -> list[tuple[str, str]]:
            return [(site, entry.number) for site, (_, node) in nodes.items() for entry in node.list.entries()]

        async with running(fleet, broker.port) as collector:
            for number, site in enumerate(SITES[:3]):
                nodes[site][0].publishing.recording.save(short(number, began_ms=began_ms), True)
            await eventually(lambda: sum(known.events for known in collector.census.sites.values()) >= 3)
        for number, site in enumerate(SITES):
            if number >= 3:
                nodes[site][0].publishing.recording.save(short(number, began_ms=began_ms), True)
        async with running(fleet, broker.port):
            await eventually(lambda: bool(entries()))
            database = CollectorDatabase(Postgres(fleet), "reader", RULES)
            assert database.open()
            await eventually(lambda: not database.orders((), Clock().now_ms()))
            database.close()
        async with running(fleet, broker.port) as again:
            await eventually(lambda: again.is_active)
        assert entries() == [("south", "+15550100")]


@asynccontextmanager
async def running(url: str, port: int) -> AsyncIterator[Collector]:
    """A collector in this process."""
    fleet = {"database_url": url, "batch_s": 0.05}
    settings = Settings.model_validate({"mqtt": dict(settings_for(port)), "fleet": fleet})
    collector = Collector(settings.mqtt, settings.fleet, CollectorDatabase(Postgres(url), "all", RULES), Clock().now_ms)
    task = asyncio.create_task(collector.run())
    try:
        yield collector
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
