import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from callflow.adapters.store.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the test's database will be."""
    return tmp_path / "callflow.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    """A store that writes to it."""
    with Store(database, "main") as opened:
        yield opened


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone of its own, wherever the tests run."""
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
