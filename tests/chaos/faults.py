"""What goes wrong in a chaos run, by name: each strikes once, and is over when its coroutine ends."""

import asyncio
import os
import resource
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from signal import Signals

import pytest

from callflow.lab.lab import Lab
from callflow.lab.proxy import Proxy
from callflow.processes.daemon import Daemon
from callflow.processes.errors import LabStartFailed
from tests.services.mosquitto import Broker
from tests.services.systemd import Service

BROKER_AWAY_S = 30.0
FREEZE_START_S = 4.0
FREEZES_AFTER_S = (0.3, 0.8, 1.3, 1.8, 2.5)
LIBFAKETIME = "libfaketime.so.1"


@dataclass
class Disk:
    """A small file system in memory for the database; only root can mount it, and it goes with our mount namespace."""

    folder: Path
    size_mb: int = 48

    def __enter__(self) -> "Disk":
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["-t", "tmpfs", "-o", f"size={self.size_mb}m", "tmpfs", str(self.folder)]
        subprocess.run(["mount", *options], check=True)
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing on it can be opened to write while inside."""
        subprocess.run(["mount", "--bind", str(self.folder), str(self.folder)], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(self.folder)], check=True)
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave no room for a single block."""
        with (self.folder / "ballast").open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass

    def empty(self) -> None:
        """Give the room back."""
        (self.folder / "ballast").unlink(missing_ok=True)


@dataclass
class Site:
    """Everything that a fault can hit."""

    lab: Lab
    service: Service
    ami: Proxy
    broker: Broker
    disk: Disk
    clock: Path
    """libfaketime reads the daemon's wall clock from here, as an offset."""

    @property
    def daemon(self) -> Daemon:
        return self.service.daemon


@dataclass(frozen=True)
class Fault:
    """One fault; `about` is its line in the table."""

    about: str
    strike: Callable[[Site], Awaitable[None]]
    lasts_s: float = 3.0
    """About so long, with what systemd does about it."""
    asterisk_dies: bool = False
    loss: float = 0.0
    steps_clock: bool = False
    """Only then does the daemon run under libfaketime: it reads a file and waits for a semaphore at every look at the
    clock, which took a sixth of a processor at 1.5 calls a second and has frozen all threads for 3 s."""


async def _kill(site: Site) -> None:
    await _struck(site, Signals.SIGKILL)


async def _freeze(site: Site) -> None:
    await _struck(site, Signals.SIGSTOP)


async def _struck(site: Site, number: Signals) -> None:
    site.daemon.send_signal(number)
    await site.service.until_screening()


async def _freeze_in_start(site: Site) -> None:
    """At several moments of the start, before READY=1 and after it; systemd is told to be less patient than shipped."""
    service, patient = site.service, site.service.unit
    service.unit = replace(patient, start_s=FREEZE_START_S, longest_step_s=0)
    try:
        for after_s in FREEZES_AFTER_S:
            site.daemon.send_signal(Signals.SIGKILL)
            await service.until_launched()
            await asyncio.sleep(after_s)
            await _freeze(site)
    finally:
        service.unit = patient


async def _cut_ami(site: Site) -> None:
    site.ami.cut(reset=True, refuse=True)
    await asyncio.sleep(3.0)
    site.ami.heal()


async def _dead_ami(site: Site) -> None:
    site.ami.stall()
    await asyncio.sleep(6.0)
    site.ami.heal()


async def _restart_asterisk(site: Site) -> None:
    await site.lab.asterisk.restart()


async def _pause_asterisk(site: Site) -> None:
    process = site.lab.asterisk.process
    assert process is not None
    process.send_signal(Signals.SIGSTOP)
    await asyncio.sleep(2.0)
    process.send_signal(Signals.SIGCONT)


async def _full_disk(site: Site) -> None:
    site.disk.fill()
    await asyncio.sleep(8.0)
    site.disk.empty()


async def _full_disk_and_kill(site: Site) -> None:
    """The next life must come up without room for a single row."""
    site.disk.fill()
    try:
        await _kill(site)
        await asyncio.sleep(3.0)
    finally:
        site.disk.empty()


async def _refused_writes(site: Site) -> None:
    """A file system that turns read-only under open files refuses writes just so, but cannot be mended."""
    pid = site.daemon.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    await asyncio.sleep(8.0)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def _read_only(site: Site) -> None:
    """Exit code 2: systemd leaves it down, and a person starts it once the database is mended."""
    with site.disk.read_only(), pytest.raises(LabStartFailed, match="stays down"):
        await _struck(site, Signals.SIGKILL)
    await site.service.start()


async def _broker_away(site: Site, away_s: float) -> None:
    await site.broker.stop()
    await asyncio.sleep(away_s)
    await site.broker.start()


async def _clock_steps(site: Site) -> None:
    for offset in ("+3600", "-3600", "+0"):
        site.clock.write_text(offset)
        await asyncio.sleep(3.0)


async def _nothing(site: Site) -> None:
    await asyncio.sleep(0)


def faults(broker_away_s: float = BROKER_AWAY_S) -> dict[str, Fault]:
    """Every fault by its name."""
    away = partial(_broker_away, away_s=broker_away_s)
    return {
        "none": Fault("nothing goes wrong", _nothing),
        "kill": Fault("kill -9", _kill),
        "freeze": Fault("SIGSTOP", _freeze, 5.0),
        "freeze-start": Fault("SIGSTOP in the start", _freeze_in_start, 35.0),
        "cut-ami": Fault("AMI cut and refused for 3 s", _cut_ami),
        "dead-ami": Fault("AMI passes nothing on for 6 s", _dead_ami, 6.0),
        "restart-asterisk": Fault("Asterisk killed and started", _restart_asterisk, asterisk_dies=True),
        "pause-asterisk": Fault("Asterisk stopped for 2 s", _pause_asterisk),
        "full-disk": Fault("no room for the database for 8 s", _full_disk, 8.0),
        "full-disk-kill": Fault("no room for the database, and kill -9", _full_disk_and_kill, 8.0),
        "refused-writes": Fault("every write to a file refused for 8 s", _refused_writes, 8.0),
        "read-only": Fault("kill -9, and the database is read-only", _read_only, 5.0),
        "broker": Fault(f"MQTT broker away for {broker_away_s:g} s", away, broker_away_s),
        "clock": Fault("wall clock steps by an hour, both ways", _clock_steps, 9.0, steps_clock=True),
        "loss": Fault("a tenth of all packets lost", _nothing, loss=0.1),
    }


async def prepare(site: Site, fault: Fault) -> None:
    """Restart the daemon if its clock must follow `site.clock` and does not, or the other way round."""
    wanted = _environment(site.clock) if fault.steps_clock else {}
    if site.service.env != wanted:
        await site.service.stop()
        site.service.env = wanted
        await site.service.start()


def _environment(clock: Path) -> dict[str, str]:
    """What makes the daemon's wall clock follow `clock`; nothing where libfaketime is not installed."""
    library = _libfaketime()
    if library is None:
        return {}
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def possible(fault: str) -> bool:
    """False for the clock's steps without libfaketime (Debian: libfaketime)."""
    return fault != "clock" or _libfaketime() is not None


def _libfaketime() -> Path | None:
    return next(Path("/usr/lib").glob(f"*/faketime/{LIBFAKETIME}"), None)


def mountable() -> bool:
    """The disk can be filled."""
    return os.geteuid() == 0 and shutil.which("mount") is not None
