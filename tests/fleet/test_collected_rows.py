"""Events late, repeated, reordered and revised give the same tables; what cannot be stored is kept."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from callflow.adapters.store.fleet import collecting
from callflow.adapters.store.fleet.collecting import CollectorDatabase, Stored
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.fleet.schema import publishers, unread_events
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core.fleet.arrival import Announced, Arrival
from callflow.core.publishing.envelope import with_seq
from callflow.core.rings.records import AgentInterval, AgentWork
from callflow.records.collected import COLLECTED
from tests.fleet.test_moving import tables
from tests.publishing import samples
from tests.services.postgres import clear
from tests.store.plausible_day import plausible_day

MAKER = replace(samples.MAKER, collector=True)
DAY_MS = 86_400_000


@pytest.fixture
def database(fleet: str) -> Iterator[CollectorDatabase]:
    opened = CollectorDatabase(Postgres(fleet), "all")
    assert opened.open()
    yield opened
    opened.close()


def records() -> list[Any]:
    """Two revisions of some, two days, every kind."""
    at_ms = samples.T0 + DAY_MS
    made: list[Any] = [samples.call(), samples.talk(), samples.rating(), samples.assist_step()]
    made += [samples.wrap_up(), samples.transfer()]
    for number in range(3):
        stay = samples.stay(number, at_ms=samples.T0 + number * DAY_MS // 2)
        made += [stay, replace(stay, revision=stay.revision + 1, talk_ms=7), samples.leg(number), samples.offer(number)]
    hold = samples.hold()
    made += [samples.hold_in_progress(), hold, AgentInterval("201", at_ms, at_ms + 5, AgentWork.PAUSED, "lunch")]
    return made


def arrivals(stream: str = "1-a", from_ms: int = samples.T0) -> list[Arrival]:
    """The events of these records, in order, as a daemon numbers them: not every number is this destination's."""
    events = [event for record in records() if (event := MAKER.event_of(record)) is not None]
    return [
        Arrival(event.topic, with_seq(event.body(), 3 * n), from_ms + n, stream, 3 * (n - 1))
        for n, event in enumerate(events, 1)
    ]


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_repetition_gives_the_same_tables(
    fleet: str, database: CollectorDatabase, data: st.DataObject
) -> None:
    sent = arrivals()
    clear(fleet)
    database.write(sent)
    expected = tables(fleet)
    again = data.draw(st.lists(st.sampled_from(sent), max_size=20))
    mixed = data.draw(st.permutations([*sent, *again]))
    size = data.draw(st.integers(1, len(mixed)))
    clear(fleet)
    for start in range(0, len(mixed), size):
        database.write(mixed[start : start + size])
    assert tables(fleet) == expected
    assert sum(map(len, expected.values())) == len({(a.topic, a.event()["event_id"]) for a in sent})


def test_the_collected_rows_are_those_that_a_copy_of_the_node_makes(fleet: str, tmp_path: Any) -> None:
    """So the history of a node may be copied before, after or while its events are collected."""
    day = plausible_day(calls=40)
    with Store(tmp_path / "callflow.db", "main") as store:
        for record in day:
            store.save(record, final=True)
    move(tmp_path / "callflow.db", Postgres(fleet), "lab", MAKER.pseudonymizer, lambda done, total: None)
    copied = tables(fleet)
    clear(fleet)
    database = CollectorDatabase(Postgres(fleet), "all")
    assert database.open()
    events = [event for record in day if (event := MAKER.event_of(record)) is not None]
    database.write([Arrival(event.topic, with_seq(event.body(), n), 1) for n, event in enumerate(events, 1)])
    database.close()
    assert tables(fleet) == copied


def test_every_collected_kind_is_made_from_its_event(fleet: str, database: CollectorDatabase) -> None:
    database.write(arrivals())
    assert [name for name, rows in tables(fleet).items() if not rows] == []
    assert read(fleet, unread_events) == []


def test_the_watermark_stops_before_a_gap_and_goes_on_when_it_is_filled(database: CollectorDatabase) -> None:
    sent = arrivals()
    last = 3 * len(sent)
    assert database.write(sent[:4]) == [Stored("lab", "1-a", 12, gap=False)]
    assert database.write(sent[5:]) == [Stored("lab", "1-a", 12, gap=True)]
    assert database.write(sent[4:]) == [Stored("lab", "1-a", last, gap=False)]
    assert database.write(sent[:2]) == [Stored("lab", "1-a", last, gap=False)]
    assert database.write(arrivals("2-b", samples.T0 + DAY_MS)[:1]) == [Stored("lab", "2-b", 3, gap=False)]
    assert {stored.stream: stored.upto for stored in database.publishers()} == {"2-b": 3}


def test_a_collector_begun_anew_knows_the_watermark(fleet: str, database: CollectorDatabase) -> None:
    database.write(arrivals()[:4])
    database.close()
    second = CollectorDatabase(Postgres(fleet), "all")
    assert second.open()
    assert second.write(arrivals()[4:5]) == [Stored("lab", "1-a", 15, gap=False)]
    second.close()


def test_one_collector_of_a_shard_is_active(fleet: str, database: CollectorDatabase) -> None:
    standby, other = (CollectorDatabase(Postgres(fleet), shard) for shard in ("all", "other"))
    assert not standby.open()
    assert other.open()
    database.close()
    assert standby.open()
    standby.close()
    other.close()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "callflow.call.stay/2"},
        {"data": {"node": "main"}},
        {"data": {"node": "main", "joined_at": 10**30}},
        {"revision": "new"},
        {"event_id": "no uuid"},
    ],
    ids=str,
)
def test_what_cannot_be_stored_is_kept_and_holds_up_nothing(
    fleet: str, database: CollectorDatabase, change: dict[str, Any]
) -> None:
    sent = arrivals()
    number = next(n for n, one in enumerate(sent) if one.name == "stay")
    sent[number] = replace(sent[number], body=json.dumps(dict(sent[number].event()) | change))
    sent.append(replace(sent[0], topic="callflow/v1/lab/event/call/hologram", body="{nonsense"))
    (stored,) = database.write(sent)
    assert stored.upto == 3 * (len(sent) - 1)
    kept = read(fleet, unread_events)
    assert sorted(row["body"] for row in kept) == sorted([sent[number].body, "{nonsense"])
    assert sum(map(len, tables(fleet).values())) >= 10


def test_events_of_a_newer_release_are_read_after_the_upgrade(
    fleet: str, database: CollectorDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = arrivals()
    with monkeypatch.context() as older:
        older.setattr(collecting, "TABLES", {name: kind for name, kind in COLLECTED.items() if name != "talk"})
        with capture_logs() as logs:
            database.write(sent)
    assert not tables(fleet)["talks"]
    (kept,) = read(fleet, unread_events)
    assert kept["reason"] == "its schema 'callflow.call.talk/1' is of another release of callflow"
    assert [line["reason"] for line in logs if "cannot be stored" in line["event"]] == [kept["reason"]]
    assert database.read_again() == 1
    assert len(tables(fleet)["talks"]) == 1
    assert read(fleet, unread_events) == []
    assert database.read_again() == 0


def test_events_that_stay_unread_hold_up_no_others(
    fleet: str, database: CollectorDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = arrivals()
    unknown = [replace(sent[0], topic=f"callflow/v1/lab/event/call/hologram{n}") for n in range(5)]
    with monkeypatch.context() as older:
        older.setattr(collecting, "TABLES", {name: kind for name, kind in COLLECTED.items() if name != "talk"})
        database.write([*unknown, *sent, *unknown])
    assert len(read(fleet, unread_events)) == len(unknown) + 1
    monkeypatch.setattr(collecting, "REREAD", 2)
    assert database.read_again() == 1
    assert len(tables(fleet)["talks"]) == 1
    assert len(read(fleet, unread_events)) == len(unknown)


def test_a_node_is_noted_with_its_clock(fleet: str, database: CollectorDatabase) -> None:
    said = Announced("lab", "1-a", "main", "pbx1", "0.1.0", 1, "{}", samples.T0, DAY_MS)
    database.note(said)
    database.note(replace(said, came_ms=samples.T0 + 5, skew_ms=None))
    (row,) = read(fleet, publishers)
    assert (row["host"], row["skew_ms"], row["last_ms"]) == ("pbx1", DAY_MS, samples.T0)
    assert asdict(said)["stream"] == row["stream"]


def read(url: str, table: Any) -> list[Any]:
    with Reader(url) as reader:
        return reader.rows(table.select())
