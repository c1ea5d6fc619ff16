"""`callflow delete-days`: old days go from the fleet's database, newer ones stay, and reports agree."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.fleet.rows import day_of
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.service.grouping import DAY_MS
from tests.fleet.test_moving import tables
from tests.store.hours import count_all
from tests.store.samples import T0, ended, live_call, silent_story

OLD_MS, FIRST_DAY = T0 - 2 * DAY_MS, "2026-01-31"


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


def run(url: str, *words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120", "CALLFLOW_CONFIG": ""}).invoke(app, ["delete-days", "--db", url, *words])


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


@pytest.mark.parametrize("text", ["yesterday", "2026-13-41", "31.1.2026"])
def test_what_is_no_day_is_told_with_an_example(text: str) -> None:
    refused = run("postgresql:///nowhere", text, "--yes")
    assert refused.exit_code == 2
    assert "is not a day: write 2025-01-01" in refused.output


def test_nothing_is_deleted_unless_somebody_agrees(filled: str) -> None:
    refused = run(filled, FIRST_DAY)
    assert refused.exit_code != 0
    assert len(asked(filled, "SELECT call_id FROM calls")) == 2
