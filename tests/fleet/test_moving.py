"""`callflow migrate-store`: a copy of a node's records in the fleet's database, made again without harm."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from callflow.adapters.store.fleet import moving
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.records.calls import calls
from callflow.records.collected import COLLECTED
from tests.store.plausible_day import plausible_day
from tests.store.samples import silent_story

NAMES = Pseudonymizer(b"key")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A node's database."""
    path = tmp_path / "callflow.db"
    with Store(path, "main") as store:
        for record in plausible_day(calls=30):
            store.save(record, final=True)
    return path


def tables(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of every collected kind."""
    with Postgres(url).writing_engine().connect() as connection:
        return {
            kind.table.name: {tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {kind.table.name}")}
            for kind in COLLECTED.values()
        }


def test_numbers_are_hidden_as_in_events(fleet: str, database: Path) -> None:
    with Reader(database) as reader:
        numbers = {row["caller_number"] for row in reader.rows(sa.select(calls.c.caller_number))}
    move(database, Postgres(fleet), "", NAMES, lambda done, total: None)
    with Reader(fleet) as reader:
        hashed = {row["caller_number"] for row in reader.rows(sa.select(calls.c.caller_number))}
    assert hashed == {NAMES.caller(number) for number in numbers}
    text = str(tables(fleet))
    assert not any(number in text for number in numbers)


def test_a_copy_that_ended_early_is_made_again(fleet: str, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PAGE", 20)

    def stop_half_way(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(database, Postgres(fleet), "", NAMES, stop_half_way)
    half = tables(fleet)
    told: list[tuple[int, int]] = []
    number = move(database, Postgres(fleet), "", NAMES, lambda done, total: told.append((done, total)))
    whole = tables(fleet)
    assert sum(map(len, half.values())) < sum(map(len, whole.values())) == number
    assert told[-1] == (number, number)
    assert all(half[name] <= whole[name] for name in whole)
    move(database, Postgres(fleet), "", NAMES, lambda done, total: None)
    assert tables(fleet) == whole


def test_the_command_names_no_password_and_says_how_much_it_moved(fleet: str, database: Path) -> None:
    with Store(database, "main") as store:
        call = plausible_day(calls=30).calls[0]
        for entry in silent_story(call.arrived_ms):
            store.add_to_timeline(call.call_id, entry)
    url = fleet.replace("callflow@", "callflow:s3cret@")
    done = CliRunner(env={"CALLFLOW_CONFIG": ""}).invoke(app, ["migrate-store", url, "--db", str(database)])
    assert done.exit_code == 0, done.output
    assert "rows are in postgresql://callflow:***@" in done.stdout
    with Reader(fleet) as reader:
        (found,) = (call for call in reader.stream() if reader.happenings(call))
        assert len(reader.happenings(found)) == len(silent_story())


def test_without_a_database_of_a_fleet_it_says_what_to_set(database: Path) -> None:
    done = CliRunner(env={"CALLFLOW_CONFIG": ""}).invoke(app, ["migrate-store", "--db", str(database)])
    assert "database_url" in str(done.exception)
