"""Files that may not even be looked at, as below another user's folder: a sentence, never a traceback."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callflow.adapters.store.options import StoreOptions
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.checks.finding import Verdict
from callflow.checks.host import check_host
from callflow.cli import app
from callflow.errors import CallflowError, SettingError, StoreError
from callflow.scenarios.scenario import find_scenario, read_scenario
from callflow.settings import model as settings_module
from callflow.settings.model import Settings, find_config, load_settings


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that this user may not enter; root, who may enter all, is refused by hand."""
    folder = tmp_path / "closed"

    def refusing(function: Any) -> Any:
        def refuse(path: Any, *args: Any, **more: Any) -> Any:
            if isinstance(path, str | Path) and folder in Path(path).parents:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return function(path, *args, **more)

        return refuse

    access = os.access
    for name in ("stat", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr("io.open", refusing(open))
    monkeypatch.setattr(os, "access", lambda path, mode: folder not in Path(path).parents and access(path, mode))
    return folder


def test_a_database(closed: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: Permission denied"):
        Reader(closed / "callflow.db")


def test_a_database_to_be_written(closed: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        Store(closed / "inner" / "callflow.db", "main").open()


def test_a_database_to_be_checked(closed: Path) -> None:
    found = check_host(Settings(store=StoreOptions(path=closed / "inner" / "callflow.db")), None)
    assert [finding.verdict for finding in found if finding.subject == "database"] == [Verdict.FAIL]


def test_a_settings_file(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CALLFLOW_CONFIG", raising=False)
    monkeypatch.setattr(settings_module, "DEFAULT_PATHS", (closed / "callflow.toml",))
    assert find_config(None) == closed / "callflow.toml"
    with pytest.raises(SettingError, match="cannot be read"):
        load_settings()


def test_a_scenario(closed: Path) -> None:
    with pytest.raises(CallflowError, match="Permission denied"):
        read_scenario(find_scenario(str(closed / "mine")))


def test_a_capture_to_be_written(closed: Path, tmp_path: Path) -> None:
    (tmp_path / "callflow.toml").write_text("[ami]\nport = 1\n")
    result = CliRunner().invoke(app, ["-c", str(tmp_path / "callflow.toml"), "record", str(closed / "x.txt")])
    assert isinstance(result.exception, CallflowError)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    found = check_host(Settings(store=StoreOptions(path=tmp_path)), None)
    assert [finding.seen for finding in found if finding.verdict is Verdict.FAIL] == [f"{tmp_path} is not a file"]
