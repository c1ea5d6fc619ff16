"""One answer for all who ask at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """Asks `make` once for everybody who has asked before it began: an answer is never older than the question.

    At most one `make` is under way, and at most one waits for it to end. What it raises is raised to all who share it.
    """

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Answer]]) -> None:
        self._make = make
        self._under_way: asyncio.Task[Answer] | None = None
        self._next: asyncio.Task[Answer] | None = None

    async def ask(self) -> Answer:
        """The next answer; raises what `make` raises. Who is cancelled leaves it to the others."""
        if self._next is None:
            self._next = asyncio.create_task(self._answer(self._under_way))
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._next)

    async def _answer(self, before: "asyncio.Task[Answer] | None") -> Answer:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        return await self._make()
