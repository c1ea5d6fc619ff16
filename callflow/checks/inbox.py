"""AMI events as they come in, to be waited for."""

import asyncio
from collections.abc import Callable
from typing import Any


class Inbox:
    """Keeps every event it is given."""

    def __init__(self) -> None:
        self.events: list[dict[str, str]] = []
        self._news = asyncio.Event()

    def add(self, event: dict[str, str]) -> None:
        """Add an event."""
        self.events.append(event)
        self._news.set()

    def wake(self) -> None:
        """Wake the waiters: something else has changed."""
        self._news.set()

    async def until(self, met: Callable[[], Any], timeout_s: float) -> bool:
        """True as soon as `met()` is true, False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while not met():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True
