"""Records the calls that came while callflow was away, from the notes that the dialplan made of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

import structlog

from callflow.adapters.agi.arrival import call_noted
from callflow.core.events import CallNoted
from callflow.errors import LinkError, StoreError

EVERY_S = 2.0
"""A note can be made at any time: when callflow did not let a call in, or did not answer for long."""
FLUSH_S = 5.0
MOST_NOTES = 10_000
"""The dialplan counts further calls, and notes none of them."""

log = structlog.get_logger()


class Notes(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def names(self) -> list[str]: ...
    async def text(self, name: str) -> str: ...
    async def delete(self, name: str) -> None: ...
    async def counted(self) -> int: ...
    async def count_anew(self) -> None: ...


class NotedCalls:
    """Looks every two seconds. A note is deleted once its call is in the database, so that none is lost or doubled."""

    def __init__(
        self,
        notes: Notes,
        known: Callable[[Collection[str]], set[str]],
        flush: Callable[[float], Awaitable[bool]],
        receive: Callable[[CallNoted], None],
    ) -> None:
        """`known` blocks, and may raise StoreError; `receive` has the record of the call saved."""
        self._notes = notes
        self._known = known
        self._flush = flush
        self._receive = receive
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look; call it inside the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except (LinkError, StoreError) as error:
                log.debug("notes of calls cannot be taken in now", reason=str(error))
            except Exception:
                log.exception("notes of calls cannot be taken in; they stay in Asterisk's database")
                return
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Take in every note; returns how many calls were recorded. Raises LinkError or StoreError.

        A note that is still there after it was deleted ends the look.
        """
        recorded, done = 0, set[str]()
        while (notes := await self._read()) and not done >= notes.keys():
            new = await self._record([event for event in notes.values() if event is not None])
            if new is None:
                return recorded
            for name in notes:
                await self._notes.delete(name)
            done |= notes.keys()
            recorded += new
        if recorded:
            log.warning("calls came while callflow was away; they went on unscreened", calls=recorded)
            await self._count_anew()
        return recorded

    async def _read(self) -> dict[str, CallNoted | None]:
        """The next notes by their names; None for one that is damaged."""
        texts = {name: await self._notes.text(name) for name in await self._notes.names()}
        return {name: call_noted(name, text) for name, text in texts.items() if text}

    async def _record(self, noted: list[CallNoted]) -> int | None:
        """How many of these were not recorded before; None when the database does not save now."""
        if not await self._flush(FLUSH_S):
            return None
        known = await asyncio.to_thread(self._known, [event.arrived.call_id for event in noted])
        new = [event for event in noted if event.arrived.call_id not in known]
        for event in new:
            self._receive(event)
        return len(new) if await self._flush(FLUSH_S) else None

    async def _count_anew(self) -> None:
        """Say how many calls were too many to be noted."""
        counted = await self._notes.counted()
        await self._notes.count_anew()
        if counted > MOST_NOTES:
            log.warning("so many calls came that not all were noted", calls=counted, noted=MOST_NOTES)
