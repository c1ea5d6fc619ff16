"""`make demo` at a terminal: it prints the page's address, and keeps the page open until a key is pressed."""

import asyncio
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.xdist_group("pretend-demo")
LONGEST_S = 90
WITH_A_KEY = "press any key to end the daemon and its page"


@dataclass
class Terminal:
    """A program at a terminal: what it has printed, and its keyboard."""

    process: asyncio.subprocess.Process
    keyboard: int
    printed: str = ""
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def shows(self, text: str) -> None:
        async with asyncio.timeout(LONGEST_S):
            while text not in self.printed:
                self.more.clear()
                await self.more.wait()


@asynccontextmanager
async def at_a_terminal(folder: Path, *words: str) -> AsyncIterator[Terminal]:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {
        "TERM": "xterm",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "callflow", *words]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
    )
    os.close(theirs)
    terminal = Terminal(process, ours)

    def read() -> None:
        try:
            terminal.printed += os.read(ours, 65536).decode("utf-8", "replace")
        except OSError:  # the other side is closed
            asyncio.get_running_loop().remove_reader(ours)
        terminal.more.set()

    asyncio.get_running_loop().add_reader(ours, read)
    try:
        yield terminal
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        if process.returncode is None:
            process.terminate()
            await process.wait()
        os.close(ours)


async def test_the_page_stays_open_until_a_key_is_pressed(tmp_path: Path) -> None:
    async with at_a_terminal(tmp_path, "simulate", "key", "--pretend") as terminal:
        await terminal.shows(WITH_A_KEY)
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.printed)
        address, secret = re.findall(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)", plain)[-1]
        async with httpx.AsyncClient(base_url=address) as client:
            assert (await client.get("/")).status_code == 200
            calls = await client.get("/api/v1/calls", headers={"Authorization": f"Bearer {secret}"})
            assert "key" in {call["result"] for call in calls.json()["calls"]}
        os.write(terminal.keyboard, b"x")
        async with asyncio.timeout(LONGEST_S):
            assert await terminal.process.wait() == 0, terminal.printed
        async with httpx.AsyncClient(base_url=address) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("/")


async def test_without_the_page_it_ends_by_itself(tmp_path: Path) -> None:
    async with at_a_terminal(tmp_path, "simulate", "key", "--pretend", "--no-web") as terminal:
        async with asyncio.timeout(LONGEST_S):
            assert await terminal.process.wait() == 0, terminal.printed
        assert WITH_A_KEY not in terminal.printed
