"""Every table that the command line prints can be read on a terminal of 80 columns: nothing is cut or runs over."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from callflow.adapters.store.store import Store
from callflow.checks.finding import fail
from callflow.cli import app
from callflow.commands.check import _show
from callflow.commands.terminal import console
from tests.store.plausible_day import plausible_day

WIDTH = 80
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
TERMINAL = {"COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "CALLFLOW_CONFIG": "", "TERM": "xterm-256color"}
DAY = plausible_day(calls=120)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("day") / "callflow.db"
    with Store(path, "main") as store:
        for record in DAY:
            store.save(record, final=True)
    return path


def printed(*words: object) -> str:
    """What the command shows on a terminal, without its colours."""
    done = CliRunner(env=TERMINAL).invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return ESCAPES.sub("", done.output)


def assert_readable(text: str) -> None:
    too_long = [line for line in text.splitlines() if cell_len(line.rstrip()) > WIDTH]
    assert text.strip()
    assert too_long == []
    assert "…" not in text, "a cell is cut"


PERIOD = ("--from", "2020-01-01", "--to", "2030-01-01", "--zone", "UTC")
COMMANDS: dict[str, tuple[object, ...]] = {
    "calls": ("calls", "--limit", 30),
    "calls show": ("calls", "show", max(DAY.calls, key=lambda call: len(call.call_id)).call_id),
    "report": ("report", *PERIOD, "--all-formulas"),
    "report by queue": ("report", *PERIOD, "--by", "queue", "--all-formulas"),
    "report by agent and hour": ("report", *PERIOD, "--by", "agent,hour-of-day"),
    "abandoned": ("report", *PERIOD, "--list", "abandoned"),
    "silent": ("report", *PERIOD, "--list", "silent"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_what_is_read_from_the_database(database: Path, words: tuple[object, ...]) -> None:
    assert_readable(printed(*words, "--db", database))


OTHERS: dict[str, tuple[object, ...]] = {
    "staffing": ("staffing", "--calls", 100, "--handling", "180s", "--shrinkage", 30, "--occupancy", 85),
    "settings": ("settings",),
    "scenarios": ("simulate", "--list"),
}


@pytest.mark.parametrize("words", OTHERS.values(), ids=OTHERS)
def test_what_needs_no_database(words: tuple[object, ...]) -> None:
    assert_readable(printed(*words))


def test_a_finding_of_check_goes_on_below_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in TERMINAL.items():
        monkeypatch.setenv(name, value)
    _show(console(), fail("self-test call", "its end was never reported " * 4, "look at the events " * 8))
    text = ESCAPES.sub("", capsys.readouterr().out)
    assert_readable(text)
    assert text.splitlines()[1].startswith(" " * 23)


def test_a_report_splits_a_wide_table_and_repeats_the_names(database: Path) -> None:
    text = printed("report", *PERIOD, "--by", "queue", "--db", database)
    assert text.count("\nqueue ") > len({"Rings", "Service", "Screened callers"})
    assert all(heading in text for heading in ("within 3 rings", "service level", "longest wait", "mean talk"))
