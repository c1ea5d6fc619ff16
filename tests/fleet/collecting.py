"""`callflow collect` beside a test or a benchmark: a process that is started and killed at will."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import tomli_w

from callflow.processes.process import Process
from tests.services.mosquitto import settings_for

SMALL_BATCHES = {"batch_events": 50, "batch_s": 0.05}


class Collecting:
    """One collector; `fleet` is added to its section [fleet]."""

    def __init__(self, folder: Path, port: int, url: str, fleet: Mapping[str, Any]) -> None:
        self._folder = folder
        folder.mkdir()
        self._config = folder / "collect.toml"
        config = {"mqtt": dict(settings_for(port)), "fleet": {"database_url": url, **fleet}}
        self._config.write_text(tomli_w.dumps(config))
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        command = [sys.executable, "-m", "callflow", "--config", str(self._config), "collect"]
        self._process = await Process.start(command, self._folder, "collect")

    async def kill(self) -> None:
        await self.process.kill()

    async def stop(self) -> None:
        await self.process.stop()


@asynccontextmanager
async def collecting(
    folder: Path, port: int, url: str, fleet: Mapping[str, Any] = SMALL_BATCHES
) -> AsyncIterator[Collecting]:
    """A collector that runs while inside."""
    collector = Collecting(folder, port, url, fleet)
    await collector.start()
    try:
        yield collector
    finally:
        await collector.stop()
