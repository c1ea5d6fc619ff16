"""A database that cannot be written to holds nobody up, and what there was room for is written afterwards."""

import asyncio
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.store import database as database_module
from callflow.adapters.store import writer
from callflow.adapters.store.backlog import Backlog, Batch, EventRow, Pending
from callflow.adapters.store.intake import BATCH
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.outbox import Bounds, Outbox, Waiting
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.session import Session
from callflow.adapters.store.store import Store
from callflow.adapters.store.writing import Written
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.publishing.envelope import Envelope
from callflow.core.screening.states import Result
from callflow.errors import StoreError
from callflow.records import KINDS
from tests.store.samples import T0, ended, live_call, tell_whole_call

EVENT = Envelope("topic", "0", "schema", "", T0, 1, {})
often_retrying = partial(Store, retry_min_s=0.001, retry_max_s=0.01)
PAGE_BYTES = 4096


class Disk:
    """Limits the size of every database connected to from now on, as a full disk would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.max_pages = 1_000_000
        connect = database_module.connect

        def connect_to_this_disk(path: Path, busy_s: float) -> sqlite3.Connection:
            connection = connect(path, busy_s)
            connection.execute(f"PRAGMA max_page_count = {self.max_pages}")
            return connection

        monkeypatch.setattr(database_module, "connect", connect_to_this_disk)


def pages_of(database: Path) -> int:
    return database.stat().st_size // PAGE_BYTES


async def _until_written(store: Store) -> None:
    """Wait for the writer's next success; it tries again every few milliseconds."""
    async with asyncio.timeout(20):
        while not await store.flush(1):  # noqa: ASYNC110 - the writer's thread has no event for this
            await asyncio.sleep(0.005)


async def test_a_full_disk_holds_nobody_up_and_is_caught_up_on(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    bring_to_head(database)
    disk.max_pages = pages_of(database) + 10
    loop = asyncio.get_running_loop()
    with structlog.testing.capture_logs() as logs, often_retrying(database, "main", room=2000) as store:
        for number in range(1000):
            tell_whole_call(store, f"call-{number:04}")
        assert not await store.flush(20)
        before = loop.time()
        for number in range(1000, 1500):
            tell_whole_call(store, f"call-{number:04}")
            assert not await store.flush(20)
        assert loop.time() - before < 5
        assert store.failing
        assert store.counters().dropped > 0
        assert store.counters().lost == 0
        disk.max_pages = 1_000_000
        await _until_written(store)
        assert not store.failing
    with Reader(database) as reader:
        assert reader.summary().by_result == {Result.SPOKE: 1500}
    told = [line for line in logs if line["log_level"] != "debug"]
    assert [line["log_level"] for line in told] == ["error", "warning"]
    assert "full" in told[0]["reason"]
    assert "555" not in str(logs)


async def test_ended_calls_are_lost_last_and_counted(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    with often_retrying(database, "main", room=100) as store:
        tell_whole_call(store, "before")
        assert await store.flush(5)
        disk.max_pages = 1
        store._session.close()
        for number in range(300):
            tell_whole_call(store, f"call-{number:04}")
        assert not await store.flush(5) or store.counters().lost
        disk.max_pages = 1_000_000
        await _until_written(store)
        lost = store.counters().lost
    with Reader(database) as reader:
        assert reader.count() == 301 - lost


async def test_a_database_locked_by_another_program_is_waited_for(database: Path) -> None:
    with often_retrying(database, "main", busy_s=0.01) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            tell_whole_call(store, "a")
            async with asyncio.timeout(20):
                assert not await store.flush(3600)
            other.execute("ROLLBACK")
        await _until_written(store)
        assert store.counters().errors >= 1
    with Reader(database) as reader:
        assert reader.count() == 1


async def test_what_the_broker_confirmed_while_the_disk_refused_does_not_wait_for_ever(database: Path) -> None:
    with often_retrying(database, "main", busy_s=0.01, room=100) as store:
        outbox = Outbox(store, database, "main", Bounds(max_events=1000, max_age_ms=72 * 3_600_000), lambda: T0)
        events = [outbox.row(replace(EVENT, event_id=str(number))) for number in range(5)]
        store.save(live_call("with events"), final=False, events=events)
        assert await store.flush(5)
        waiting = await outbox.read(100)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for event in waiting:
                outbox.confirmed(event)
            for number in range(200):
                store.save(live_call(f"call-{number:04}"), final=False)
            assert not await store.flush(20)
            other.execute("ROLLBACK")
        await _until_written(store)
        for _ in range(2):
            await outbox.tidy()
            assert await store.flush(5)
        assert (outbox.depth, outbox.oldest_ms, outbox.sent, outbox.dropped) == (0, None, 5, 0)


async def test_flush_gives_up_in_time_while_the_database_is_locked(database: Path) -> None:
    with Store(database, "main", busy_s=5) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            tell_whole_call(store, "a")
            assert not await store.flush(0.05)
            other.execute("ROLLBACK")
        assert await store.flush(5)


# -- the file has gone ------------------------------------------------------------------------------------------------


def _move(database: Path, name: str) -> None:
    """With the files that belong to it; onto what is there."""
    for ending in ("", "-wal", "-shm"):
        file = database.with_name(database.name + ending)
        if file.exists():
            file.rename(database.with_name(name + ending))


def _is_there(database: Path) -> bool:
    return database.exists()


def _delete(database: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _ids(database: Path) -> list[str]:
    with Reader(database) as reader:
        return sorted(call.record.call_id for call in reader.page())


async def test_a_database_moved_away_is_missed_loudly_and_taken_up_when_it_is_back(database: Path) -> None:
    with structlog.testing.capture_logs() as logs, often_retrying(database, "main") as store:
        tell_whole_call(store, "before")
        assert await store.flush(5)
        _move(database, "old.db")
        for number in range(3):
            tell_whole_call(store, f"meanwhile {number}")
            assert not await store.flush(5)
        assert not _is_there(database), "an empty database would look as if all were well"
        counters = store.counters()
        assert (counters.failing, counters.missing, counters.lost, counters.dropped) == (True, 1, 0, 0)
        _move(database.with_name("old.db"), database.name)
        await _until_written(store)
        tell_whole_call(store, "after")
        assert await store.flush(5)
        assert not store.failing
    assert _ids(database) == ["after", "before", "meanwhile 0", "meanwhile 1", "meanwhile 2"]
    told = [line for line in logs if line["log_level"] != "debug"]
    assert [line["log_level"] for line in told] == ["error", "warning"]
    assert "deleted or moved away" in told[0]["reason"]
    assert "put it back" in told[0]["remedy"]


async def test_a_deleted_database_is_missed_while_there_is_nothing_to_write(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECK_S", 0.01)
    with often_retrying(database, "main") as store:
        _delete(database)
        async with asyncio.timeout(20):
            while not store.failing:  # noqa: ASYNC110 - the writer's thread has no event for this
                await asyncio.sleep(0.005)
        assert store.counters().missing == 1
        assert not _is_there(database)


async def test_what_is_in_memory_when_the_daemon_ends_is_saved_in_a_new_database(database: Path) -> None:
    with often_retrying(database, "main") as store:
        tell_whole_call(store, "before")
        assert await store.flush(5)
        _delete(database)
        tell_whole_call(store, "meanwhile")
        assert not await store.flush(5)
    assert _ids(database) == ["meanwhile"]


async def test_a_backup_put_in_place_is_used_with_a_warning(database: Path) -> None:
    backup = database.with_name("backup.db")
    with Store(backup, "main") as other:
        tell_whole_call(other, "backed up")
    with structlog.testing.capture_logs() as logs, often_retrying(database, "main") as store:
        tell_whole_call(store, "before")
        assert await store.flush(5)
        _delete(database)
        _move(backup, database.name)
        tell_whole_call(store, "after")
        await _until_written(store)
    assert _ids(database) == ["after", "backed up"]
    assert [line["event"] for line in logs if line["log_level"] == "warning"]


@pytest.mark.parametrize("awaits_collector", [False, True], ids=["broker", "collector"])
@pytest.mark.parametrize("replaced", [False, True], ids=["gone", "replaced"])
async def test_no_event_of_a_new_file_is_deleted_for_one_of_the_old(
    database: Path, awaits_collector: bool, replaced: bool
) -> None:
    """Both files count their events from 1: what was confirmed of the one says nothing of the other."""
    bounds = Bounds(max_events=1000, max_age_ms=72 * 3_600_000)

    def save(name: str) -> None:
        events = [box.row(replace(EVENT, event_id=name)) for box in (outbox, hook)]
        store.save(ended(live_call(name)), final=True, events=events)

    store = often_retrying(database, "main")
    store.open()
    outbox = Outbox(store, database, "main", bounds, lambda: T0, awaits_collector=awaits_collector)
    hook = Outbox(store, database, "main", bounds, lambda: T0, "webhook:a")
    for number in range(5):
        save(f"before {number}")
    assert await store.flush(60)
    waiting, to_post = await outbox.read(100), await hook.read(100)
    if awaits_collector:
        outbox.stored(waiting[0].stream, waiting[0].seq)
        assert await store.flush(60)
    _delete(database)
    _confirm(outbox, waiting, awaits_collector)
    hook.confirmed(to_post[0])
    hook.refuse(to_post[1], "status 410")
    for number in range(5):
        save(f"after {number}")
    assert not await store.flush(5)
    with suppress(StoreError):
        await outbox.tidy()
    if replaced:
        Store(database.with_name("other.db"), "main").__enter__().close()
        _move(database.with_name("other.db"), database.name)
        await _until_written(store)
        _confirm(outbox, waiting, awaits_collector)  # told late: the file is another one already
        await outbox.tidy()
        hook.confirmed(to_post[2])
        hook.refuse(to_post[3], "status 410")
        await outbox.tidy()
        _confirm(outbox, waiting, awaits_collector)
        assert await store.flush(60)
    assert store.close(60)
    with closing(sqlite3.connect(database)) as connection:
        kept = list(
            connection.execute("SELECT destination, event_id FROM outbox WHERE refused_ms IS NULL ORDER BY 1, 2")
        )
    assert kept == [(to, f"after {number}") for to in ("mqtt", "webhook:a") for number in range(5)]


def test_another_file_with_the_same_inode_is_another_file(database: Path) -> None:
    """ext4 gives a new file the inode of the one just deleted, and a failure has ended the connection."""
    session = Session(database, "main", KINDS, busy_s=0.01)
    session.open()
    content, batch = database.read_bytes(), Batch(live=(Pending(("calls", "a"), live_call("a"), final=False),))
    session.write(batch)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sa.exc.OperationalError):
            session.write(batch)
    _delete(database)
    database.write_bytes(content)
    session.write(Batch())
    session.close()
    assert session.file_number == 1


def _confirm(outbox: Outbox, events: list[Waiting], by_collector: bool) -> None:
    if by_collector:
        outbox.stored(events[-1].stream, events[-1].seq)
    else:
        for event in events:
            outbox.confirmed(event)


def test_retention_makes_no_database_where_there_is_none(database: Path) -> None:
    with pytest.raises(sa.exc.OperationalError), database_module.writing_engine(database, 0.1).connect():
        pass
    assert not database.exists()


async def test_a_row_that_does_not_fit_is_left_out_and_the_rest_written(store: Store, database: Path) -> None:
    tell_whole_call(store, "a")
    store.save(live_call("bad", arrived_ms=2**70), final=False)
    store.add_to_timeline("a", TimelineEntry(9, 2**70, Kind.CLICK))
    tell_whole_call(store, "b")
    assert await store.flush(5)
    assert store.counters().rejected == 2
    with Reader(database) as reader:
        assert {call.record.call_id for call in reader.page()} == {"a", "b"}


async def test_a_record_with_a_value_of_another_type_does_not_hold_up_the_rest(store: Store, database: Path) -> None:
    tell_whole_call(store, "a")
    store.save(replace(live_call("bad"), mode="act"), final=False)  # type: ignore[arg-type]
    store.add_to_timeline("a", TimelineEntry(9, T0, "no kind"))  # type: ignore[arg-type]
    tell_whole_call(store, "b")
    assert await store.flush(5)
    assert store.counters().rejected == 2
    assert _ids(database) == ["a", "b"]


def test_no_error_carries_the_values_it_was_about(database: Path) -> None:
    statement = sa.text("INSERT INTO nowhere VALUES (:number)")
    database.touch()
    engine = database_module.writing_engine(database, busy_s=1)
    with engine.begin() as connection, pytest.raises(sa.exc.OperationalError) as refused:
        connection.execute(statement, {"number": "+1-555-0100"})
    assert "555" not in str(refused.value)


def test_a_close_that_cannot_write_says_so(database: Path) -> None:
    store = Store(database, "main", busy_s=0.01)
    store.open()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        tell_whole_call(store, "a")
        assert not store.close()


_ADDED = st.lists(st.tuples(st.sampled_from(["live", "final", "told", "fail"]), st.integers(0, 5)), max_size=60)


@given(added=_ADDED, room=st.integers(1, 12))
def test_a_backlog_keeps_within_its_room_and_counts_what_it_gives_up(added: list[tuple[str, int]], room: int) -> None:
    backlog = Backlog(room)
    finals: set[str] = set()
    told = 0
    for what, number in added:
        name = str(number)
        if what == "live":
            backlog.add_record(Pending(("calls", name), live_call(name), final=False))
        elif what == "final":
            backlog.add_record(Pending(("calls", name), ended(live_call(name)), final=True))
            finals.add(name)
        elif what == "told":
            told += 1
            backlog.add_entry(name, TimelineEntry(told, T0, Kind.SAID))
        else:
            backlog.put_back(backlog.take(number + 1))
        assert len(backlog) <= room
    batch = backlog.take(room)
    assert len(backlog) == 0
    assert batch.upto == backlog.added
    kept = {pending.key[1] for pending in batch.ended}
    assert len(kept) == len(batch.ended)
    assert not kept & {pending.key[1] for pending in batch.live}
    assert kept <= finals
    assert len(finals - kept) <= backlog.lost
    assert told - len(batch.timeline) <= backlog.dropped
    seqs = [entry.seq for _, entry in batch.timeline]
    assert seqs == sorted(seqs)
    if backlog.lost == 0:
        assert kept == finals


def test_a_long_backlog_leaves_the_loop_half_of_the_time(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    takes_s, events = 0.08, 9
    written: list[tuple[float, float, int]] = []

    def write(_session: Session, batch: Batch, *, last_chance: bool = False) -> Written:
        began = time.monotonic()
        time.sleep(takes_s)
        records = (*batch.live, *batch.ended)
        if records or batch.timeline:
            size = len(records) + sum(len(record.events) for record in records) + len(batch.timeline)
            written.append((began, time.monotonic(), size))
        return Written()

    monkeypatch.setattr(Session, "write", write)
    store = Store(database, "main")
    for number in range(BATCH // 4):
        name = str(number)
        told = tuple(EventRow(f"{name}-{event}", 1, "topic", "{}", T0, "mqtt") for event in range(events))
        store.save(live_call(name), final=False, events=told)
        for happened in range(4):
            store.add_to_timeline(name, TimelineEntry(happened, T0, Kind.SAID))
    store.open()
    while store.counters().waiting:
        time.sleep(0.01)
    rests = [after[0] - before[1] for before, after in pairwise(written)]
    assert len(rests) >= 2
    assert min(rests) >= takes_s
    assert max(size for _, _, size in written) <= BATCH + events
    store.close()


async def test_entries_without_their_call_hold_up_nothing_else(database: Path) -> None:
    with Store(database, "main") as store:
        for number in range(4 * BATCH):
            store.add_to_timeline("never saved", TimelineEntry(number, T0, Kind.SAID))
        store.save(live_call("1"), final=False)
        store.add_to_timeline("1", TimelineEntry(0, T0, Kind.SAID))
        await _until_written(store)
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("SELECT call_id FROM happenings").fetchall() == [("1",)]
