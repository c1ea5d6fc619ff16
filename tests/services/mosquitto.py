"""A real Mosquitto on loopback, with a folder of its own; stopped, killed and started again at will."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import aiomqtt

from callflow.processes.ports import LOOPBACK
from callflow.processes.process import Process
from tests.services.programs import program

START_S = 10.0
USER, PASSWORD = "callflow", "first-password"


class Broker:
    """`lines` are added to its configuration."""

    def __init__(self, folder: Path, port: int, *, persistent: bool = True, lines: tuple[str, ...] = ()) -> None:
        self.port = port
        self._folder = folder
        self._persistent = persistent
        self._lines = lines
        self._process: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.set_password(PASSWORD)

    def set_password(self, password: str) -> None:
        """As `mosquitto_passwd` does; the broker reads it when it starts."""
        file = self._folder / "passwords"
        command = [program("mosquitto_passwd"), "-b", "-c", str(file), USER, password]
        subprocess.run(command, check=True, capture_output=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers."""
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(self._config()) + "\n")
        self._process = await Process.start([program("mosquitto"), "-c", str(config)], self._folder, "mosquitto")
        async with asyncio.timeout(START_S):
            while not await self._answers():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End it with SIGTERM: what it persists is written."""
        if self._process is not None:
            await self._process.stop()

    async def kill(self) -> None:
        """End it with SIGKILL: what it had not written is gone."""
        if self._process is not None:
            await self._process.kill()

    def client(self, password: str = PASSWORD) -> aiomqtt.Client:
        """A client that may see everything."""
        return aiomqtt.Client(
            LOOPBACK, self.port, username=USER, password=password, protocol=aiomqtt.ProtocolVersion.V5, timeout=10
        )

    def _config(self) -> list[str]:
        lines = [f"listener {self.port} {LOOPBACK}", "allow_anonymous false"]
        lines += [f"password_file {self._folder / 'passwords'}", "set_tcp_nodelay true", "max_queued_messages 0"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it goes on as a user who may not enter this folder
        if self._persistent:
            lines += ["persistence true", f"persistence_location {self._folder}/", "autosave_interval 1"]
        return [*lines, *self._lines]

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        return True


def settings_for(port: int, password: str = PASSWORD) -> Mapping[str, object]:
    """[mqtt] for a daemon that publishes to it."""
    return {"enabled": True, "host": LOOPBACK, "port": port, "username": USER, "password": password}
