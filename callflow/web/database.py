"""Queries for the page: in separate threads, with a time limit, so that no viewer can delay the daemon."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.web.errors import QueryTooSlow

T = TypeVar("T")
THREADS = 2


class Database:
    """Opens the database for each query: a reader that stays open would keep the log of the writer from shrinking."""

    def __init__(self, named: Where, timeout_s: float) -> None:
        self._named = named
        self._timeout_s = timeout_s
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web query")
        self._room = asyncio.Semaphore(THREADS)

    async def ask(self, query: Callable[[Reader], T]) -> T:
        """What `query` finds; raises StoreError, or QueryTooSlow; waiting for a thread counts."""
        opened: list[Reader] = []
        over = False

        def work() -> T:
            with Reader(self._named) as reader:
                opened.append(reader)
                if over:
                    raise QueryTooSlow(self._timeout_s)
                return query(reader)

        def give_up() -> None:
            nonlocal over
            over = True
            for reader in opened:
                reader.interrupt()

        return await self._in_thread(work, give_up)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, which opens the database itself; raises StoreError, or QueryTooSlow."""
        return await self._in_thread(work, lambda: None)

    async def _in_thread(self, work: Callable[[], T], give_up: Callable[[], None]) -> T:
        """`give_up`: nobody waits any more."""
        try:
            async with asyncio.timeout(self._timeout_s), self._room:
                future = asyncio.get_running_loop().run_in_executor(self._pool, work)
                future.add_done_callback(_seen)
                try:
                    return await asyncio.shield(future)
                except asyncio.CancelledError:
                    give_up()
                    raise
        except TimeoutError:
            raise QueryTooSlow(self._timeout_s) from None

    def close(self) -> None:
        """Wait for no query any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _seen(future: asyncio.Future[T]) -> None:
    """What a query raises after its time is no news: asyncio would log it."""
    if not future.cancelled():
        future.exception()
