"""A caller who was spoken to at one node is not called back by another."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.repeats import KEPT_MS
from callflow.adapters.store.places import Postgres
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import State, Step
from callflow.core.fleet.orders import Do, Order, order_of
from tests.fleet.test_callback_lists import arrivals
from tests.fleet.test_repeat_callers import NOW, RULES, T0, Node, arrival, five
from tests.publishing import samples


@pytest.fixture
def database(fleet: str) -> Iterator[CollectorDatabase]:
    opened = CollectorDatabase(Postgres(fleet), "all", RULES)
    assert opened.open()
    yield opened
    opened.close()


@pytest.fixture
def entries(tmp_path: Path) -> CallbackList:
    made = CallbackList(tmp_path / "callflow.db", "main")
    made.prepare()
    return made


def wait(entries: CallbackList, number: str = "+15550100", at_ms: int = T0) -> Entry:
    """A caller who waits for a call-back at the node `south`."""
    return entries.add(Wanted(number, "default", Reason.SILENT, at_ms, "because"), RULES, at_ms)[0]


def asked(database: CollectorDatabase) -> list[tuple[str, Order]]:
    return database.orders((), NOW)


def answered(at_ms: int, **changes: Any) -> Any:
    """The caller is answered in a queue."""
    return replace(samples.stay(7, at_ms=at_ms), **changes)


async def test_an_answered_call_elsewhere_settles_the_entry_once(
    database: CollectorDatabase, entries: CallbackList, tmp_path: Path
) -> None:
    entry, other = wait(entries), wait(entries, "+15550199")
    database.write(arrivals(entries, "south"))
    for _ in range(2):
        database.write([arrival("north", answered(T0 + 60_000))])
    ((site, order),) = asked(database)
    assert (site, order.do, order.callback_id) == ("south", Do.SETTLE, entry.callback_id)
    assert order.why == "a call with the caller was answered at north"
    assert order_of(order.body()) == order

    node = Node(tmp_path / "callflow.db", None, lambda: NOW)
    told = await node.orders.obey(order)
    assert (told.done, entries.find(entry.callback_id).state) == (True, State.DONE)
    assert entries.find(other.callback_id).state is State.OPEN
    assert not (await node.orders.obey(order)).done, "it is settled already"
    assert len(entries.changes(entry.callback_id)) == 2
    database.answered(told, NOW)
    database.write([arrival("north", answered(T0 + 90_000))])
    assert asked(database) == []


@pytest.mark.parametrize(
    ("changes", "profile"),
    [({"enabled": False}, {}), ({}, {"short_calls": 0}), ({}, {"window_h": 0.5})],
    ids=["off", "no short calls", "short window"],
)
def test_a_node_is_asked_whatever_the_rules_for_repeat_callers_are(
    fleet: str, entries: CallbackList, changes: dict[str, Any], profile: dict[str, Any]
) -> None:
    """It may have been away for long."""
    default = RULES.profiles["default"].model_copy(update=profile)
    rules = RULES.model_copy(update={"profiles": {"default": default}, **changes})
    with closing(CollectorDatabase(Postgres(fleet), "all", rules)) as database:
        assert database.open()
        wait(entries)
        database.write(arrivals(entries, "south"))
        database.write([arrival("north", answered(T0 + 60_000))])
        for away_ms, is_asked in ((0, True), (KEPT_MS - 1, True), (KEPT_MS, False)):
            found = database.orders((), NOW + away_ms)
            assert [(site, order.do) for site, order in found] == [("south", Do.SETTLE)] * is_asked


def test_a_call_back_that_reached_the_caller_settles_the_others(
    database: CollectorDatabase, entries: CallbackList
) -> None:
    wait(entries)
    database.write(arrivals(entries, "south"))
    change = replace(samples.callback_change(State.DONE, before="claimed"), number="+15550100", at_ms=T0 + 5000)
    database.write([arrival("north", change)])
    assert asked(database) == [], "a person has settled that one by hand"
    database.write([arrival("north", replace(change, before="dialling", revision=3))])
    assert [(site, order.do) for site, order in asked(database)] == [("south", Do.SETTLE)]


def test_what_settles_nothing(database: CollectorDatabase, entries: CallbackList) -> None:
    wait(entries)
    database.write(arrivals(entries, "south"))
    database.write(
        [
            arrival("south", answered(T0 + 60_000)),  # its own node has seen to it
            arrival("north", answered(T0 - 60_000, call_id="earlier")),
            arrival("north", answered(T0 + 60_000, caller_number="+15550199")),
            arrival("north", answered(T0 + 60_000, caller_number="")),
            arrival("north", answered(T0 + 60_000, connect_ms=None, call_id="gave up")),
        ]
    )
    assert asked(database) == []


async def test_an_entry_that_is_closed_or_of_another_caller_is_left(entries: CallbackList, tmp_path: Path) -> None:
    entry = wait(entries)
    node = Node(tmp_path / "callflow.db", None, lambda: NOW)
    order = Order(
        "1", Do.SETTLE, str(samples.HIDDEN.caller("+15550100")), "", T0 + 1, T0 + 1, "", "x", entry.callback_id
    )
    for wrong in (
        replace(order, caller="h0000000000000000"),
        replace(order, at_ms=T0 - 1),
        replace(order, callback_id="cb-nobody"),
    ):
        assert not (await node.orders.obey(wrong)).done
    entries.change(entry.callback_id, lambda now: now.step(Step.GIVE_UP, T0 + 2, "8012", "number is dead"))
    assert not (await node.orders.obey(order)).done
    assert entries.find(entry.callback_id).state is State.GIVEN_UP


def test_a_settled_entry_does_not_begin_the_count_of_short_calls_anew(
    database: CollectorDatabase, entries: CallbackList
) -> None:
    wait(entries)
    database.write(arrivals(entries, "south"))
    database.write(five()[:3])
    database.write([arrival("north", answered(T0 + 150_000))])
    assert [order.do for _, order in asked(database)] == [Do.SETTLE]
    database.write(five()[3:])
    assert database.look(NOW)
