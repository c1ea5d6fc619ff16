"""Evidence that a caller's sound would have been heard: frames that arrived, or packets that did not.

Asterisk 22 goes deaf when the sequence numbers of a caller's RTP jump back: neither the tap nor TALK_DETECT hears
anything then, for minutes, while the packet counter grows (docs/how-it-decides.md, "A deaf ear").
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from callflow.core import events
from callflow.errors import LinkError

LOOK_S = 0.1
GAP_MS = 100
"""A live tap brings a frame every 20 ms."""
SELDOM_PER_S = 8
"""Comfort noise packets come less often, and carry no sound; the longest packets of speech, 60 ms, more often."""
MOST_UNHEARD = 2
"""So few packets in a whole rung hold no word."""
LONGEST_LOOK_S = 1.0

Receive = Callable[[events.Event], None]


class TapGaps(Protocol):
    """What is asked of the taps."""

    def quiet_ms(self, call_id: str) -> int | None: ...


class PacketPhone(Protocol):
    """What is asked of AMI; may raise LinkError."""

    async def packets(self, channel: str) -> int | None: ...


@dataclass(slots=True)
class _Count:
    """The packet counter of a channel when it was last read."""

    packets: int
    at_s: float

    def since(self, before: "_Count") -> int:
        """Packets between two readings; the counter starts again from 0 with a new source (SSRC)."""
        return self.packets - before.packets if self.packets >= before.packets else self.packets

    def carries_sound(self, before: "_Count") -> bool:
        """More packets have come than comfort noise needs."""
        return self.since(before) > 1 + SELDOM_PER_S * (self.at_s - before.at_s)


@dataclass(slots=True)
class _Followed:
    """A tapped call: its channel, and the gap that it is in now."""

    channel: str
    receive: Receive
    last: _Count | None = None
    """The newest reading in this gap."""
    task: asyncio.Task[None] | None = None


class Evidence:
    """Follows every tap for gaps, and tells EarDeafened of a gap in which packets came."""

    def __init__(self, taps: TapGaps | None, phone: PacketPhone) -> None:
        self._taps = taps
        self._phone = phone
        self._followed: dict[str, _Followed] = {}
        self._counted: dict[str, _Count | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def live(self) -> int:
        """Calls that anything is kept of."""
        return len(self._followed.keys() | self._counted.keys())

    def follow(self, call_id: str, channel: str, receive: Receive) -> None:
        """The tap of this call is open."""
        self._followed[call_id] = _Followed(channel, receive)
        if self._timer is None:
            self._wait()

    def forget(self, call_id: str) -> None:
        """Nobody asks about this call any more."""
        self._counted.pop(call_id, None)
        followed = self._followed.pop(call_id, None)
        if followed is not None and followed.task is not None:
            followed.task.cancel()
        if not self._followed and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def count(self, call_id: str, channel: str) -> Coroutine[Any, Any, None]:
        """Remember how many packets have come so far, for `verified` without a tap."""
        self._counted[call_id] = None
        return self._count(call_id, channel)

    async def _count(self, call_id: str, channel: str) -> None:
        count = await self._read(channel)
        if call_id in self._counted:  # the call may be over
            self._counted[call_id] = count

    async def verified(self, call_id: str, channel: str) -> bool:
        """A sound of this caller would have been heard, had there been one."""
        if (quiet := self._quiet_ms(call_id)) is None:
            before = self._counted.get(call_id)
            now = None if before is None else await self._read(channel)
            return before is not None and now is not None and now.since(before) <= MOST_UNHEARD
        if quiet < GAP_MS:
            return True
        followed = self._followed.get(call_id)
        before = followed.last if followed else None
        if before is None:
            before = await self._read(channel)
            await asyncio.sleep(LOOK_S)
        now = await self._read(channel)
        if not self._in_gap(call_id):
            return self._quiet_ms(call_id) is not None
        return before is not None and now is not None and not now.carries_sound(before)

    # -- gaps -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._wait()
        for call_id, followed in self._followed.items():
            if followed.task is None and self._in_gap(call_id):
                followed.task = asyncio.get_running_loop().create_task(self._follow_gap(call_id, followed))

    async def _follow_gap(self, call_id: str, followed: _Followed) -> None:
        """Read the counter, less and less often, until frames come again; those of a burst take one look more."""
        pause_s, suspected = LOOK_S, False
        followed.last = await self._read(followed.channel)
        while followed.last is not None:
            await asyncio.sleep(pause_s)
            if not self._in_gap(call_id):
                break
            if suspected:
                followed.receive(events.EarDeafened(call_id))
                return
            now = await self._read(followed.channel)
            if not self._in_gap(call_id) or now is None:
                break
            suspected = now.carries_sound(followed.last)
            pause_s = LOOK_S if suspected else min(2 * pause_s, LONGEST_LOOK_S)
            followed.last = now
        else:
            await asyncio.sleep(LONGEST_LOOK_S)  # Asterisk cannot tell
        followed.last = followed.task = None

    def _in_gap(self, call_id: str) -> bool:
        quiet = self._quiet_ms(call_id)
        return quiet is not None and quiet >= GAP_MS

    def _quiet_ms(self, call_id: str) -> int | None:
        return self._taps.quiet_ms(call_id) if self._taps else None

    async def _read(self, channel: str) -> _Count | None:
        try:
            packets = await self._phone.packets(channel)
        except LinkError:
            return None
        return None if packets is None else _Count(packets, asyncio.get_running_loop().time())
