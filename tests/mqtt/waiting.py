"""Waiting for what no event tells."""

import asyncio
from collections.abc import Callable
from typing import Any

SOON_S = 60.0


async def soon(condition: Callable[[], Any]) -> None:
    """Let the loop run until `condition` holds; raises TimeoutError."""
    async with asyncio.timeout(SOON_S):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
