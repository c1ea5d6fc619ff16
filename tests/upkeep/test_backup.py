"""Backups made while a daemon writes, and restored while none does."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from callflow.adapters.store.copying import PARTS, back_up
from callflow.adapters.store.schema import HEAD
from callflow.adapters.store.store import Store
from callflow.errors import StoreError
from tests.store.samples import tell_whole_call
from tests.upkeep.conftest import Site


def calls_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])


def test_a_backup_during_writing_is_one_state_of_the_database(tmp_path: Path) -> None:
    """Every transaction adds to both tables alike; thousands of pages are copied meanwhile."""
    source, stop, wrote = tmp_path / "source.db", threading.Event(), threading.Event()
    with closing(sqlite3.connect(source, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript("CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('0001')")
        made.executescript("CREATE TABLE a (x BLOB); CREATE TABLE b (x BLOB)")
        made.executescript("INSERT INTO a VALUES (zeroblob(20000000)); INSERT INTO b VALUES (zeroblob(20000000))")

    def write() -> None:
        with closing(sqlite3.connect(source, isolation_level=None, timeout=30)) as writing:
            while not stop.is_set():
                writing.executescript("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT")
                wrote.set()

    writer = threading.Thread(target=write)
    writer.start()
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        """The copy goes on once something more was written."""
        told.append((done, total))
        wrote.clear()
        assert wrote.wait(60), "the writer is held up"

    try:
        back_up(source, tmp_path / "copy.db", tell)
    finally:
        stop.set()
        writer.join()
    assert told[-1][0] == told[-1][1] > 9000
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        (a,), (b,) = (copy.execute(f"SELECT count(*) FROM {table}").fetchone() for table in "ab")
    assert a == b
    assert list(tmp_path.glob("copy.db*")) == [tmp_path / "copy.db"], "one file, without a log"


def test_a_backup_beside_a_running_daemon_has_its_calls(site: Site, store: Store) -> None:
    tell_whole_call(store, "1.1")
    tell_whole_call(store, "2.2")
    store.close()
    with Store(site.database, "main"):
        code, output = site.run("backup", site.folder / "copy.db")
    assert code == 0, output
    assert calls_in(site.folder / "copy.db") == 2
    assert (site.folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_an_older_backup_is_not_overwritten_unasked(site: Site, store: Store) -> None:
    target = site.folder / "copy.db"
    target.write_text("older")
    assert site.run("backup", target)[0] == 2
    assert target.read_text() == "older"
    assert site.run("backup", target, "--force")[0] == 0
    assert calls_in(target) == 0


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_nothing_but_a_plain_file_is_replaced(site: Site, store: Store, make: Callable[[Path], None]) -> None:
    """A pipe here; a device would be gone from the system in the same way."""
    tell_whole_call(store, "1.1")
    store.close()
    copy, there = site.folder / "copy.db", site.folder / "there"
    assert site.run("backup", copy)[0] == 0
    make(there)
    before = there.stat()
    with pytest.raises(StoreError, match="regular file"):
        back_up(site.database, there, lambda done, total: None)
    code, output = site.run("restore", copy, "--db", there)
    assert (code, "not a regular file" in output) == (2, True), output
    assert (there.stat().st_ino, there.stat().st_mode) == (before.st_ino, before.st_mode)
    assert not list(site.folder.glob("there?*"))


def test_a_pipe_is_no_target_of_a_backup(site: Site, store: Store) -> None:
    there = site.folder / "there"
    os.mkfifo(there)
    code, output = site.run("backup", there, "--force")
    assert (code, "not a regular file" in output) == (2, True), output
    assert there.is_fifo()


@pytest.mark.parametrize("part", PARTS)
def test_the_database_itself_is_neither_overwritten_nor_restored_from(site: Site, store: Store, part: str) -> None:
    tell_whole_call(store, "1.1")
    link = site.folder / "link.db"
    link.symlink_to(f"{site.database}{part}")
    if link.exists():
        assert site.run("backup", link, "--force")[0] == 2
    store.close()
    assert site.run("restore", site.database)[0] == 2
    assert calls_in(site.database) == 1
    assert not list(site.folder.glob("*before*"))


def test_without_a_database_nothing_is_made(site: Site) -> None:
    code, output = site.run("backup", site.folder / "copy.db")
    assert code == 2
    assert "no database" in output
    assert not (site.folder / "copy.db").exists()


def test_restore_puts_the_backup_back_and_keeps_the_old_one(site: Site, store: Store) -> None:
    tell_whole_call(store, "1.1")
    store.close()
    assert site.run("backup", site.folder / "copy.db")[0] == 0
    with Store(site.database, "main") as again:
        tell_whole_call(again, "2.2")
    code, output = site.run("restore", site.folder / "copy.db")
    assert code == 0, output
    (kept,) = site.folder.glob("callflow.db.before-*[0-9]")
    assert (calls_in(site.database), calls_in(kept)) == (1, 2)
    with Store(site.database, "main") as again:
        tell_whole_call(again, "3.3")
    assert calls_in(site.database) == 2


@pytest.mark.parametrize("node", ["main", "another"])
def test_restore_refuses_while_any_daemon_uses_the_database(site: Site, node: str) -> None:
    with Store(site.database, node) as store:
        tell_whole_call(store, "1.1")
        assert site.run("backup", site.folder / "copy.db")[0] == 0
        before = site.database.read_bytes()
        code, output = site.run("restore", site.folder / "copy.db")
        assert code == 2
        assert node in output
        assert site.database.read_bytes() == before
    assert site.run("restore", site.folder / "copy.db")[0] == 0


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"x" * 8192
    path.write_bytes(content)


def not_a_database(path: Path) -> None:
    path.write_text("a text" * 1000)


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


@pytest.mark.parametrize("spoil", [damaged, not_a_database, of_another_program, newer])
def test_restore_refuses_what_is_no_backup_of_ours(site: Site, store: Store, spoil: object) -> None:
    tell_whole_call(store, "1.1")
    store.close()
    copy = site.folder / "copy.db"
    assert site.run("backup", copy)[0] == 0
    assert callable(spoil)
    spoil(copy)
    before = site.database.read_bytes()
    assert site.run("restore", copy)[0] == 2
    assert site.database.read_bytes() == before
    assert not list(site.folder.glob("callflow.db.before-*"))


def test_a_backup_has_the_version_that_it_was_made_at(site: Site, store: Store) -> None:
    store.close()
    assert site.run("backup", site.folder / "copy.db")[0] == 0
    assert f"schema {HEAD}" in site.run("restore", site.folder / "copy.db")[1]
