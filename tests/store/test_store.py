"""What is told to a store is in its database, once."""

import asyncio
import fcntl
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.adapters.store.backlog import EARLY_ROOM
from callflow.adapters.store.locks import beside, is_held
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.errors import StoreError
from tests.conftest import At
from tests.store.samples import T0, ended, live_call, silent_story, tell_whole_call


async def test_a_flushed_call_is_read_back_as_it_was(store: Store, database: Path) -> None:
    call = ended(live_call(), Result.SILENT, 20_019)
    for entry in silent_story():
        store.add_to_timeline(call.call_id, entry)
    store.save(call, final=True)
    assert await store.flush(5)
    with Reader(database) as reader:
        found = reader.find(call.call_id)
        assert (found.record, found.node, found.interrupted) == (call, "main", False)
        assert reader.happenings(found) == silent_story()


async def test_every_field_of_a_record_survives(store: Store, database: Path) -> None:
    call = replace(
        ended(live_call(), Result.OBSERVED),
        mode=Mode.OBSERVE,
        would=Result.SILENT,
        heard_at_ms=T0 + 1,
        heard_after_would=True,
        partial=True,
        rung=3,
        caller_name="王小明 \udcff",
    )
    store.save(call, final=True)
    assert await store.flush(5)
    with Reader(database) as reader:
        assert reader.find(call.call_id).record == replace(call, caller_name="王小明 \\udcff")


async def test_telling_everything_twice_changes_nothing(store: Store, database: Path) -> None:
    for _ in range(2):
        tell_whole_call(store, "a")
        assert await store.flush(5)
    with Reader(database) as reader:
        (found,) = reader.page()
        assert found.record.result is Result.SPOKE
        assert [entry.seq for entry in reader.happenings(found)] == [1, 2, 3]


async def test_a_late_record_of_a_lasting_call_does_not_reopen_it(store: Store, database: Path) -> None:
    store.save(ended(live_call("a")), final=True)
    assert await store.flush(5)
    store.save(live_call("a"), final=False)
    assert await store.flush(5)
    with Reader(database) as reader:
        assert reader.find("a").record.ended_ms is not None


async def test_a_happening_told_before_its_call_is_kept_until_the_call_is_saved(store: Store, database: Path) -> None:
    store.add_to_timeline("a", TimelineEntry(1, T0, Kind.ARRIVED))
    assert await store.flush(5)
    assert store.counters().waiting == 1
    store.save(live_call("a"), final=False)
    assert await store.flush(5)
    with Reader(database) as reader:
        assert len(reader.happenings(reader.find("a"))) == 1


async def test_happenings_of_a_call_saved_long_ago_are_written(store: Store, database: Path) -> None:
    store.save(live_call("a"), final=False)
    assert await store.flush(5)
    store.add_to_timeline("a", TimelineEntry(1, T0, Kind.ARRIVED))
    assert await store.flush(5)
    with Reader(database) as reader:
        assert len(reader.happenings(reader.find("a"))) == 1


async def test_happenings_of_calls_never_saved_do_not_pile_up(database: Path) -> None:
    with Store(database, "main") as store:
        for number in range(1500):
            store.add_to_timeline(f"never-{number}", TimelineEntry(1, T0, Kind.ARRIVED))
        assert await store.flush(5)
        assert store.counters().waiting == EARLY_ROOM
        assert store.dropped == 1500 - EARLY_ROOM


async def test_flush_with_nothing_to_write_is_immediate(store: Store) -> None:
    assert await store.flush(0)


async def test_many_flushes_at_once_all_come_back(store: Store, database: Path) -> None:
    async def one(number: int) -> bool:
        tell_whole_call(store, f"call-{number:04}")
        return await store.flush(5)

    assert all(await asyncio.gather(*(one(number) for number in range(500))))
    assert store.counters().commits < 500
    with Reader(database) as reader:
        assert reader.count() == 500


async def test_more_than_fits_a_transaction_is_flushed_all_the_same(store: Store, database: Path) -> None:
    for number in range(1500):
        tell_whole_call(store, f"call-{number:04}", happenings=6)
    assert await store.flush(30)
    assert store.counters().commits >= 5
    with Reader(database) as reader:
        assert reader.summary().by_result == {Result.SPOKE: 1500}
        assert all(len(reader.happenings(call)) == 6 for call in reader.stream())


async def test_a_flush_given_up_leaves_nothing_behind(store: Store) -> None:
    store.save(live_call("a"), final=False)
    task = asyncio.ensure_future(store.flush(5))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.flush(5)


def test_close_writes_what_is_left(at: At, database: Path) -> None:
    store = Store(database, "main")
    store.open()
    for number in range(100):
        tell_whole_call(store, f"call-{number}")
    assert store.close()
    with Reader(at(database)) as reader:
        assert reader.count() == 100
        assert reader.summary().by_result == {Result.SPOKE: 100}


def test_two_nodes_may_use_the_same_call_id(at: At, database: Path) -> None:
    with Store(database, "north") as north, Store(database, "south") as south:
        tell_whole_call(north, "a")
        tell_whole_call(south, "a", happenings=5)
    with Reader(at(database)) as reader:
        assert reader.count() == 2
        assert len(reader.happenings(reader.find("a", "north"))) == 3
        assert len(reader.happenings(reader.find("a", "south"))) == 5


def test_a_second_daemon_of_the_same_name_is_refused(store: Store, database: Path) -> None:
    with pytest.raises(StoreError, match="another callflow called 'main' writes") as refused:
        Store(database, "main").open()
    assert "node.name" in refused.value.remedy


def test_a_report_that_looks_whether_the_daemon_runs_keeps_none_from_starting(database: Path) -> None:
    lock = beside(database, "main")
    assert not is_held(lock)
    lock.touch()
    with lock.open() as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        threading.Timer(0.03, looked_at.close).start()
        with Store(database, "main"):
            assert is_held(lock)
    assert not is_held(lock)


def test_the_database_is_not_for_everybody(store: Store, database: Path) -> None:
    assert database.stat().st_mode & 0o007 == 0


def test_every_commit_reaches_the_disk(store: Store, database: Path) -> None:
    connection = store._session._ready(make_anew=False).connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize(
    ("make", "problem", "remedy"),
    [
        (lambda path: None, "folder", "create it"),
        (lambda path: path.parent.mkdir() or path.mkdir(), "cannot be written", "store.path"),
        (
            lambda path: path.parent.mkdir() or path.write_bytes(b"no database " * 500),
            "not a database",
            "move the file",
        ),
    ],
    ids=["no folder", "a folder", "another file"],
)
def test_a_database_that_cannot_be_opened_says_why(
    tmp_path: Path, make: Callable[[Path], object], problem: str, remedy: str
) -> None:
    path = tmp_path / "folder" / "callflow.db"
    make(path)
    store = Store(path, "main")
    with pytest.raises(StoreError, match=problem) as refused:
        store.open()
    assert remedy in refused.value.remedy
    assert store.close()


COUNTING = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute('SELECT count(*) FROM calls').fetchone())"
)


def counted_outside(database: Path) -> int:
    """How many calls another process finds, which opens the database and closes it again."""
    found = subprocess.run([sys.executable, "-c", COUNTING, str(database)], capture_output=True, check=True)
    return int(found.stdout)


async def test_a_reader_outside_who_leaves_takes_nothing_away(database: Path) -> None:
    with Store(database, "main") as store, Reader(database) as reader:
        for number in range(1, 4):
            reader.count()
            store.save(ended(live_call(f"1.{number}")), final=True)
            assert await store.flush(5)
            assert counted_outside(database) == number
    assert counted_outside(database) == 3
