"""A stand-in for systemd: runs the daemon by the shipped unit, whose values it reads, so that both agree.

It ends a daemon that has sent no WATCHDOG=1 for `WatchdogSec` since READY=1, or no READY=1 for `TimeoutStartSec`, which
EXTEND_TIMEOUT_USEC makes longer, and starts again what has ended, after `RestartSec`.
"""

import asyncio
import time
from collections.abc import Mapping
from configparser import ConfigParser
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Self

from callflow.processes.daemon import Daemon, screens
from callflow.processes.errors import LabStartFailed
from callflow.processes.notify_socket import NotifySocket

SHIPPED = Path(__file__).parents[2] / "config/systemd/callflow.service"
LONGER = "EXTEND_TIMEOUT_USEC="
LONGEST_LIFE_S = LONGEST_STEP_S = 86_400.0


@dataclass(frozen=True)
class Unit:
    """What a unit says of watching and restarting."""

    watchdog_s: float
    watchdog_signal: Signals
    restart_s: float
    stays_down_after: frozenset[int]
    """Exit codes after which the service is not started again."""
    start_s: float = 30.0
    """So long may it take to READY=1."""
    longest_step_s: float = LONGEST_STEP_S
    """By more than this no sign of progress makes it longer."""

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
            float(service["TimeoutStartSec"]),
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
    journal: list[str] = field(default_factory=list)
    """What the manager has seen and done, with the time."""

    def __post_init__(self) -> None:
        self._notify = NotifySocket()
        self._launched = asyncio.Event()
        self._screening = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and wait until it screens. Raises LabStartFailed when it stays down."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
            await self.until_screening()

    async def stop(self) -> None:
        """`systemctl stop`."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        if self.daemon.running:
            self.daemon.resume()
            await self.daemon.stop()

    async def until_launched(self) -> None:
        """Wait until the next life begins."""
        self._launched.clear()
        await self._launched.wait()

    async def until_screening(self) -> None:
        """Wait until the next life screens calls. Raises LabStartFailed when the daemon stays down."""
        assert self._running is not None
        self._screening.clear()
        screening = asyncio.create_task(self._screening.wait())
        async with asyncio.timeout(2 * self.unit.start_s):
            await asyncio.wait([screening, self._running], return_when=asyncio.FIRST_COMPLETED)
        if not screening.done():
            screening.cancel()
            self._running.result()
            raise LabStartFailed("the daemon stays down", remedy=f"read {self.daemon.log}")

    async def _run(self) -> None:
        while True:
            self.exit_codes.append(await self._life())
            self._note(f"ended with code {self.exit_codes[-1]}")
            if self.exit_codes[-1] in self.unit.stays_down_after:
                return
            await asyncio.sleep(self.unit.restart_s)

    async def _life(self) -> int:
        """One life of the daemon, from its start to its exit code."""
        self._notify.waiting()  # what an earlier life told
        await self.daemon.launch(self._notify, self.env)
        self._note(f"started as process {self.daemon.pid}")
        self._launched.set()
        watch = asyncio.create_task(self._watch())
        try:
            return await self.daemon.wait(LONGEST_LIFE_S)
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        """systemd counts from the end of the start-up on."""
        until, beats = time.monotonic() + self.unit.start_s, False
        while told := await self._told(until):
            if "READY=1" in told:
                beats = True
                self._note("ready")
            for longer in (line for line in told if line.startswith(LONGER) and not beats):
                step_s = min(int(longer.removeprefix(LONGER)) / 1_000_000, self.unit.longest_step_s)
                until = max(until, time.monotonic() + step_s)
            if screens(told):
                self._note("screening")
                self._screening.set()
            if beats and not {"READY=1", "WATCHDOG=1"}.isdisjoint(told):
                until = time.monotonic() + self.unit.watchdog_s
        self.watchdog_ends += beats
        self._note("no sign of life: ended" if beats else "not ready in time: ended")
        self.daemon.send_signal(self.unit.watchdog_signal)

    async def _told(self, until: float) -> list[str]:
        """What the daemon tells next; nothing if nothing has come in time, however late we look."""
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - time.monotonic()):
                return await self._notify.told()
        except TimeoutError:
            return self._notify.waiting()

    def _note(self, what: str) -> None:
        self.journal.append(f"{datetime.now(UTC):%H:%M:%S.%f} {what}")

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
