"""`callflow forget`: one caller is gone from every table and from the bytes of the files; everybody else stays."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.adapters.store.backlog import EventRow
from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.copying import PARTS
from callflow.adapters.store.erasing import OF_NO_CALLER, Wanted, erase, in_files, search, spellings
from callflow.adapters.store.store import Store
from callflow.core.assist.steps import StepKind
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted as Spoken
from callflow.core.callbacks.rules import CallbackRules
from callflow.publishing.publisher import pseudonymizer_of
from callflow.records.kind import metadata
from callflow.settings.model import load_settings
from tests.publishing.samples import assist_step
from tests.store.samples import T0, ended, live_call
from tests.upkeep.conftest import Site

NUMBER = "+1-555-010-4477"
DIGITS = "15550104477"
OTHER = "+1-555-010-4478"


def fill(site: Site, store: Store) -> None:
    """Two calls of the caller, one of another, an event of each that waits, and audio."""
    names = pseudonymizer_of(load_settings(site.folder / "callflow.toml"))
    calls = [("1769864703.1", NUMBER), ("1769864704.2", DIGITS), ("1769864705.3", OTHER)]
    for at, (uniqueid, number) in enumerate(calls):
        call = ended(replace(live_call(uniqueid, T0 + at), caller_number=number, caller_name=f"Ann {number[-2:]}"))
        body = f'{{"caller": "{names.caller(number)}"}}'
        event = EventRow(f"event-{at}", 1, "callflow/v1/main/event/call/screened", body, T0, "mqtt")
        store.save(replace(call, channel=f"Local/{number}@default-{at};1"), final=True, events=[event])
        store.add_to_timeline(uniqueid, TimelineEntry(1, T0, Kind.ARRIVED, "support", f"from {number}"))
        (site.audio / f"{uniqueid}.sln").write_bytes(b"\0" * 320)
    store.close()


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def raw(database: Path) -> bytes:
    paths = (database.with_name(database.name + part) for part in PARTS)
    return b"".join(path.read_bytes() for path in paths if path.exists())


@pytest.mark.parametrize("spelling", [NUMBER, DIGITS, "1 (555) 010-4477", "+15550104477"])
def test_the_caller_is_gone_everywhere_and_the_other_one_is_not(site: Site, store: Store, spelling: str) -> None:
    fill(site, store)
    hashed = pseudonymizer_of(load_settings(site.folder / "callflow.toml")).caller(NUMBER) or ""
    assert hashed.encode() in raw(site.database)
    code, output = site.run("forget", spelling, "--yes")
    assert code == 0, output
    for trace in (NUMBER, DIGITS, hashed, "Ann 77"):
        assert trace.encode() not in raw(site.database)
    assert rows(site.database, "SELECT caller_number, caller_name FROM calls ORDER BY arrived_ms") == [
        ("", ""),
        ("", ""),
        (OTHER, "Ann 78"),
    ]
    assert rows(site.database, "SELECT event_id FROM outbox") == [("event-2",)]
    assert [path.stem for path in site.audio.iterdir()] == ["1769864705.3"]
    assert rows(site.database, "SELECT count(*) FROM calls WHERE result IS NOT NULL") == [(3,)], "figures stay right"


def test_a_dry_run_changes_nothing_and_says_what_there_is(site: Site, store: Store) -> None:
    fill(site, store)
    before = site.database.read_bytes()
    code, output = site.run("forget", NUMBER, "--dry-run")
    assert code == 0
    assert site.database.read_bytes() == before
    assert len(list(site.audio.iterdir())) == 3
    for name, count in (("calls", 2), ("happenings", 2), ("outbox", 2), ("stored audio", 2)):
        assert any(line.split(name)[-1].split()[:1] == [str(count)] for line in output.splitlines() if name in line)


def test_nobody_to_ask_means_yes_must_be_said(site: Site, store: Store) -> None:
    fill(site, store)
    assert site.run("forget", NUMBER)[0] == 2
    assert search(site.database, Wanted((NUMBER,))).rows


def test_a_running_daemon_goes_on_writing(site: Site, store: Store) -> None:
    fill(site, store)
    with Store(site.database, "main") as running:
        running.save(ended(live_call("5.5")), final=True)
        assert site.run("forget", NUMBER, "--yes")[0] == 0
        running.save(ended(live_call("6.6")), final=True)
    assert rows(site.database, "SELECT count(*) FROM calls") == [(5,)]


def say_names(site: Site, store: Store) -> CallbackList:
    """The caller has said a name, and another one in a later call; so has somebody else."""
    said = [("first-1", NUMBER), ("second-2", NUMBER), ("other-3", OTHER)]
    for name, number in said:
        step = replace(assist_step(StepKind.NAME_RECORDED, ""), what=name, step_id=f"{name}-9", caller_number=number)
        store.save(step, final=True)
        (site.names / f"{name}.wav").write_bytes(bytes(2000))
    store.close()
    entries = CallbackList(site.database, "main")
    for name, number in said[1:]:
        wanted = Spoken(number, "default", Reason.OFFER, T0, "accepted", spoken_name=name)
        entries.add(wanted, CallbackRules(), T0)
    return entries


def test_every_name_that_the_caller_has_said_is_deleted_and_nobody_else_s(site: Site, store: Store) -> None:
    entries = say_names(site, store)
    code, output = site.run("forget", NUMBER, "--dry-run")
    assert (code, len(list(site.names.iterdir()))) == (0, 3)
    assert any("spoken names" in line and " 2 " in line for line in output.splitlines()), output
    code, output = site.run("forget", NUMBER, "--yes")
    assert code == 0, output
    assert [path.name for path in site.names.iterdir()] == ["other-3.wav"]
    assert {(entry.number, entry.spoken_name) for entry in entries.entries()} == {("", ""), (OTHER, "other-3")}
    assert rows(site.database, "SELECT spoken_name FROM callback_changes ORDER BY 1") == [("",), ("",), ("other-3",)]


def test_a_name_that_is_gone_already_is_forgotten_too(site: Site, store: Store) -> None:
    entries = say_names(site, store)
    for path in site.names.iterdir():
        path.unlink()
    assert site.run("forget", NUMBER, "--yes")[0] == 0
    assert {entry.spoken_name for entry in entries.entries()} == {"", "other-3"}


def test_nothing_is_forgotten_while_the_names_cannot_be_reached(site: Site, store: Store) -> None:
    """Once the number is gone from the database, nobody knows which files were the caller's."""
    entries = say_names(site, store)
    site.names.rename(site.folder / "elsewhere")
    code, output = site.run("forget", NUMBER, "--yes")
    assert (code, "assist.names_dir" in output) == (2, True)
    assert NUMBER in {entry.number for entry in entries.entries()}


def test_a_name_that_cannot_be_deleted_ends_it_and_the_number_stays(site: Site, store: Store) -> None:
    entries = say_names(site, store)
    (site.names / "second-2.wav").unlink()
    (site.names / "second-2.wav").mkdir()
    assert site.run("forget", NUMBER, "--yes")[0] == 2
    assert NUMBER in {entry.number for entry in entries.entries()}


def test_what_was_deleted_earlier_is_gone_from_the_bytes_too(site: Site, store: Store) -> None:
    """SQLite leaves the bytes of a deleted row in its page."""
    fill(site, store)
    with closing(sqlite3.connect(site.database)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM calls WHERE caller_number = ?", (NUMBER,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert site.run("forget", NUMBER, "--yes")[0] == 0
    assert NUMBER.encode() not in raw(site.database)


def test_a_number_inside_an_id_is_not_that_caller(site: Site, store: Store) -> None:
    store.save(ended(live_call("1769864703.12")), final=True)
    store.save(replace(ended(live_call("9.9")), caller_number="6986470"), final=True)
    store.close()
    code, output = site.run("forget", "6986470", "--yes")
    assert code == 0, output
    assert "longer numbers" in output
    assert rows(site.database, "SELECT call_id, caller_number FROM calls ORDER BY call_id") == [
        ("1769864703.12", "+1-555-0100"),
        ("9.9", ""),
    ]


def test_an_extension_is_forgotten_only_where_it_is_the_whole_number(site: Site, store: Store) -> None:
    store.save(replace(ended(live_call("7.7")), caller_number="100", caller_name="Ann", dialled="1001"), final=True)
    store.add_to_timeline("7.7", TimelineEntry(1, T0, Kind.CLICK, "100 ms", "too short for speech"))
    store.close()
    assert site.run("forget", "100", "--yes")[0] == 0
    assert rows(site.database, "SELECT caller_number, caller_name, dialled FROM calls") == [("", "", "1001")]
    assert rows(site.database, "SELECT what FROM happenings") == [("100 ms",)]


TEXTS = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    if table.name not in OF_NO_CALLER
    for column in table.columns
    if isinstance(column.type, sa.Text) and not column.primary_key
]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without records."""
    path = tmp_path_factory.mktemp("empty") / "callflow.db"
    with Store(path, "main"):
        pass
    return path


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(TEXTS), spelling=st.sampled_from([NUMBER, DIGITS]), around=st.sampled_from(["", " ", "/"]))
def test_no_text_of_any_table_keeps_the_number(empty: Path, where: tuple[str, str], spelling: str, around: str) -> None:
    """Tables of later kinds are found by the same walk."""
    database = Path(shutil.copy(empty, empty.with_name("filled.db")))
    table, column = where
    values = {one.name: _some(one) for one in metadata.tables[table].columns}
    values[column] = f"{around}{spelling}{around}"
    with closing(sqlite3.connect(database)) as connection:
        names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        connection.commit()
    wanted = Wanted((*spellings(database, NUMBER), NUMBER))
    erase(database, wanted, lambda table: None)
    assert search(database, wanted).rows == {}
    assert in_files(database, wanted.texts) == []


def _some(column: "sa.Column[object]") -> object:
    return "x" if isinstance(column.type, sa.Text) else 1


def test_a_new_key_makes_other_hashes(site: Site, store: Store) -> None:
    config = site.folder / "callflow.toml"
    before = pseudonymizer_of(load_settings(config))
    code, output = site.run("rotate-key")
    assert code == 0, output
    after = pseudonymizer_of(load_settings(config))
    assert before.caller(NUMBER) != after.caller(NUMBER)
    key = site.folder / "privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert before.key.hex() not in "".join(path.read_text(errors="replace") for path in site.folder.glob("privacy*"))
    assert after.key.hex() not in output


def test_a_key_of_the_settings_is_changed_there(site: Site) -> None:
    config = site.folder / "callflow.toml"
    config.write_text(config.read_text() + '\n[privacy]\nkey = "of the site, in the file"\n')
    code, output = site.run("rotate-key")
    assert code == 2
    assert "privacy.key" in output
    assert "of the site" not in output
