"""A lab that is killed leaves no process and no folder behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from callflow.lab.lab import open_lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("asterisk-22")]

HOLDS_A_LAB = """
import asyncio
from callflow.lab.lab import open_lab
async def main():
    async with open_lab("22") as lab:
        print(lab.work, lab.asterisk.process.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


def test_what_a_killed_lab_started_dies_with_it() -> None:
    """SIGKILL leaves no time to clean up: the kernel ends Asterisk and the agents, the next lab removes the folder."""
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_LAB], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        work, pid = holder.stdout.readline().split()
        assert b"asterisk" in Path(f"/proc/{pid}/cmdline").read_bytes()
        os.kill(holder.pid, signal.SIGKILL)
    give_up_at = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < give_up_at, "Asterisk is still running"
        time.sleep(0.05)
    asyncio.run(_open_and_close())
    assert not Path(work).exists()


async def _open_and_close() -> None:
    async with open_lab("22"):
        pass
