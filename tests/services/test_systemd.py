"""The stand-in for systemd does what the shipped unit says."""

import sys
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
while True:
    tell("WATCHDOG=1")
    time.sleep(0.1)
"""
UNIT = Unit(watchdog_s=3.0, watchdog_signal=Signals.SIGKILL, restart_s=0.1, stays_down_after=frozenset({2}))


def service(folder: Path, program: str) -> Service:
    return Service(Daemon(folder, {}, (sys.executable, "-c", program)), unit=UNIT)


def test_the_shipped_unit_is_read() -> None:
    assert Unit.read() == Unit(2.0, Signals.SIGKILL, 1.0, frozenset({2}))


@pytest.mark.parametrize("number", [Signals.SIGKILL, Signals.SIGSTOP])
async def test_a_daemon_that_died_or_froze_is_started_again(tmp_path: Path, number: Signals) -> None:
    async with service(tmp_path, BEATS) as made:
        first = made.daemon.pid
        made.daemon.send_signal(number)
        await made.until_ready()
        assert made.daemon.pid != first
        assert made.watchdog_ends == (number is Signals.SIGSTOP)


async def test_exit_code_2_is_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(LabStartFailed, match="stays down"):
        async with service(tmp_path, "import sys; sys.exit(2)"):
            pass
