"""Programs that we start: their output is kept in a file, and they end by their own process id."""

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from signal import Signals
from typing import Self

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of the user's own is made there
_ENOUGH_BYTES = 1 << 30
_STOP_S = 5.0
_AHEAD = ("nice", "-n", "-10")
"""As config/systemd/callflow.service runs the daemon; Asterisk has a real-time priority in service."""


def _lab_folder() -> Path:
    """Where labs work: in memory if there is room, for a disk that stalls for seconds would stall every call."""
    if chosen := os.environ.get("CALLFLOW_LAB_DIR"):
        return Path(chosen)
    roomy = os.access(_SHARED_MEMORY, os.W_OK) and shutil.disk_usage(_SHARED_MEMORY).free > _ENOUGH_BYTES
    return (_SHARED_MEMORY if roomy else Path(tempfile.gettempdir())) / f"callflow-lab-{os.getuid()}"


LAB_FOLDER = _lab_folder()


class Process:
    """One running program."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self._process = process
        self.output = output

    @classmethod
    async def start(
        cls,
        command: list[str],
        folder: Path,
        name: str,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        *,
        ahead: bool = False,
    ) -> Self:
        """Start `command`, by root also `ahead` of other work; what it prints goes to `<folder>/<name>.out`."""
        output = _output(folder, name)
        command = [*_AHEAD, *command] if ahead and os.geteuid() == 0 else command
        with output.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=cwd
            )
        return cls(process, output)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def send_signal(self, number: Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running:
            self._process.send_signal(number)

    async def wait(self, timeout_s: float) -> int:
        """Its exit code. Raises TimeoutError."""
        return await asyncio.wait_for(self._process.wait(), timeout_s)

    async def stop(self, number: Signals = Signals.SIGTERM) -> int:
        """Ask it to end, insist after 5 s; its exit code."""
        self.send_signal(number)
        try:
            return await self.wait(_STOP_S)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """End it with SIGKILL; its exit code."""
        self.send_signal(Signals.SIGKILL)
        return await self._process.wait()


def _output(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.out"
