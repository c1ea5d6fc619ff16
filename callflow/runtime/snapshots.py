"""Looks at Asterisk after each connection: its channels, its queues, and the talks under way.

What Asterisk does not answer in time is asked for again, with growing pauses, while the connection lasts: until then,
what ended unseen would be taken for waiting.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

import structlog

from callflow.adapters.ami.actions import OWN_CHANNELS
from callflow.core.backoff import Backoff
from callflow.errors import ActionRefused, LinkError

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0

log = structlog.get_logger()

Channels = list[dict[str, str]]
"""Entries of CoreShowChannels."""


class Phone(Protocol):
    """What is asked of AMI; may raise LinkError."""

    async def channels(self) -> Channels: ...


class Rings(Protocol):
    """What takes in a snapshot of the queues as well."""

    def now_ms(self) -> int: ...
    async def take_snapshot(self, asked_ms: int, channels: Channels | None) -> bool: ...


class Talks(Protocol):
    """What looks for the talks under way."""

    def looking(self) -> AbstractContextManager[None]: ...
    async def take_snapshot(self, channels: Channels) -> None: ...


class Snapshots:
    """`link_up` begins to look. `seen` is told which channels there are, by uniqueid."""

    def __init__(
        self,
        phone: Phone,
        rings: Rings,
        talks: Talks,
        seen: Callable[[frozenset[str]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._phone = phone
        self._rings = rings
        self._talks = talks
        self._seen = seen
        self._spawn = spawn
        self._lost = asyncio.Event()

    def link_up(self) -> None:
        """AMI is connected."""
        self.link_lost()
        self._lost = asyncio.Event()
        self._spawn(self._look(self._lost, Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)))

    def link_lost(self) -> None:
        """AMI is lost, or the daemon stops: nothing more is asked for."""
        self._lost.set()

    async def _look(self, lost: asyncio.Event, pauses: Backoff) -> None:
        """Until everything is answered, or the link is lost."""
        is_first, found = True, False
        while not lost.is_set():
            with self._talks.looking():
                asked_ms = self._rings.now_ms()
                channels, is_answered = await self._channels(is_first)
                is_answered = await self._rings.take_snapshot(asked_ms, channels) and is_answered
                if channels is not None and not found and not lost.is_set():
                    await self._talks.take_snapshot(channels if is_first else _of_others(channels))
                    found = True
            if is_answered:
                return
            is_first = False
            with suppress(TimeoutError):
                async with asyncio.timeout(pauses.pause_s()):
                    await lost.wait()

    async def _channels(self, is_first: bool) -> tuple[Channels | None, bool]:
        """The channels, None without an answer; False if it is worth asking again."""
        try:
            channels = await self._phone.channels()
        except LinkError as error:
            if is_first:
                log.warning("no snapshot of the channels", reason=str(error))
            return None, isinstance(error, ActionRefused)
        self._seen(frozenset(channel["Uniqueid"] for channel in channels))
        return channels, True


def _of_others(channels: Channels) -> Channels:
    """Without whispers: at a second look they may be of this life, and nothing that an earlier one has left."""
    return [channel for channel in channels if not channel.get("Channel", "").startswith(OWN_CHANNELS)]
