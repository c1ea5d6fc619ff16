"""Calls that a dead daemon left open are ended at its next start; kill -9 loses nothing that was flushed."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.left_open import LeftOpen, left_open
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.screening.states import Result
from callflow.publishing.recording import Recording
from callflow.records import KINDS
from tests.store.samples import T0, ended, live_call, tell_whole_call

HEAVY_LOAD = """
import asyncio, sys
from pathlib import Path
from callflow.adapters.store.store import Store
from callflow.core.call_record import TimelineEntry, Kind
from tests.store.samples import T0, ended, live_call

async def call(store, number):
    name = f"call-{number:06}"
    record = live_call(name, T0 + number)
    store.add_to_timeline(name, TimelineEntry(1, T0 + number, Kind.ARRIVED))
    store.save(record, final=False)
    print(f"begun {name}", flush=True)
    for seq in range(2, 11):
        await asyncio.sleep(0)
        store.add_to_timeline(name, TimelineEntry(seq, T0 + number + seq, Kind.SAID, "greeting"))
    store.save(ended(record), final=True)
    if await store.flush(60):
        print(f"ended {name}", flush=True)

async def main():
    store = Store(Path(sys.argv[1]), "main")
    store.open()
    for first in range(0, 1_000_000, 20):
        await asyncio.gather(*(call(store, first + n) for n in range(20)))

asyncio.run(main())
"""


def restarted(database: Path) -> LeftOpen:
    """What the daemon's next start finds left open, once it has been saved."""
    with closing(Store(database, "main")) as store:
        return Recording(store).open()


def test_calls_left_open_are_ended_as_interrupted(database: Path) -> None:
    with Store(database, "main") as first:
        first.save(live_call("told"), final=False)
        first.add_to_timeline("told", TimelineEntry(1, T0 + 700, Kind.SAID, "greeting"))
        first.add_to_timeline("told", TimelineEntry(2, T0 + 500, Kind.CLICK, "60 ms"))
        first.save(live_call("untold"), final=False)
        tell_whole_call(first, "complete")
    with Store(database, "other") as other:
        other.save(live_call("elsewhere"), final=False)
        assert restarted(database).calls == 2
    assert restarted(database).calls == 0
    with Reader(database) as reader:
        told, untold = reader.find("told"), reader.find("untold")
        for call in (told, untold):
            assert call.interrupted
            assert call.record.partial
            assert call.record.result is Result.UNAVAILABLE
        assert told.record.ended_ms == T0 + 700
        assert untold.record.ended_ms == T0
        assert not reader.find("complete").interrupted
        assert reader.find("elsewhere").record.ended_ms is None


def test_the_true_end_of_a_call_outweighs_its_interruption(database: Path) -> None:
    with Store(database, "main") as first:
        first.save(live_call("a"), final=False)
    with Store(database, "main") as second:
        second.save(ended(live_call("a")), final=True)
    with Reader(database) as reader:
        assert not reader.find("a").interrupted
        assert reader.find("a").record.result is Result.SPOKE


def test_a_record_that_cannot_be_read_does_not_keep_the_daemon_from_starting(database: Path) -> None:
    with Store(database, "main") as store:
        for name in ("strange", "plain"):
            store.save(live_call(name), final=False)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE calls SET mode = 'of a later version' WHERE call_id = 'strange'")
    assert restarted(database).calls == 1


def test_what_was_left_open_is_found_by_its_indexes(database: Path) -> None:
    """A start must not read ten million records."""
    Store(database, "main").__enter__().close()
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = writing_engine(database, 1.0)
    with engine.begin() as connection:
        sa.event.listen(
            connection, "before_cursor_execute", lambda _c, _k, words, values, *_: asked.append((words, values))
        )
        left_open(connection, KINDS, "main")
    with engine.connect() as connection:
        for words, values in asked:
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values)]
            if " ORDER BY " in words and "LIMIT" not in words:
                assert "_open (node=?)" in plan[0]
                assert not [step for step in plan if step.startswith("SCAN")]
    assert len(asked) == 1 + len(list(KINDS))


def test_kill_9_under_load_loses_no_flushed_call_and_leaves_none_open(database: Path) -> None:
    begun, flushed = _killed_under_load(database, after=300)
    assert len(flushed) >= 300
    interrupted = restarted(database).calls
    with Reader(database) as reader:
        calls = {call.record.call_id: call for call in reader.stream()}
        assert reader.count() == len(calls)
        assert flushed <= set(calls) <= begun
        for call in calls.values():
            assert call.record.ended_ms is not None
            assert call.record.result is (Result.UNAVAILABLE if call.interrupted else Result.SPOKE)
        assert sum(call.interrupted for call in calls.values()) == interrupted
        for name in flushed:
            assert not calls[name].interrupted
            assert [entry.seq for entry in reader.happenings(calls[name])] == list(range(1, 11))


def _killed_under_load(database: Path, after: int) -> tuple[set[str], set[str]]:
    """Ids of the calls that the killed process had begun, and of those it knew to be on the disk."""
    root = Path(__file__).parents[2]
    load = subprocess.Popen(
        [sys.executable, "-c", HEAVY_LOAD, str(database)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    said: dict[str, set[str]] = {"begun": set(), "ended": set()}
    assert load.stdout is not None
    for line in load.stdout:
        if not line.endswith("\n"):
            break
        what, name = line.split()
        said[what].add(name)
        if len(said["ended"]) == after:
            load.send_signal(signal.SIGKILL)
    assert load.wait() == -signal.SIGKILL
    return said["begun"], said["ended"]
