"""The daemon of the soak tells what it holds, however long the look takes."""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.watched_daemon import HOLDINGS

SLOW_LOOK = """
import asyncio, time
from callflow.runtime.watchdog import Watchdog
from tests.bench import watched_daemon

watched_daemon.holdings = lambda roots: time.sleep(1.0) or {"calls": 1}

async def main():
    watchdog = Watchdog(stall_s=0.3)
    watchdog.start()
    watched_daemon.tell(None)
    watchdog.stop()

asyncio.run(main())
"""


def test_a_look_longer_than_the_watchdog_allows_ends_no_daemon(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW_LOOK, str(tmp_path / "callflow.toml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / HOLDINGS).read_text())["holdings"] == {"calls": 1}
