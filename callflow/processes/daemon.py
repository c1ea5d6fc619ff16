"""The daemon under test, as a subprocess: started the way systemd would, stopped, killed and stalled."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from signal import Signals
from typing import Any

import tomli_w

from callflow.processes.errors import LabStartFailed
from callflow.processes.notify_socket import NotifySocket
from callflow.processes.process import Process

Config = dict[str, Any]
RUN_CALLFLOW = (sys.executable, "-m", "callflow", "run", "--config")
_START_S = 60.0


def screens(told: Sequence[str]) -> bool:
    """What a daemon has told its manager says that it screens calls."""
    return any(line.startswith("STATUS=screening") for line in told)


class Daemon:
    """One daemon with a settings file, a database and a log of its own in `work`, `ahead` of other work or not."""

    def __init__(
        self, work: Path, config: Config, command: Sequence[str] = RUN_CALLFLOW, *, ahead: bool = False
    ) -> None:
        self.work, self.config = work, config
        self._ahead = ahead
        self._command = [*command, str(work / "callflow.toml")]
        self._process: Process | None = None
        work.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """Everything the daemon printed, over all its starts."""
        return self.work / "daemon.out"

    @property
    def database(self) -> Path:
        return Path(self.config["store"]["path"])

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    async def start(self, env: dict[str, str] | None = None, notify: NotifySocket | None = None) -> None:
        """Start it, and wait until it screens, which it tells at `notify` if given. Raises LabStartFailed."""
        with ExitStack() as stack:
            notify = notify or stack.enter_context(NotifySocket())
            await self.launch(notify, env)
            await self._until_screening(self._started, notify)

    async def launch(self, notify: NotifySocket, env: Mapping[str, str] | None = None) -> None:
        """Write the settings and start it; it tells at `notify` how it is."""
        (self.work / "callflow.toml").write_text(tomli_w.dumps(self.config))
        full = os.environ | {"NOTIFY_SOCKET": notify.address, "PYTHONUNBUFFERED": "1"} | dict(env or {})
        self._process = await Process.start(self._command, self.work, "daemon", env=full, ahead=self._ahead)

    async def _until_screening(self, process: Process, notify: NotifySocket) -> None:
        ended = asyncio.create_task(process.wait(_START_S))
        try:
            async with asyncio.timeout(_START_S):
                while True:
                    told = asyncio.create_task(notify.told())
                    await asyncio.wait([told, ended], return_when=asyncio.FIRST_COMPLETED)
                    if told.done() and screens(told.result()):
                        return
                    if not told.done():
                        told.cancel()
                        raise self._failure(f"ended with code {process.returncode}")
        except TimeoutError:
            await process.kill()
            raise self._failure("did not say that it screens") from None
        finally:
            ended.cancel()

    async def stop(self) -> int:
        """End it with SIGTERM, as systemd does; its exit code."""
        return await self._started.stop()

    async def kill(self) -> int:
        """End it with SIGKILL, as a crash would; its exit code."""
        return await self._started.kill()

    def send_signal(self, number: Signals) -> None:
        """Send it any signal."""
        self._started.send_signal(number)

    def stall(self) -> None:
        """Freeze it (SIGSTOP): it keeps its connections and says nothing."""
        self.send_signal(Signals.SIGSTOP)

    def resume(self) -> None:
        """Let a stalled daemon go on."""
        self.send_signal(Signals.SIGCONT)

    async def wait(self, timeout_s: float) -> int:
        """Its exit code when it ends by itself. Raises TimeoutError."""
        return await self._started.wait(timeout_s)

    @property
    def _started(self) -> Process:
        if self._process is None:
            raise LabStartFailed("the daemon was not started", remedy="call start() first")
        return self._process

    def _failure(self, what: str) -> LabStartFailed:
        said = self.log.read_text(errors="replace").splitlines()[-5:]
        return LabStartFailed(f"the daemon {what}: {' / '.join(said)}", remedy=f"read {self.log}")
