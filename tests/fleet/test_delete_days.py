"""`callflow delete-days`: old days go from the fleet's database, newer ones stay, and reports agree."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callflow.adapters.store.fleet.aging import delete_before
from callflow.adapters.store.fleet.counting import FleetHours
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.fleet.rows import day_of
from callflow.adapters.store.hourly import CALLS, count_hour
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import AgentInterval, AgentWork
from callflow.core.service.grouping import DAY_MS, HOUR_MS
from tests.fleet.test_days_made_together import WAITING
from tests.fleet.test_moving import tables
from tests.store.hours import count_all
from tests.store.samples import T0, ended, live_call, silent_story

OLD_MS, FIRST_DAY = T0 - 2 * DAY_MS, "2026-01-31"
START_MS = T0 // DAY_MS * DAY_MS


@pytest.fixture
def filled(fleet: str, tmp_path: Path) -> str:
    """A call of 29 January, and one of 31 January, each with its timeline."""
    with Store(tmp_path / "callflow.db", "main") as store:
        for call_id, at_ms in (("old", OLD_MS), ("new", T0)):
            store.save(ended(replace(live_call(call_id), arrived_ms=at_ms)), final=True)
            for entry in silent_story(at_ms):
                store.add_to_timeline(call_id, entry)
    move(tmp_path / "callflow.db", Postgres(fleet), "", Pseudonymizer(b"k"), lambda done, total: None)
    count_all(fleet, T0 + DAY_MS)
    return fleet


def invoke(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120", "CALLFLOW_CONFIG": ""}).invoke(app, words)


def run(url: str, *words: str) -> Result:
    return invoke("delete-days", "--db", url, *words)


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    with Postgres(url).engine().connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def test_days_before_a_date_go_with_their_partitions_and_marks(filled: str) -> None:
    before = tables(filled)
    shown = run(filled, FIRST_DAY, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "1 rows of calls" in shown.output
    assert tables(filled) == before

    done = run(filled, FIRST_DAY, "--yes")
    assert done.exit_code == 0, done.output
    assert asked(filled, "SELECT DISTINCT call_id FROM calls") == [("new",)]
    assert asked(filled, "SELECT DISTINCT call_id FROM happenings") == [("new",)]
    kept = [day_of(name) for (name,) in asked(filled, "SELECT relname FROM pg_class WHERE relname ~ '^calls_2'")]
    assert min(day for day in kept if day is not None) == T0 // DAY_MS
    marks = asked(filled, "SELECT min(at_ms) FROM counted_hours")
    assert marks[0][0] is None or marks[0][0] >= T0 // DAY_MS * DAY_MS
    assert "nothing is older" in run(filled, FIRST_DAY, "--yes").output


def test_a_report_says_that_records_were_deleted(filled: str) -> None:
    report = ["report", "--from", "2026-01-28", "--to", "2026-02-02", "--zone", "UTC", "--db", filled]
    assert "deleted" not in invoke(*report).output
    assert run(filled, FIRST_DAY, "--yes").exit_code == 0
    assert "records from before 2026-01-31 00:00:00 UTC have been deleted" in invoke(*report).output
    assert run(filled, "2026-01-30", "--yes").exit_code == 0
    with Reader(filled) as reader:
        assert [reader.deleted_before(what) for what in ("records", "details")] == [START_MS, START_MS]


def test_an_interval_that_reaches_into_a_day_that_stays_is_kept(fleet: str, tmp_path: Path) -> None:
    with Store(tmp_path / "callflow.db", "main") as store:
        for began_h, ended_h in ((-3, -2), (-2, 6), (6, 9)):
            began_ms, ended_ms = START_MS + began_h * HOUR_MS, START_MS + ended_h * HOUR_MS
            store.save(AgentInterval("8012", began_ms, ended_ms, AgentWork.PAUSED), final=True)
        store.save(AgentInterval("8013", START_MS - 1, None, AgentWork.AVAILABLE), final=False)
    move(tmp_path / "callflow.db", Postgres(fleet), "", Pseudonymizer(b"k"), lambda done, total: None)
    assert "1 rows were deleted" in run(fleet, FIRST_DAY, "--yes").output
    left = asked(fleet, "SELECT agent, ended_ms FROM spells ORDER BY agent, began_ms")
    assert left == [("8012", START_MS + 6 * HOUR_MS), ("8012", START_MS + 9 * HOUR_MS), ("8013", None)]


def test_an_hour_that_is_counted_meanwhile_leaves_no_counts(filled: str) -> None:
    hour_ms = OLD_MS // HOUR_MS * HOUR_MS
    counting = Postgres(filled).writing_engine().connect()
    transaction = counting.begin()
    FleetHours().hold(counting, CALLS, hour_ms)
    count_hour(counting, CALLS, hour_ms)
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(delete_before, Postgres(filled), T0 // DAY_MS)
        while asked(filled, WAITING) == [(0,)]:
            sleep(0.01)
        transaction.commit()
        assert deleting.result(20)["calls"] == 1
    counting.close()
    for name in ("counted_hours", "hourly_calls", "hourly_stays", "hourly_offers", "hourly_ratings"):
        assert asked(filled, f"SELECT count(*) FROM {name} WHERE at_ms < {START_MS}") == [(0,)]
    assert asked(filled, "SELECT sum(n) FROM hourly_calls") == [(1,)]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-41", "31.1.2026"])
def test_what_is_no_day_is_told_with_an_example(text: str) -> None:
    refused = run("postgresql:///nowhere", text, "--yes")
    assert refused.exit_code == 2
    assert "is not a day: write 2025-01-01" in refused.output


def test_nothing_is_deleted_unless_somebody_agrees(filled: str) -> None:
    refused = run(filled, FIRST_DAY)
    assert refused.exit_code != 0
    assert len(asked(filled, "SELECT call_id FROM calls")) == 2
