"""Waiting for what no event tells."""

import asyncio
from collections.abc import Callable
from typing import Any

WAIT_S = 5.0


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop run until `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


async def answered(port: int) -> None:
    """Wait until a process listens at this port of loopback; raises TimeoutError after half a minute."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
