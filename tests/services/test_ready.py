"""No caller waits for a daemon that nobody watches: systemd's watchdog begins with READY=1, and FastAGI behind it."""

import asyncio
import time
from pathlib import Path

from callflow.processes.daemon import Daemon
from callflow.processes.notify_socket import NotifySocket
from callflow.processes.ports import LOOPBACK, take_ports

START_S = 60.0


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
        finally:
            await daemon.stop()


async def _let_in(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
