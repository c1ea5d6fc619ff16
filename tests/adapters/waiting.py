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
