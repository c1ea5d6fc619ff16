"""A stand-in for systemd: runs the daemon by the shipped unit, whose values it reads, so that both agree.

It ends a daemon that has sent no WATCHDOG=1 for `WatchdogSec`, and starts again what has ended, after `RestartSec`.
"""

import asyncio
import time
from collections.abc import Mapping
from configparser import ConfigParser
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Self

from callflow.processes.daemon import Daemon
from callflow.processes.errors import LabStartFailed
from callflow.processes.notify_socket import NotifySocket

SHIPPED = Path(__file__).parents[2] / "config/systemd/callflow.service"
LONGEST_START_S = 30.0


@dataclass(frozen=True)
class Unit:
    """What a unit says of watching and restarting."""

    watchdog_s: float
    watchdog_signal: Signals
    restart_s: float
    stays_down_after: frozenset[int]
    """Exit codes after which the service is not started again."""

    @classmethod
    def read(cls, path: Path = SHIPPED) -> Self:
        """Raises ValueError for a unit that restarts in another way, or gives a time in units."""
        parser = ConfigParser(strict=False, interpolation=None)
        parser.read_string(path.read_text())
        service = parser["Service"]
        if (service["Type"], service["Restart"]) != ("notify", "always"):
            raise ValueError(f"{path}: only Type=notify with Restart=always is understood")
        return cls(
            float(service["WatchdogSec"]),
            Signals[service.get("WatchdogSignal", "SIGABRT")],
            float(service["RestartSec"]),
            frozenset(map(int, service.get("RestartPreventExitStatus", "").split())),
        )


@dataclass
class Service:
    """A daemon under this unit; `env` is added to its environment."""

    daemon: Daemon
    env: Mapping[str, str] = field(default_factory=dict)
    unit: Unit = field(default_factory=Unit.read)
    watchdog_ends: int = 0
    """How often the watchdog has ended the daemon."""
    exit_codes: list[int] = field(default_factory=list)
    """Of every life that is over; -9 after SIGKILL."""

    def __post_init__(self) -> None:
        self._notify = NotifySocket()
        self._ready = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """`systemctl start`: returns once the daemon is ready. Raises LabStartFailed when it stays down."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
            await self.until_ready()

    async def stop(self) -> None:
        """`systemctl stop`."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        if self.daemon.running:
            self.daemon.resume()
            await self.daemon.stop()

    async def until_ready(self) -> None:
        """Wait for the next READY=1. Raises LabStartFailed when the daemon stays down."""
        assert self._running is not None
        self._ready.clear()
        ready = asyncio.create_task(self._ready.wait())
        async with asyncio.timeout(LONGEST_START_S):
            await asyncio.wait([ready, self._running], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            self._running.result()
            raise LabStartFailed("the daemon stays down", remedy=f"read {self.daemon.log}")

    async def _run(self) -> None:
        while True:
            self.exit_codes.append(await self._life())
            if self.exit_codes[-1] in self.unit.stays_down_after:
                return
            await asyncio.sleep(self.unit.restart_s)

    async def _life(self) -> int:
        """One life of the daemon, from its start to its exit code."""
        try:
            await self.daemon.start(dict(self.env), self._notify)
        except LabStartFailed:
            return await self.daemon.wait(self.unit.restart_s)
        self._ready.set()
        watchdog = asyncio.create_task(self._watch())
        try:
            return await self.daemon.wait(3600)
        finally:
            watchdog.cancel()

    async def _watch(self) -> None:
        """systemd counts from the end of the start-up on."""
        last = time.monotonic()
        while (left_s := last + self.unit.watchdog_s - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    if "WATCHDOG=1" in await self._notify.told():
                        last = time.monotonic()
        self.watchdog_ends += 1
        self.daemon.send_signal(self.unit.watchdog_signal)

    async def __aenter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._notify)
            await self.start()
            stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self._notify.__exit__(kind, error, trace)
