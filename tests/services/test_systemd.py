"""The stand-in for systemd does what the shipped unit says."""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from signal import Signals

import pytest

from callflow.processes.daemon import Daemon
from callflow.processes.errors import LabStartFailed
from tests.services.systemd import Service, Unit

BEATS = """
import sys, time, sdnotify
tell = sdnotify.SystemdNotifier().notify
tell("READY=1")
tell("STATUS=screening")
while True:
    tell("WATCHDOG=1")
    time.sleep(0.1)
"""
UNIT = Unit(watchdog_s=3.0, watchdog_signal=Signals.SIGKILL, restart_s=0.1, stays_down_after=frozenset({2}))


def service(folder: Path, program: str) -> Service:
    return Service(Daemon(folder, {}, (sys.executable, "-c", program)), unit=UNIT)


def test_the_shipped_unit_is_read() -> None:
    assert Unit.read() == Unit(2.0, Signals.SIGKILL, 1.0, frozenset({2}), 30.0)


@pytest.mark.parametrize("number", [Signals.SIGKILL, Signals.SIGSTOP])
async def test_a_daemon_that_died_or_froze_is_started_again(tmp_path: Path, number: Signals) -> None:
    async with service(tmp_path, BEATS) as made:
        first = made.daemon.pid
        made.daemon.send_signal(number)
        await made.until_screening()
        assert made.daemon.pid != first
        assert made.watchdog_ends == (number is Signals.SIGSTOP)


async def test_a_daemon_that_freezes_before_it_is_ready_is_started_again(tmp_path: Path) -> None:
    flag = tmp_path / "frozen before"
    freezes_once = f"""
import os, pathlib, signal
flag = pathlib.Path({str(flag)!r})
if not flag.exists():
    flag.touch()
    os.kill(os.getpid(), signal.SIGSTOP)
"""
    made = service(tmp_path, freezes_once + BEATS)
    made.unit = replace(UNIT, start_s=5.0)
    async with made:
        assert made.exit_codes == [-9]
        assert made.watchdog_ends == 0


async def test_a_manager_that_looks_late_ends_no_daemon(tmp_path: Path) -> None:
    async with service(tmp_path, BEATS) as made:
        time.sleep(UNIT.watchdog_s + 0.5)  # noqa: ASYNC251 - this loop is what stalls
        await asyncio.sleep(1.0)
        assert made.exit_codes == []


async def test_exit_code_2_is_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(LabStartFailed, match="stays down"):
        async with service(tmp_path, "import sys; sys.exit(2)"):
            pass
