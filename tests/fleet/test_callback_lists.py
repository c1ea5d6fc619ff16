"""The call-back lists of all nodes in the fleet's database: the same queries as at a node, from events in any order."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import CallbackQueries, NoSuchCallback, Wanting
from callflow.adapters.store.erasing import Wanted as EraseWanted
from callflow.adapters.store.erasing import erase
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.names_of_callers import settle_names
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.cli import app
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import CallbackChange, Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import LIVE, State, Step
from callflow.core.fleet.arrival import Arrival
from callflow.core.publishing.envelope import with_seq
from callflow.core.publishing.topics import Topics
from callflow.records.callbacks import CALLBACK_ATTEMPTS, CALLBACK_CHANGES, CALLBACKS, callbacks
from tests.conftest import At
from tests.publishing import samples
from tests.services.postgres import clear

T0 = samples.T0
LISTS = (CALLBACKS, CALLBACK_CHANGES, CALLBACK_ATTEMPTS)
RULES = CallbackRules(profiles={"default": CallbackProfile(zone="Asia/Shanghai", hours=("mon-sun 00:00-24:00",))})


@pytest.fixture
def entries(tmp_path: Path) -> CallbackList:
    """Three callers: one waits, one is claimed, one was reached, called twice for it, and raised again on that day."""
    made = CallbackList(tmp_path / "callflow.db", "north")
    made.prepare()
    ids = []
    for number, reason in enumerate((Reason.SILENT, Reason.REPEATED, Reason.OFFER)):
        wanted = Wanted(f"1385555010{number}", "default", reason, T0 + number, "because", queue="support")
        ids.append(made.add(wanted, RULES, T0 + number)[0].callback_id)
    made.change(ids[1], lambda now: now.step(Step.CLAIM, T0 + 1000, "8012", "claimed by 8012"))
    for number, outcome in enumerate((Outcome.BUSY, Outcome.AGENT_DECLINED)):
        attempt = replace(samples.callback_attempt(outcome), attempt_id=f"cb-a{number}", callback_id=ids[2])
        made.save_attempt(replace(attempt, began_ms=T0 + number, cause=f"{outcome.value} 13855550102"))
    made.change(ids[2], lambda now: now.step(Step.DONE, T0 + 2000, "8012", "wrote to 13855550102"))
    made.add(Wanted("13855550102", "default", Reason.QUIET, T0 + 3000, "again"), RULES, T0 + 3000)
    return made


def arrivals(entries: CallbackList, site: str = "north") -> list[Arrival]:
    """The events of every change and every attempt, as the node publishes them."""
    changes = [change for entry in entries.entries() for change in entries.changes(entry.callback_id)]
    attempts = entries.ended_attempts(None, None)
    in_order = sorted(changes, key=lambda change: change.at_ms)
    return [*(arrival(one, site) for one in in_order), *(arrival(one, site) for one in attempts)]


def arrival(record: CallbackChange | Attempt, site: str) -> Arrival:
    event = replace(samples.MAKER, topics=Topics(site), node="north").event_of(record)
    assert event is not None
    return Arrival(event.topic, with_seq(event.body(), 1), T0)


@pytest.fixture
def database(fleet: str) -> Iterator[CollectorDatabase]:
    opened = CollectorDatabase(Postgres(fleet), "all")
    assert opened.open()
    yield opened
    opened.close()


def told(entry: Entry) -> dict[str, Any]:
    """What an event tells of an entry."""
    left_out = ("number", "day", "zone", "place", "note", "why")
    return {name: value for name, value in asdict(entry).items() if name not in left_out}


def test_the_same_queries_answer_on_both(entries: CallbackList, at: At, tmp_path: Path) -> None:
    with Reader(at(tmp_path / "callflow.db")) as reader:
        found = CallbackQueries(reader.rows)
        assert found.entries() == entries.entries()
        assert [one.node for one in found.listed()] == ["north"] * 4
        for wanting in (Wanting(states=LIVE), Wanting(reason="repeated"), Wanting(number="13855550102")):
            assert found.entries(wanting) == entries.entries(wanting) != []
        for entry in entries.entries():
            assert found.find(entry.callback_id) == entry
            assert found.changes(entry.callback_id) == entries.changes(entry.callback_id)
        assert found.entries(limit=2) == entries.entries()[:2]
        with pytest.raises(NoSuchCallback):
            found.find("cb-nobody")


@pytest.mark.parametrize("seed", range(5))
def test_events_in_any_order_and_twice_give_the_list_of_the_node(
    entries: CallbackList, database: CollectorDatabase, fleet: str, seed: int
) -> None:
    sent = arrivals(entries) * 2
    random.Random(seed).shuffle(sent)
    for part in (sent[:3], sent[3:]):
        database.write(part)
    assert database.unread == 0
    with Reader(fleet) as reader:
        found = CallbackQueries(reader.rows)
        assert list(map(told, found.entries())) == list(map(told, entries.entries()))
        for entry in entries.entries():
            changes = found.changes(entry.callback_id)
            assert [(c.revision, c.state, c.before) for c in changes] == [
                (c.revision, c.state, c.before) for c in entries.changes(entry.callback_id)
            ]
            at_node = entries.attempts(entry.callback_id)
            assert [replace(attempt, cause="") for attempt in found.attempts(entry.callback_id)] == [
                replace(attempt, interface="", cause="") for attempt in at_node
            ]
        assert len(found.ended_attempts(None, None)) == 2
        assert "1385555" not in str(found.ended_attempts(None, None)), "a number left its node"
        rows = reader.rows(sa.text("SELECT site, number, why FROM callbacks"))
        assert {row["site"] for row in rows} == {"north"}
        assert "1385555" not in str(rows), "a number left its node"
        twice = [row["number"] for row in rows if "h" in row["number"]]
        assert (len(twice), len(set(twice))) == (4, 3), "one caller has one hash"


def test_an_event_that_makes_no_sense_is_kept(entries: CallbackList, database: CollectorDatabase) -> None:
    first = arrivals(entries)[0]
    event = json.loads(first.body)
    event["data"]["state"] = "on the moon"
    database.write([replace(first, body=json.dumps(event))])
    assert database.unread == 1


def test_a_copy_of_a_node_has_hashes_and_no_notes(entries: CallbackList, fleet: str, tmp_path: Path) -> None:
    entries.add(Wanted("13855550109", "default", Reason.MANUAL, T0, "x", note="ask for Ada"), RULES, T0)
    move(tmp_path / "callflow.db", Postgres(fleet), "", samples.HIDDEN, lambda done, total: None)
    with Reader(fleet) as reader:
        rows = reader.rows(sa.select(callbacks))
    assert len(rows) == 5
    assert "1385555" not in str(rows)
    assert "Ada" not in str(rows)


def test_the_commands_show_the_lists_of_all_nodes(
    entries: CallbackList, database: CollectorDatabase, fleet: str
) -> None:
    database.write(arrivals(entries))
    other = replace(samples.callback_change(State.OPEN), callback_id="cb-other", revision=1)
    event = replace(samples.MAKER, topics=Topics("south"), node="south").event_of(other)
    assert event is not None
    database.write([Arrival(event.topic, with_seq(event.body(), 1), T0)])

    def run(*words: str) -> str:
        done = CliRunner(env={"COLUMNS": "200", "CALLFLOW_CONFIG": ""}).invoke(
            app, ["callbacks", *words, "--db", fleet]
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    listed = json.loads(run("list", "--json"))["callbacks"]
    assert {one["node"] for one in listed} == {"north", "south"}
    table = run("list")
    assert "cb-other" in table
    assert table.split()[0] == "node"
    claimed = next(one for one in listed if one["state"] == "claimed")
    shown = run("show", claimed["callback_id"])
    assert "claimed by 8012" in shown
    assert "its node knows the zone" in shown
    settled = json.loads(run("list", "--json", "--state", "done"))["callbacks"]
    reached = settled[0]["callback_id"]
    assert run("show", reached).count("agent 8012: ") == 2
    report = json.loads(run("report", "--json"))
    assert report["all"]["raised"] == 5
    assert report["outcomes"] == {"busy": 1, "agent_declined": 1}


def reached_with_a_name(path: Path, at_ms: int) -> tuple[CallbackList, Entry]:
    """A node's list, with a caller who has said a name and was reached at `at_ms`."""
    at_node = CallbackList(path, "north")
    at_node.prepare()
    entry, _ = at_node.add(Wanted("+15550100", "default", Reason.OFFER, T0, "said", spoken_name="a-1"), RULES, T0)
    at_node.change(entry.callback_id, lambda now: now.step(Step.DONE, at_ms, "8012", "reached"))
    return at_node, entry


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_name_that_is_deleted_later_is_deleted_in_the_fleet_too(
    database: CollectorDatabase, fleet: str, tmp_path: Path, forgotten: bool
) -> None:
    path = tmp_path / "callflow.db"
    at_node, entry = reached_with_a_name(path, T0 + 1)
    closed_ms = at_node.find(entry.callback_id).closed_ms
    before = arrivals(at_node)
    database.write(before)
    if forgotten:
        erase(path, EraseWanted(("+15550100",)), lambda table: None)
    else:
        settle_names(path, T0 + 10, T0 + 10)
    database.write(arrivals(at_node))
    database.write(before)
    with Reader(fleet) as reader:
        now = CallbackQueries(reader.rows).find(entry.callback_id)
    assert (now.spoken_name, now.revision, now.state) == ("", 3, State.DONE)
    assert now.number == ("" if forgotten else samples.HIDDEN.caller("+15550100"))
    assert at_node.find(entry.callback_id).revision == now.revision
    assert now.closed_ms == closed_ms == T0 + 1


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_the_time_to_reach_a_caller_stays_when_the_name_is_deleted(
    database: CollectorDatabase, fleet: str, tmp_path: Path, order: tuple[int, ...], is_one_batch: bool
) -> None:
    path = tmp_path / "callflow.db"
    at_node, entry = reached_with_a_name(path, T0 + 300_000)
    settle_names(path, T0 + 400_000, T0 + 86_400_000)
    raised = arrivals(at_node)
    sent = [raised[number] for number in order]
    for some in [sent] if is_one_batch else [[one] for one in sent]:
        database.write(some)
    with Reader(fleet) as reader:
        now = CallbackQueries(reader.rows).find(entry.callback_id)
    assert (now.closed_ms, now.changed_ms, now.spoken_name) == (T0 + 300_000, T0 + 86_400_000, "")


def test_a_copy_of_a_list_holds_what_its_events_tell(
    entries: CallbackList, database: CollectorDatabase, fleet: str, tmp_path: Path
) -> None:
    wanted = Wanted("13855550109", "default", Reason.OFFER, T0, "x", zone="Asia/Tokyo", note="ask for Ada", place=7)
    kept, _ = entries.add(replace(wanted, queue="support", spoken_name="a-1"), RULES, T0)
    entries.change(kept.callback_id, lambda now: now.wished("8012", T0 + 1, "ada"))
    entries.save_attempt(samples.callback_attempt())
    database.write(arrivals(entries))
    collected = list_rows(fleet)
    clear(fleet)
    move(tmp_path / "callflow.db", Postgres(fleet), "north", samples.HIDDEN, lambda done, total: None)
    assert list_rows(fleet) == collected
    for secret in ("1385555", "Ada", "Tokyo", "a-1"):
        assert secret not in str(collected)


def list_rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of the call-back lists; `open` of a change or an attempt is whether its node has yet to send it."""
    with Reader(url) as reader:
        found = {kind.table.name: reader.rows(sa.select(kind.table)) for kind in LISTS}
    left_out = {name: () if name == callbacks.name else ("open",) for name in found}
    return {
        name: sorted(({c: v for c, v in row.items() if c not in left_out[name]} for row in rows), key=str)
        for name, rows in found.items()
    }


def test_an_attempt_of_an_earlier_copy_is_not_doubled_by_its_event(
    entries: CallbackList, database: CollectorDatabase, fleet: str, tmp_path: Path
) -> None:
    """The copy was made while the call was under way."""
    open_one = replace(samples.callback_attempt(), ended_ms=None, outcome=None)
    entries.save_attempt(open_one)
    move(tmp_path / "callflow.db", Postgres(fleet), "", samples.HIDDEN, lambda done, total: None)
    sent = [arrival(samples.callback_attempt(), "north")] * 2
    database.write(sent)
    database.write(sent)
    with Reader(fleet) as reader:
        (found,) = CallbackQueries(reader.rows).attempts(open_one.callback_id)
    assert found == replace(samples.callback_attempt(), interface="")


def test_an_attempt_that_makes_no_sense_is_kept(database: CollectorDatabase) -> None:
    whole = arrival(samples.callback_attempt(), "north")
    event = json.loads(whole.body)
    for name, value in (("began_at", "yesterday"), ("agent_ring_ms", "long"), ("outcome", "on the moon")):
        broken = event | {"event_id": name, "data": event["data"] | {name: value}}
        database.write([replace(whole, body=json.dumps(broken))])
    assert database.unread == 3
