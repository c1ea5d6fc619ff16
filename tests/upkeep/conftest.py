"""A site in a folder: a settings file, and a database that a daemon of the node `main` writes to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

from callflow.adapters.store.store import Store
from tests.install.systems import callflow


@dataclass(frozen=True)
class Site:
    """Where its files are."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "callflow.db"

    @property
    def audio(self) -> Path:
        return self.folder / "audio"

    @property
    def names(self) -> Path:
        return self.folder / "names"

    def run(self, *arguments: object) -> tuple[int, str]:
        """Exit code and output of a command."""
        return callflow("--config", self.folder / "callflow.toml", *(str(one) for one in arguments))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.audio.mkdir()
    made.names.mkdir()
    settings = {
        "store": {"path": str(made.database)},
        "tap": {"debug_audio_dir": str(made.audio)},
        "assist": {"names_dir": str(made.names)},
    }
    (tmp_path / "callflow.toml").write_text(tomli_w.dumps(settings))
    return made


@pytest.fixture
def store(site: Site) -> Iterator[Store]:
    with Store(site.database, "main") as opened:
        yield opened
