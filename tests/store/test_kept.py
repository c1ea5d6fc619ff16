"""What was measured of rings and queues is in the database once, by its newest revision."""

import sqlite3
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.adapters.store.backlog import Backlog, Batch, EventNumber, EventRow, Pending
from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import outbox
from callflow.adapters.store.store import Store
from callflow.adapters.store.writing import BatchWriter
from callflow.core.rings.records import AgentInterval, AgentWork, Leg, LegEnd, Offer, Outcome, Stay
from callflow.publishing.recording import Recording
from callflow.records import KINDS
from callflow.records.kind import Record, RecordKind
from callflow.records.stays import stays
from tests.store.plausible_day import plausible_day
from tests.store.samples import T0, ended, live_call

DAY = plausible_day(calls=60)
Kept = TypeVar("Kept", Stay, Offer, Leg, AgentInterval)


def stored(database: Path, kind: type[Kept], *conditions: sa.ColumnElement[bool]) -> list[Kept]:
    with Reader(database) as reader:
        (found,) = [one for one in KINDS if one.record is kind]
        return [found.rows.record(row) for row in reader.rows(sa.select(found.table).where(*conditions))]


def pending(record: Record, final: bool, *events: EventRow) -> Pending:
    return Pending(KINDS.of(record).key(record), record, final, events)


def event(name: str) -> EventRow:
    return EventRow(name, 1, "topic", "{}", T0, "mqtt")


def waiting_events(database: Path) -> list[str]:
    with Reader(database) as reader:
        return [row["event_id"] for row in reader.rows(sa.select(outbox).order_by(outbox.c.seq))]


def waiting(stay: Stay) -> Stay:
    """The same stay while the caller still waits."""
    return replace(
        stay, revision=1, left_ms=None, outcome=None, wait_ms=None, connect_ms=None, talk_end_ms=None, talk_ms=None
    )


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.record.__name__)
def test_every_field_of_every_record_has_its_column(kind: RecordKind[Any]) -> None:
    assert {field.name for field in fields(kind.record)} <= set(kind.table.columns.keys())


def test_a_day_is_read_back_as_it_was(database: Path) -> None:
    with Store(database, "main") as store:
        for record in DAY:
            store.save(record, final=True)
    assert {s.entry_id: s for s in stored(database, Stay)} == {s.entry_id: s for s in DAY.stays}
    assert sorted(stored(database, Offer), key=repr) == sorted(DAY.offers, key=repr)
    assert sorted(stored(database, Leg), key=repr) == sorted(DAY.legs, key=repr)
    assert sorted(stored(database, AgentInterval), key=repr) == sorted(DAY.spells, key=repr)
    with Reader(database) as reader:
        assert reader.count() == len(DAY.calls)


async def test_marks_and_strange_names_survive(store: Store, database: Path) -> None:
    stay = replace(DAY.stays[0], marks=("time_backwards", "repeated_header"), caller_name="王小明 \udcff", queue="a/b")
    store.save(stay, final=True)
    assert await store.flush(5)
    assert stored(database, Stay) == [replace(stay, caller_name="王小明 \\udcff")]


async def test_what_was_measured_counts_when_it_is_final(store: Store) -> None:
    stay = DAY.stays[0]
    store.save(waiting(stay), final=False)
    assert await store.flush(5)
    assert store.counters().measured == 0
    store.save(stay, final=True)
    assert await store.flush(5)
    assert store.counters().measured == 1


_TELLINGS = st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(tellings=_TELLINGS)
def test_a_lower_revision_never_overwrites_and_telling_again_changes_nothing(
    store: Store, database: Path, tellings: list[tuple[int, bool, bool]]
) -> None:
    """Each telling: revision, final, and whether a transaction ends behind it."""
    backlog, engine, batches = Backlog(100), writing_engine(database, 1.0), BatchWriter(KINDS, "main")
    stay = replace(DAY.stays[0], entry_id=uuid4().hex, outcome=None)
    with engine.connect() as connection:
        for number, (revision, final, commit) in enumerate(tellings):
            told = replace(stay, revision=revision, offers=number)
            backlog.add_record(pending(told, final))
            if commit:
                with connection.begin():
                    batch = backlog.take(100)
                    assert batches.write(connection, batch).rejected == 0
                    assert batches.write(connection, batch).rejected == 0
        with connection.begin():
            batches.write(connection, backlog.take(100))
    engine.dispose()
    (found,) = stored(database, Stay, stays.c.entry_id == stay.entry_id)
    newest = max(revision for revision, _, _ in tellings)
    newest_told = [(number, final) for number, (revision, final, _) in enumerate(tellings) if revision == newest]
    finals = [number for number, final in newest_told if final]
    assert isinstance(found, Stay)
    assert found.revision == newest
    assert found.offers == (finals or [number for number, _ in newest_told])[-1]


async def test_a_spell_that_has_ended_is_not_reopened(store: Store, database: Path) -> None:
    lasting = AgentInterval("201", T0, None, AgentWork.TALKING)
    over = replace(lasting, ended_ms=T0 + 5000)
    for record, final in ((lasting, False), (over, True), (lasting, False)):
        store.save(record, final)
        assert await store.flush(5)
    assert stored(database, AgentInterval) == [over]


# -- interrupted ------------------------------------------------------------------------------------------------------


def test_what_a_dead_daemon_left_open_is_closed_as_partial(database: Path) -> None:
    offer, leg = DAY.offers[0], DAY.legs[0]
    offer = replace(offer, revision=1, ended_ms=None, pickup_ms=None, connect_ms=None, answer_class=None)
    leg = replace(leg, revision=1, ended_ms=None, pickup_ms=None, connect_ms=None, end=None, marks=("odd",))
    last_ms = max(offer.began_ms, leg.began_ms)
    lasting = AgentInterval("201", last_ms - 5000, None, AgentWork.AVAILABLE)
    with Store(database, "main") as first:
        for record in (offer, leg, lasting):
            first.save(record, final=False)
        first.save(DAY.offers[1], final=True)
    with Store(database, "other"):
        assert stored(database, type(leg)) == [leg], "another node's are left alone"
    with closing(Store(database, "main")) as store:
        Recording(store).open()
    closed = {o.offer_id: o for o in stored(database, type(offer))}
    assert closed[DAY.offers[1].offer_id] == DAY.offers[1]
    assert closed[offer.offer_id] == replace(offer, ended_ms=offer.ring_start_ms, partial=True, marks=("interrupted",))
    assert stored(database, type(leg)) == [
        replace(leg, ended_ms=leg.ring_start_ms, end=LegEnd.UNKNOWN, partial=True, marks=("odd", "interrupted"))
    ]
    last_ms = max(last_ms, DAY.offers[1].began_ms)
    assert stored(database, AgentInterval) == [replace(lasting, ended_ms=last_ms, partial=True)]


def test_the_stays_that_a_dead_daemon_left_open_go_on(database: Path) -> None:
    answered = next(s for s in DAY.stays if s.outcome is Outcome.ANSWERED)
    one, other, over = [s for s in DAY.stays if s is not answered][:3]
    talking = replace(answered, talk_end_ms=None, talk_ms=None)
    with Store(database, "main") as first:
        for stay in (waiting(one), talking):
            first.save(stay, final=False)
        first.save(over, final=True)
    with Store(database, "other") as elsewhere:
        elsewhere.save(waiting(other), final=False)
    for _ in range(2):
        with Store(database, "main") as later:
            assert later.left_open.of(Stay) == tuple(sorted((waiting(one), talking), key=lambda stay: stay.joined_ms))
    assert set(stored(database, Stay)) == {waiting(one), talking, over, waiting(other)}
    assert len(stored(database, Stay, stays.c.open)) == 3


# -- events in the transaction of their record ------------------------------------------------------------------------


async def test_the_events_of_each_telling_are_saved_with_it(store: Store, database: Path) -> None:
    stay = DAY.stays[0]
    store.save(waiting(stay), final=False, events=[event("a")])
    store.save(stay, final=True, events=[event("b"), event("c")])
    store.save(replace(stay, revision=2), final=False, events=[event("d")])
    assert await store.flush(5)
    assert waiting_events(database) == ["a", "b", "c", "d"]
    assert stored(database, Stay) == [stay]


async def test_neither_is_written_while_the_database_refuses(database: Path) -> None:
    with Store(database, "main", busy_s=0.01, retry_min_s=0.001) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            store.save(ended(live_call("a")), final=True, events=[event("a")])
            assert not await store.flush(20)
            other.execute("ROLLBACK")
        while not await store.flush(1):
            pass
    assert waiting_events(database) == ["a"]


async def test_confirmed_events_are_deleted_one_by_one_or_up_to_one(store: Store, database: Path) -> None:
    for name in "abcde":
        store.save(live_call(name), final=False, events=[event(name)])
        assert await store.flush(5)
    store.delete_event(EventNumber(0, 4))
    store.delete_events_upto("mqtt", EventNumber(0, 2))
    store.delete_events_upto("mqtt", EventNumber(0, 1))
    assert await store.flush(5)
    assert waiting_events(database) == ["c", "e"]


def test_a_batch_put_back_keeps_the_newest_telling_and_the_events_of_both() -> None:
    backlog = Backlog(100)
    stay = DAY.stays[0]
    backlog.add_record(pending(waiting(stay), False, event("a")))
    backlog.add_confirmed_upto("mqtt", EventNumber(0, 7))
    batch: Batch = backlog.take(100)
    assert len(backlog) == 0
    backlog.add_record(pending(stay, True, event("b")))
    backlog.put_back(batch)
    assert len(backlog) == 3
    (together,) = backlog.take(100).ended
    assert (together.record, [one.event_id for one in together.events]) == (stay, ["a", "b"])
