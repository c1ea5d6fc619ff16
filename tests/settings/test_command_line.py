"""The command as a user starts it: exit codes and sentences, never a traceback."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from callflow.cli import app


def callflow(*arguments: str, timeout_s: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callflow", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
    )


def settings_file(tmp_path: Path, agi_port: int, more: str = "") -> str:
    file = tmp_path / "callflow.toml"
    file.write_text(f"[agi]\nport = {agi_port}\n[store]\npath = '{tmp_path}/callflow.db'\n[ami]\nport = 1\n{more}")
    return str(file)


def is_one_clear_sentence(result: subprocess.CompletedProcess[str], *words: str) -> bool:
    return (
        result.returncode == 2
        and "Traceback" not in result.stderr
        and "remedy:" in result.stderr
        and all(word in result.stderr for word in words)
    )


def test_a_wrong_setting(tmp_path: Path) -> None:
    assert is_one_clear_sentence(callflow("-c", settings_file(tmp_path, 99999), "run"), "agi.port", "65535")


def test_a_missing_settings_file(tmp_path: Path) -> None:
    assert is_one_clear_sentence(callflow("-c", str(tmp_path / "no.toml"), "run"), "no.toml")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert is_one_clear_sentence(callflow("-c", settings_file(tmp_path, port), "run"), "[agi] port", str(port))


def test_a_database_folder_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "callflow.toml").write_text(f"[store]\npath = '{tmp_path}/nowhere/callflow.db'\n")
    assert is_one_clear_sentence(callflow("-c", str(tmp_path / "callflow.toml"), "run"), "nowhere")


@pytest.mark.parametrize("command", [[], ["run"], ["check"], ["calls"], ["calls", "show"], ["settings"], ["lab"]])
def test_help_teaches(command: list[str]) -> None:
    result = callflow(*command, "--help")
    assert result.returncode == 0
    assert "Usage" in result.stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    result = callflow("fly")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [["settings"], ["settings", "reference"], ["--version"]])
def test_a_full_disk_behind_the_output_is_one_sentence(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "callflow", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 2
    assert "the output cannot be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_a_reader_who_has_seen_enough_is_no_mistake() -> None:
    command = f"{sys.executable} -m callflow settings reference | head -n 1"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.stdout.startswith("| setting |")
    assert result.stderr == ""


def test_a_name_in_any_script_is_shown_on_a_terminal_of_any_encoding(tmp_path: Path) -> None:
    settings = settings_file(tmp_path, 4573, 'username = "\u738b"\n')
    command = [sys.executable, "-m", "callflow", "-c", settings, "settings"]
    result = subprocess.run(
        command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "latin-1", "COLUMNS": "200"}, check=False
    )
    assert result.returncode == 0, result.stderr
    assert b"\\u738b" in result.stdout


def test_the_version_is_told() -> None:
    assert callflow("--version").stdout.startswith("callflow 0.")


def commands(group: TyperGroup, path: str = "callflow") -> Iterator[tuple[str, str]]:
    """Every command with its help text; a group stands for its own commands."""
    context = group.make_context("callflow", ["-"], resilient_parsing=True)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command.help or ""


def test_the_help_of_every_command_shows_an_example() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    example = re.compile(r"Examples?:.*\bcallflow ", re.DOTALL)
    without = [path for path, text in commands(group) if not example.search(text)]
    assert without == []


def test_a_command_imports_no_other_command() -> None:
    """The daemon starts without the database's tables of all commands, and so does every quick command."""
    code = "from callflow.cli import app; app(['settings', 'check'], standalone_mode=False)"
    code += "; import sys; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    commands = {name for name in modules if name.startswith("callflow.commands.")}
    assert commands == {f"callflow.commands.{name}" for name in ("context", "settings", "terminal")}
    assert "sqlalchemy" not in modules
