"""`callflow callbacks` and `callflow cases`, as a person types them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callflow.adapters.store.migrate import bring_to_head, take_back
from callflow.cli import app
from callflow.errors import CallflowError, StoreError

SETTINGS = """
[store]
path = "{path}"
[callbacks]
dial = "PJSIP/{{number}}@carrier"
[callbacks.profiles.default]
zone = "UTC"
hours = ["mon-sun 00:00-24:00"]
[callbacks.profiles.never]
zone = "UTC"
hours = []
"""


class Typed:
    """Commands against a database of their own."""

    def __init__(self, folder: Path) -> None:
        self._settings = folder / "callflow.toml"
        self._settings.write_text(SETTINGS.format(path=folder / "callflow.db"))

    def __call__(self, *words: str) -> str:
        found = CliRunner().invoke(app, ["-c", str(self._settings), *words])
        if isinstance(found.exception, CallflowError):
            raise found.exception
        assert found.exit_code == 0, found.output
        return found.output

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json"))

    def refused(self, *words: str) -> str:
        with pytest.raises(CallflowError) as caught:
            self(*words)
        return f"{caught.value.problem}; {caught.value.remedy}"


NO_DATABASE_OF_THIS_RELEASE = {
    "foreign": "holds no calls of callflow",
    "empty": "holds no calls of callflow",
    "older": "from an older callflow",
    "newer": "made by a newer callflow",
    "missing": "there is no call database",
}
READS_OR_STEPS = (
    "callbacks list",
    "callbacks show cb",
    "callbacks report",
    "callbacks claim cb",
    "callbacks release cb",
    "callbacks reopen cb",
    "callbacks done cb",
    "callbacks give-up cb --why x",
    "callbacks dial cb --agent 8012",
    "cases list",
    "cases news T x",
    "cases close T",
    "webhooks list",
    "webhooks retry --all",
    "webhooks drop 1",
)


def made(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.db"
    if kind == "empty":
        path.touch()
    elif kind == "foreign":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE astdb (key, value)")
    elif kind != "missing":
        bring_to_head(path)
        if kind == "older":
            take_back(path)
        with closing(sqlite3.connect(path)) as connection:
            if kind == "newer":
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()
            connection.execute("PRAGMA journal_mode = DELETE")
    return path


def contents(folder: Path, kind: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(f"{kind}.db*")}


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    return Typed(tmp_path)


@pytest.mark.parametrize("due", ["9999-12-31T23:00", "0001-01-01", "0001-01-01T00:00+14:00", "2099-01-01", "soon"])
def test_a_due_time_that_is_none_is_refused(typed: Typed, due: str) -> None:
    assert "13855550100" not in typed.refused("callbacks", "add", "13855550100", "--due", due)
    assert "there is no call database" in typed.refused("callbacks", "list"), "nothing was put on a list"


@pytest.mark.parametrize("due_ms", [2**53, -(2**53), 253_402_300_799_999, -62_135_596_800_000])
def test_an_entry_with_a_time_of_no_calendar_hides_no_other(typed: Typed, tmp_path: Path, due_ms: int) -> None:
    """An earlier version has taken it."""
    key = typed.json("callbacks", "add", "13855550100")["callback_id"]
    typed("callbacks", "add", "13855550101")
    with sqlite3.connect(tmp_path / "callflow.db") as connection:
        connection.execute("UPDATE callbacks SET due_ms = ? WHERE callback_id = ?", (due_ms, key))
        connection.execute("UPDATE callback_changes SET due_ms = ? WHERE callback_id = ?", (due_ms, key))
    assert {row["due_ms"] for row in typed.json("callbacks", "list")["callbacks"]} > {due_ms}
    assert "13855550101" in typed("callbacks", "list")
    assert "13855550100" in typed("callbacks", "show", key)


def test_an_entry_from_add_to_done(typed: Typed) -> None:
    entry = typed.json("callbacks", "add", "138-5555-0100", "--note", "asked for 8012", "--by", "boss")
    assert (entry["number"], entry["state"], entry["reasons"]) == ("13855550100", "open", ["manual"])
    assert "further reason" in typed("callbacks", "add", "13855550100")
    assert "13855550100" in typed("callbacks", "list")
    key = entry["callback_id"]
    typed("callbacks", "claim", key, "--by", "8012")
    assert "claimed" in typed.refused("callbacks", "claim", key, "--by", "8013")
    typed("callbacks", "release", key, "--by", "8012")
    typed("callbacks", "done", key, "--by", "8012", "--why", "wrote an e-mail")
    shown = typed.json("callbacks", "show", key[:9])
    assert [change["state"] for change in shown["changes"]] == ["open", "claimed", "open", "done"]
    assert [change["actor"] for change in shown["changes"]] == ["boss", "8012", "8012", "8012"]
    assert "wrote an e-mail" in typed("callbacks", "show", key)
    assert typed.json("callbacks", "list") == {"callbacks": []}
    report = typed.json("callbacks", "report")
    assert report["all"]["raised"] == report["all"]["reached"] == 1
    assert "manual" in typed("callbacks", "report")


@pytest.mark.parametrize("number", ["110", "+911", "0-1-1-2", "anonymous", "12"])
def test_numbers_that_are_never_called_are_refused(typed: Typed, number: str) -> None:
    typed.refused("callbacks", "add", number)
    typed.refused("cases", "add", "T-1", "--number", number)


def test_what_cannot_be_dialled_says_why_and_what_to_do(typed: Typed) -> None:
    never = typed.json("callbacks", "add", "13855550101", "--profile", "never")["callback_id"]
    assert "hours" in typed.refused("callbacks", "dial", never, "--agent", "8012")
    entry = typed.json("callbacks", "add", "13855550100")["callback_id"]
    assert "callflow run" in typed.refused("callbacks", "dial", entry, "--agent", "8012")
    assert typed.json("callbacks", "show", entry)["wish"] == "", "nothing is dialled later by surprise"


def test_a_due_time_is_meant_in_the_zone(typed: Typed) -> None:
    entry = typed.json("callbacks", "add", "13855550100", "--due", "2030-07-01T09:00", "--zone", "Europe/Berlin")
    assert (entry["due_ms"], entry["zone"]) == (1_909_119_600_000, "Europe/Berlin")
    assert "Nowhere" in typed.refused("callbacks", "add", "13855550102", "--zone", "Nowhere/Land")


def test_a_case_from_add_to_close(typed: Typed, tmp_path: Path) -> None:
    case = typed.json("cases", "add", "T-1", "--number", "13855550100", "--kind", "installation", "--by", "8012")
    assert case["news_due_ms"] - case["opened_ms"] == 86_400_000
    assert "already" in typed.refused("cases", "add", "T-1")
    assert typed.json("cases", "news", "T-1", "nothing new yet")["news"] == "nothing new yet"
    assert "T-1" in typed("cases", "list")
    typed("cases", "close", "T-1", "works again")
    assert "closed" in typed.refused("cases", "news", "T-1", "more")
    assert typed.json("cases", "list") == {"cases": []}
    file = tmp_path / "cases.csv"
    file.write_text("reference,number\nT-2,13855550101\nT-3,110\n")
    assert f"{file}:3:" in typed.refused("cases", "import", str(file))
    file.write_text("reference,number\nT-2,13855550101\nT-3,\n")
    typed("cases", "import", str(file))
    assert [case["reference"] for case in typed.json("cases", "list")["cases"]] == ["T-2", "T-3"]


@pytest.mark.parametrize(("kind", "problem"), NO_DATABASE_OF_THIS_RELEASE.items())
def test_no_command_makes_or_alters_a_database_that_is_not_of_this_release(
    typed: Typed, tmp_path: Path, kind: str, problem: str
) -> None:
    path = made(tmp_path, kind)
    before = contents(tmp_path, kind)
    for words in READS_OR_STEPS:
        assert problem in typed.refused(*words.split(), "--db", str(path)), words
    if kind != "missing":
        file = tmp_path / "cases.csv"
        file.write_text("reference,number\nT-2,13855550101\n")
        for words in ("callbacks add 13855550100", "cases add T-1", f"cases import {file}"):
            assert problem in typed.refused(*words.split(), "--db", str(path)), words
    after = contents(tmp_path, kind)
    assert {name: after[name] for name in before} == before
    assert {name for name in set(after) - set(before) if after[name]} == set(), "a reader leaves at most empty files"
    assert path.exists() is (kind != "missing")


@pytest.mark.parametrize("kind", ["foreign", "empty"])
def test_a_caller_is_not_looked_for_in_a_database_of_another_program(typed: Typed, tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    before = contents(tmp_path, kind)
    for words in ("--yes", "--dry-run"):
        with pytest.raises(StoreError, match="holds no calls of callflow"):
            typed("forget", "13855550100", words, "--db", str(path))
    assert contents(tmp_path, kind) == before
