"""No caller waits for a daemon that nobody watches: systemd's watchdog begins with READY=1, and FastAGI behind it."""

import asyncio
import sys
import time
from pathlib import Path

from callflow.processes.daemon import RUN_CALLFLOW, Daemon
from callflow.processes.notify_socket import NotifySocket
from callflow.processes.ports import LOOPBACK, take_ports
from callflow.runtime.watchdog import STEP_S

START_S = 60.0
STEP = f"EXTEND_TIMEOUT_USEC={STEP_S}000000"
LONG_MIGRATION = """
import sys, time
from alembic import command
from callflow.cli import main

at_once = command.upgrade

def slow(config, target):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        config.attributes["connection"].exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"
        ).all()
    at_once(config, target)

command.upgrade = slow
sys.argv = ["callflow", "run", "--config", sys.argv[1]]
main()
"""
"""The daemon, whose new database takes 5 s to make."""


async def test_calls_are_let_in_once_the_service_manager_watches(tmp_path: Path) -> None:
    """AMI is not there: then calls are let in after 5 s, and go on unscreened."""
    with take_ports() as ports, NotifySocket() as notify:
        agi, ami = ports.named(), ports.named()
        config = {
            "ami": {"port": ami, "secret": "x"},
            "agi": {"port": agi},
            "store": {"path": str(tmp_path / "callflow.db")},
            "tap": {"enabled": False},
            "http": {"port": 0},
            "web": {"enabled": False},
        }
        daemon = Daemon(tmp_path, config)
        await daemon.launch(notify)
        try:
            told: list[str] = []
            until = time.monotonic() + START_S
            while not await _let_in(agi):
                told += notify.waiting()
                assert daemon.running, daemon.log.read_text()
                assert time.monotonic() < until
                await asyncio.sleep(0.005)
            told += notify.waiting()
            assert "READY=1" in told
            assert told.index(STEP) < told.index("READY=1"), "a slow start is not ended while it goes on"
            assert told.count(STEP) == 3, told
        finally:
            await daemon.stop()


async def test_a_long_migration_gets_the_time_it_takes(tmp_path: Path) -> None:
    """systemd hears again and again that the migration goes on, and READY=1 once it is over."""
    with take_ports() as ports, NotifySocket() as notify:
        config = {
            "ami": {"port": ports.named(), "secret": "x"},
            "agi": {"port": ports.named()},
            "store": {"path": str(tmp_path / "callflow.db")},
            "tap": {"enabled": False},
            "http": {"enabled": False},
            "web": {"enabled": False},
        }
        told: list[str] = []
        for command in ((sys.executable, "-c", LONG_MIGRATION), RUN_CALLFLOW):
            daemon = Daemon(tmp_path, config, command)
            await daemon.launch(notify)
            try:
                async with asyncio.timeout(START_S):
                    while "READY=1" not in told:
                        told += await notify.told()
            finally:
                await daemon.stop()
            longer = told.count("EXTEND_TIMEOUT_USEC=60000000")
            assert longer in (2, 3) if command is not RUN_CALLFLOW else longer == 0, told
            told.clear()
            notify.waiting()


async def _let_in(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
