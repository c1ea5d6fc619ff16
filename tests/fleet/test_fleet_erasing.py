"""`callflow forget` reaches the fleet's database too."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.core.fleet.arrival import Arrival
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.records.calls import calls
from tests.fleet.test_moving import tables
from tests.store.samples import ended, live_call


@pytest.mark.parametrize("numbers", ["hash", "plain"])
def test_a_caller_is_erased_in_the_fleets_database_and_others_are_not(fleet: str, tmp_path: Path, numbers: str) -> None:
    database, config = tmp_path / "callflow.db", tmp_path / "callflow.toml"
    config.write_text(
        f'[store]\npath = "{database}"\n[fleet]\ndatabase_url = "{fleet}"\n'
        f'[privacy]\nkey = "k"\nnumbers = "{numbers}"\n'
    )
    with Store(database, "main") as store:
        store.save(ended(live_call("1.1")), final=True)
        store.save(ended(replace(live_call("1.2"), caller_number="5550199999", caller_name="Bob")), final=True)
    names = Pseudonymizer(b"k", PrivacyRules.model_validate({"numbers": numbers}))
    move(database, Postgres(fleet), "", names, lambda done, total: None)
    collector = CollectorDatabase(Postgres(fleet), "all")
    assert collector.open()
    kept = Arrival("callflow/v1/lab/event/call/later", f'{{"caller": "{names.caller("+1-555-0100")}"}}', 1)
    collector.write([kept])
    collector.close()
    forgotten, stays = names.caller("+1-555-0100"), names.caller("5550199999")
    assert str(forgotten) in str(tables(fleet))

    shown = CliRunner().invoke(app, ["--config", str(config), "forget", "+1-555-0100", "--dry-run"])
    assert "fleet" in shown.output
    assert str(forgotten) in str(tables(fleet))

    done = CliRunner().invoke(app, ["--config", str(config), "forget", "+1-555-0100", "--yes"])
    assert done.exit_code == 0, done.output
    with Reader(fleet) as reader:
        left = {(row["call_id"], row["caller_number"]) for row in reader.rows(sa.select(calls))}
        assert reader.rows(sa.text("SELECT * FROM unread_events")) == []
    assert left == {("1.1", ""), ("1.2", stays)}
    assert "Alice" not in str(tables(fleet))
    assert ("Bob" in str(tables(fleet))) == (numbers == "plain")
