"""What release 0.1 left behind works with this release: its database, its settings file, its consumers of MQTT.

The migrations are followed as a chain, so that a new one is tested as soon as it is there.
"""

import json
import re
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import tomli_w
from alembic.config import Config
from alembic.script import ScriptDirectory
from pydantic import SecretStr, TypeAdapter

from callflow.adapters.store.copying import check
from callflow.adapters.store.migrate import FIRST, MIGRATIONS, bring_to_head, take_back
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import HEAD
from callflow.adapters.store.store import Store
from callflow.records.calls import calls
from callflow.settings.model import load_settings
from tests.install.systems import callflow
from tests.store.samples import tell_whole_call

RELEASE = Path(__file__).parent / "release-0.1"
ITS_VERSION = "0005"
SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
OWN = ("alembic_version", "sqlite_sequence")

Tables = dict[str, list[dict[str, Any]]]


def chain() -> list[str]:
    """Every version, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def content(database: Path) -> Tables:
    """Every row of every table, in the order of the key."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")]
            for name in names
            if name not in OWN
        }


def shape(database: Path) -> dict[str, Any]:
    """Columns and indexes of every table."""
    inspector = sa.inspect(sa.create_engine(f"sqlite:///{database}"))
    return {
        table: (
            sorted(
                (column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)
            ),
            sorted((str(index["name"]), tuple(index["column_names"])) for index in inspector.get_indexes(table)),
        )
        for table in inspector.get_table_names()
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The database that release 0.1 left."""
    path = tmp_path / "callflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((RELEASE / "callflow.sql").read_text())
    assert check(path) == ITS_VERSION
    return path


def kept(before: Tables, after: Tables) -> Iterator[str]:
    """Values of `before` that are not in `after`, as sentences."""
    for table, rows in before.items():
        for number, row in enumerate(rows):
            now = after[table][number] if number < len(after.get(table, ())) else {}
            yield from (
                f"{table} {number}: {name} was {value!r}" for name, value in row.items() if now.get(name) != value
            )


def test_its_database_is_upgraded_and_loses_nothing(old: Path) -> None:
    before = content(old)
    bring_to_head(old)
    assert check(old) == HEAD
    assert list(kept(before, content(old))) == []


def test_the_daemon_takes_its_database_up_and_goes_on(old: Path) -> None:
    with Store(old, "main") as store:
        assert [call.call_id for call in store.left_open.ended] == ["1769864799.9"], "a call that was in progress"
        tell_whole_call(store, "new")
    with Reader(old) as reader:
        assert reader.count() == len(content(old)["calls"]) == 12


def test_reports_and_lists_read_what_it_stored(old: Path, tmp_path: Path) -> None:
    config = tmp_path / "callflow.toml"
    config.write_text(tomli_w.dumps({"store": {"path": str(old)}}))
    bring_to_head(old)
    for words in (("calls",), ("calls", "export"), ("report", "2026-01-31"), ("report", "2026-01-31", "--by", "agent")):
        code, output = callflow("--config", config, *words)
        assert code == 0, output


@pytest.mark.parametrize(("before", "after"), list(zip(chain(), chain()[1:], strict=False)))
def test_each_version_can_be_taken_back(tmp_path: Path, before: str, after: str) -> None:
    """Down by one makes exactly the tables that were there before up."""
    path = tmp_path / "callflow.db"
    bring_to_head(path, target=before)
    made = shape(path)
    bring_to_head(path, target=after)
    assert shape(path) != made
    assert take_back(path) == before
    assert shape(path) == made


def test_taken_back_to_0_1_the_database_is_as_0_1_left_it(old: Path) -> None:
    before = content(old)
    bring_to_head(old)
    for _ in chain()[chain().index(ITS_VERSION) + 1 :]:
        take_back(old)
    assert check(old) == ITS_VERSION
    assert content(old) == before


def test_the_command_makes_a_backup_and_takes_back_one_version(old: Path, tmp_path: Path) -> None:
    config = tmp_path / "callflow.toml"
    config.write_text(tomli_w.dumps({"store": {"path": str(old)}}))
    bring_to_head(old)
    with Store(old, "main"):
        code, output = callflow("--config", config, "downgrade")
        assert code == 2, "a daemon runs"
    assert check(old) == HEAD
    code, output = callflow("--config", config, "downgrade")
    assert code == 0, output
    assert check(old) == chain()[-2]
    (backup,) = tmp_path.glob("callflow.db.before-*")
    assert check(backup) == HEAD


def test_there_is_nothing_before_the_first_version(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    bring_to_head(path, target=FIRST)
    with pytest.raises(Exception, match="no earlier version"):
        take_back(path)
    assert "calls" in content(path)


def test_its_settings_file_is_valid_and_means_the_same(tmp_path: Path) -> None:
    """Every setting of 0.1 is in the file: lists and the rungs of ladders too, and here its secrets are set."""
    text = (RELEASE / "callflow.toml").read_text()
    filled = re.sub(r'^(secret|token|password|key) = ""', r'\1 = "a-\1-of-0.1"', text, flags=re.MULTILINE)
    file = tmp_path / "callflow.toml"
    file.write_text(filled)
    settings, leaves = load_settings(file), dict(_leaves(tomllib.loads(filled)))
    assert [name for name, value in leaves.items() if _at(settings, name) != value] == []
    assert sum(name[-1] in ("secret", "token", "password", "key") for name in leaves) == 4
    assert sum(isinstance(value, list) for value in leaves.values()) >= 2
    assert sum("rungs" in name for name in leaves) >= 14


def _leaves(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value with its path; a list of tables is gone through."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, (*above, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, one in enumerate(value):
            yield from _leaves(one, (*above, number))
    else:
        yield above, value


def _at(settings: Any, name: tuple[str | int, ...]) -> Any:
    """The value in force, as TOML has it."""
    for part in name:
        settings = (
            getattr(settings, part) if isinstance(part, str) and not isinstance(settings, dict) else settings[part]
        )
    if isinstance(settings, SecretStr):
        return settings.get_secret_value()
    return json.loads(TypeAdapter(Any).dump_json(settings))


@pytest.mark.parametrize("name", sorted(path.name for path in (RELEASE / "schemas").glob("*.json")))
def test_its_consumers_of_mqtt_find_what_they_know(name: str) -> None:
    """Every field that a message of 0.1 had is still there, is still required, and has no new type."""
    before = json.loads((RELEASE / "schemas" / name).read_text())
    after = json.loads((SCHEMAS / name).read_text())
    assert list(_narrower(before, after, name)) == []


def _narrower(before: Any, after: Any, where: str) -> Iterator[str]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    yield from (
        f"{where}: {one} need not be there" for one in set(before.get("required", ())) - set(after.get("required", ()))
    )
    for field, was in before.get("properties", {}).items():
        now = after.get("properties", {}).get(field)
        if now is None:
            yield f"{where}: {field} is gone"
            continue
        if "type" in was and _types(now) - _types(was):
            yield f"{where}: {field} may be {_types(now) - _types(was)}"
        yield from _narrower(was, now, f"{where}.{field}")


def _types(schema: dict[str, Any]) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def test_the_table_of_calls_has_its_columns() -> None:
    """SQL that people wrote against 0.1 goes on working."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript((RELEASE / "callflow.sql").read_text())
        columns = [row[1] for row in connection.execute("PRAGMA table_info(calls)")]
    assert set(columns) <= {column.name for column in calls.columns}
