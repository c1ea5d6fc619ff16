"""A path that people give: a pipe there is written to or refused, and is a pipe afterwards; a device would be, too."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli_w

from callflow.adapters.store.database import make_file
from callflow.adapters.store.store import Store
from callflow.captures.capture_file import CaptureWriter
from callflow.errors import CallflowError
from callflow.install.writing import write
from callflow.web.tokens import Role, TokenFile
from tests.store.samples import tell_whole_call
from tests.upkeep.conftest import Site


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def installed(path: Path) -> None:
    write(path, b"a unit", 0o644, (0, 0))


def a_token(path: Path) -> None:
    TokenFile(path).add("anna", Role.ADMIN)


@pytest.mark.parametrize("writes", [installed, a_token, make_file])
def test_a_pipe_is_not_replaced(pipe: Path, writes: Callable[[Path], object]) -> None:
    with pytest.raises(CallflowError, match="not a regular file"):
        writes(pipe)
    assert pipe.is_fifo()


def test_a_masked_unit_stays_masked(tmp_path: Path, pipe: Path) -> None:
    """systemd masks a unit by a link to a device."""
    unit = tmp_path / "callflow.service"
    unit.symlink_to(pipe)
    with pytest.raises(CallflowError) as refused:
        installed(unit)
    assert "unmask" in refused.value.remedy
    assert unit.readlink() == pipe


def test_the_key_of_the_hashes_is_no_pipe(site: Site, pipe: Path) -> None:
    settings = {"store": {"path": str(site.database)}, "privacy": {"key_file": str(pipe)}}
    (site.folder / "callflow.toml").write_text(tomli_w.dumps(settings))
    code, output = site.run("rotate-key")
    assert (code, "not a regular file" in output) == (2, True), output
    assert pipe.is_fifo()


def read(pipe: Path, during: Callable[[], object]) -> str:
    """What is written to the pipe meanwhile."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    during()
    reader.join(30)
    return found[0]


def test_an_export_is_written_to_a_pipe(site: Site, store: Store, pipe: Path) -> None:
    tell_whole_call(store, "1.1")
    store.close()
    assert "1.1" in read(pipe, lambda: site.run("calls", "export", pipe))
    assert pipe.is_fifo()


def test_a_capture_is_written_to_a_pipe(pipe: Path) -> None:
    assert "purpose: to see" in read(pipe, lambda: CaptureWriter.create(pipe, {"purpose": "to see"}, 0.0).close())
    assert pipe.is_fifo()


def test_the_bundle_of_doctor_is_a_new_file(site: Site, pipe: Path) -> None:
    assert site.run("doctor", pipe)[0] == 2
    assert pipe.is_fifo()
