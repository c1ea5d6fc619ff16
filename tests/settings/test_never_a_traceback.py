"""Whatever is typed, and whichever streams are closed: a sentence and exit code 2, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow import cli
from callflow.adapters.store.migrate import bring_to_head
from callflow.adapters.store.places import SqliteFile

NOT_UTF_8 = "1\udcff"
"""As Python has the byte 0xff of the command line."""
TYPED = """
backup T
callbacks add 13855550100 --by T
callbacks add 13855550100 --due T
callbacks add 13855550100 --note T
callbacks add 13855550100 --profile T
callbacks add 13855550100 --zone T
callbacks add T
callbacks claim T --by T
callbacks done cb --why T
callbacks list --caller T
callbacks list --since T
callbacks show T
calls --caller T
calls --db T
calls --profile T --json
calls --since T
calls show T
cases add T
cases add T-1 --by T
cases add T-1 --number T
cases add T-1 --zone T
cases close T T
cases import T
cases news T T
delete-days T
doctor T
evaluation T
forget --yes T
forget T
report --agents T
report --queues T
report T
restore T
staffing --calls T --handling T
standards --file T
web token add T
web token add x --queue T
web token add x --role agent --agent T
web token revoke T
webhooks drop 99999999999999999999
webhooks list T
webhooks retry -- -1
webhooks retry 99999999999999999999
""".strip().splitlines()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    bring_to_head(tmp_path / "callflow.db")
    file = tmp_path / "callflow.toml"
    file.write_text(f'[store]\npath = "{tmp_path}/callflow.db"\n')
    return file


@pytest.mark.parametrize("typed", TYPED)
def test_text_that_is_no_text_and_numbers_that_are_no_numbers(
    config: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    words = [NOT_UTF_8 if word == "T" else word for word in typed.split()]
    monkeypatch.chdir(config.parent)
    monkeypatch.setattr(sys, "argv", ["callflow", "-c", str(config), *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (0, 1, 2)


def test_the_commands_above_are_nearly_all() -> None:
    serving_or_building = {
        "check", "collect", "downgrade", "fleet", "install", "lab", "migrate-store", "record", "replay", "rotate-key",
        "settings", "simulate", "uninstall",
    }  # fmt: skip
    assert set(cli.COMMANDS) - {line.split()[0] for line in TYPED} == serving_or_building


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("typed", "code"),
    [("forget 13855550100", 2), ("report --csv", 0), ("calls export", 0), ("calls", 0), ("uninstall --root .", 2)],
)
def test_closed_streams(config: Path, typed: str, code: int, closed: str) -> None:
    if typed.startswith("forget"):
        added = CliRunner().invoke(cli.app, ["-c", str(config), "callbacks", "add", "13855550100"])
        assert added.exit_code == 0
    command = f"exec {sys.executable} -m callflow -c {config} {typed} {closed}"
    if "<" not in closed:
        command += " </dev/null"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=config.parent, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode in (code, 2)
    with SqliteFile(config.parent / "callflow.db").engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
