"""A real Prometheus on loopback with the project's own rules, and a short breath."""

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from callflow.processes.ports import LOOPBACK
from callflow.processes.process import Process
from tests.services.programs import program

RULES = Path(__file__).resolve().parents[2] / "config" / "prometheus"
START_S = 20.0


class Prometheus:
    """Scrapes the port `target` once a second."""

    def __init__(self, folder: Path, port: int, target: int) -> None:
        self._folder = folder
        self._port = port
        self._target = target
        self._process: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    async def backfill(self, history: str) -> None:
        """Put samples of the past into the database; before the start."""
        file = self._folder / "history.txt"
        file.write_text(history)
        command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(file), str(self._data)]
        process = await Process.start(command, self._folder, "backfill")
        assert await process.wait(START_S) == 0, process.output.read_text()

    async def start(self) -> None:
        """Start it and wait until it answers."""
        config = self._folder / "prometheus.yml"
        rules = [str(path) for path in sorted(RULES.glob("callflow.*.yml"))]
        job = {"job_name": "callflow", "static_configs": [{"targets": [f"{LOOPBACK}:{self._target}"]}]}
        everything = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": rules,
            "scrape_configs": [job],
        }
        config.write_text(json.dumps(everything))  # JSON is YAML
        command = [program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={self._data}"]
        command += [f"--web.listen-address={LOOPBACK}:{self._port}", "--storage.tsdb.retention.time=30d"]
        self._process = await Process.start(command, self._folder, "prometheus")
        async with asyncio.timeout(START_S):
            while not await self._ready():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End it."""
        if self._process is not None:
            await self._process.stop()

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query, now; raises AssertionError with what Prometheus says against it."""
        answer = await asyncio.to_thread(self._get, f"/api/v1/query?query={urllib.parse.quote(expression)}")
        assert answer["status"] == "success", f"{expression}: {answer}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    async def _ready(self) -> bool:
        def ask() -> bool:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)

        try:
            return await asyncio.to_thread(ask)
        except OSError:
            return False

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}{path}", timeout=10) as answer:
                read: dict[str, Any] = json.load(answer)
                return read
        except urllib.error.HTTPError as error:
            refusal: dict[str, Any] = json.load(error)
            return refusal
