"""The schema comes from migrations alone, whoever opens the database first."""

import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from callflow.adapters.store import database as database_module
from callflow.adapters.store import migrate
from callflow.adapters.store.locks import beside, held
from callflow.adapters.store.migrate import MIGRATIONS, bring_to_head
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.schema import HEAD
from callflow.adapters.store.store import Store
from callflow.errors import StoreError
from callflow.records.kind import metadata
from tests.store.samples import open_and_write, tell_whole_call


def test_the_migrations_make_exactly_the_schema(database: Path) -> None:
    bring_to_head(database)
    with sa.create_engine(f"sqlite:///{database}").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_at_0001_with_calls_is_brought_to_head(database: Path) -> None:
    bring_to_head(database, target="0001")
    with Store(database, "main") as store:
        tell_whole_call(store, "a")
    bring_to_head(database)
    with Reader(database) as reader:
        assert reader.count() == 1


def test_a_disk_that_fills_during_a_migration_leaves_the_database_as_it_was(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = "0002"
    bring_to_head(database, target=first)
    before, connect = _schema(database), database_module.connect

    def connect_to_full_disk(path: Path, busy_s: float) -> sqlite3.Connection:
        connection = connect(path, busy_s)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(database_module, "connect", connect_to_full_disk)
        with pytest.raises(StoreError, match="full") as refused:
            bring_to_head(database)
        assert "make room" in refused.value.remedy
    assert _schema(database) == before
    bring_to_head(database)
    with Reader(database) as reader:
        assert reader.count() == 0


def test_a_newer_database_is_refused_and_left_alone(database: Path) -> None:
    bring_to_head(database)
    _set_version(database, "0999")
    before = database.read_bytes()
    for opened in (Store(database, "main").open, lambda: Reader(database)):
        with pytest.raises(StoreError, match="newer callflow") as refused:
            opened()
        assert "install" in refused.value.remedy
    assert database.read_bytes() == before


def test_a_reader_does_not_read_an_older_database(database: Path) -> None:
    bring_to_head(database)
    _set_version(database, "0000")
    with pytest.raises(StoreError, match="older callflow") as refused:
        Reader(database)
    assert "start the daemon" in refused.value.remedy


def test_a_database_of_another_program_is_refused_whole(database: Path) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("CREATE TABLE calls (id INTEGER)")
    with pytest.raises(StoreError, match="already exists"):
        bring_to_head(database)
    with closing(sqlite3.connect(database)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("calls",)]


def test_a_lock_held_for_too_long_is_reported(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_WAIT_S", 0.0)
    with held(beside(database, "migration"), 0), pytest.raises(StoreError, match="locked"):
        bring_to_head(database)


def test_processes_that_open_a_new_database_at_once_all_succeed(database: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(3)
    nodes = ["north", "east", "south"]
    processes = [spawn.Process(target=open_and_write, args=(database, node, barrier)) for node in nodes]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 3
    with Reader(database) as reader:
        assert reader.count() == 60
        assert reader.summary().live == 0


def _set_version(database: Path, version: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _schema(database: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(database)) as opened:
        version = opened.execute("SELECT version_num FROM alembic_version").fetchall()
        return version + opened.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
