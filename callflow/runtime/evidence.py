"""Evidence that a caller's sound would have been heard: frames that arrived, or packets that did not.

Asterisk 22 goes deaf when the sequence numbers of a caller's RTP jump back: neither the tap nor TALK_DETECT hears
anything then, for minutes, while the packet counter grows (docs/how-it-decides.md, "A deaf ear").
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from callflow.errors import LinkError

LOOK_S = 0.1
GAP_MS = 100
"""A live tap brings a frame every 20 ms."""
SELDOM_PER_S = 8
"""Comfort noise packets come less often, and carry no sound; the longest packets of speech, 60 ms, more often."""
KEY_LOOKS = 5
"""A key is packets without sound, for 0.3 s or so: packets in more looks than these, one after the other, are audio."""
MOST_UNHEARD = 2
"""So few packets in a whole rung hold no word."""
LONGEST_LOOK_S = 1.0


class TapGaps(Protocol):
    """What is asked of the taps."""

    def quiet_ms(self, uniqueid: str) -> int | None: ...


class PacketPhone(Protocol):
    """What is asked of AMI; may raise LinkError."""

    async def packets(self, channel: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Count:
    """The packet counter of a channel when it was read."""

    packets: int
    at_s: float

    def since(self, before: "Count") -> int:
        """Packets between two readings; the counter starts again from 0 with a new source (SSRC)."""
        return self.packets - before.packets if self.packets >= before.packets else self.packets

    def carries_sound(self, before: "Count") -> bool:
        """More packets have come than comfort noise needs."""
        return self.since(before) > 1 + SELDOM_PER_S * (self.at_s - before.at_s)


@dataclass(slots=True)
class _Followed:
    """A tapped channel, and the gap that it is in now."""

    channel: str
    tell_deaf: Callable[[], None]
    last: Count | None = None
    """The newest reading in this gap."""
    task: asyncio.Task[None] | None = None


class Evidence:
    """Watches every tap for gaps, and reports a gap in which packets arrived. Channels are named by uniqueid."""

    def __init__(self, taps: TapGaps | None, phone: PacketPhone) -> None:
        self._taps = taps
        self._phone = phone
        self._followed: dict[str, _Followed] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def live(self) -> int:
        """Taps that are followed."""
        return len(self._followed)

    def follow(self, uniqueid: str, channel: str, tell_deaf: Callable[[], None]) -> None:
        """The tap of this channel is open; `tell_deaf` is called at most once."""
        self._followed.setdefault(uniqueid, _Followed(channel, tell_deaf))
        if self._timer is None:
            self._wait()

    def forget(self, uniqueid: str) -> None:
        """The tap is closed."""
        followed = self._followed.pop(uniqueid, None)
        if followed is not None and followed.task is not None:
            followed.task.cancel()
            followed.task = None  # the two would keep each other alive
        if not self._followed and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def count(self, channel: str) -> Count | None:
        """How many packets have come so far; None where Asterisk cannot tell."""
        try:
            packets = await self._phone.packets(channel)
        except LinkError:
            return None
        return None if packets is None else Count(packets, asyncio.get_running_loop().time())

    async def verified(self, uniqueid: str, channel: str, counted: Count | None) -> bool:
        """A sound would have been heard, had there been one; `counted` serves where there is no tap."""
        if (quiet := self._quiet_ms(uniqueid)) is None:
            now = None if counted is None else await self.count(channel)
            return counted is not None and now is not None and now.since(counted) <= MOST_UNHEARD
        if quiet < GAP_MS:
            return True
        followed = self._followed.get(uniqueid)
        before = followed.last if followed else None
        if before is None:
            before = await self.count(channel)
            await asyncio.sleep(LOOK_S)
        now = await self.count(channel)
        if not self._in_gap(uniqueid):
            return self._quiet_ms(uniqueid) is not None
        return before is not None and now is not None and not now.carries_sound(before)

    # -- gaps -------------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._wait()
        for uniqueid, followed in self._followed.items():
            if followed.task is None and self._in_gap(uniqueid):
                followed.task = asyncio.get_running_loop().create_task(self._follow_gap(uniqueid, followed))

    async def _follow_gap(self, uniqueid: str, followed: _Followed) -> None:
        """Read the counter, less and less often, until frames come again; while packets come, look after look."""
        pause_s, looks = LOOK_S, 0
        followed.last = await self.count(followed.channel)
        while followed.last is not None:
            await asyncio.sleep(pause_s)
            if not self._in_gap(uniqueid):
                break
            now = await self.count(followed.channel)
            if not self._in_gap(uniqueid) or now is None:
                break
            looks = looks + 1 if now.carries_sound(followed.last) else 0
            if looks > KEY_LOOKS:
                followed.tell_deaf()
                return
            pause_s = LOOK_S if looks else min(2 * pause_s, LONGEST_LOOK_S)
            followed.last = now
        else:
            await asyncio.sleep(LONGEST_LOOK_S)  # Asterisk cannot tell
        followed.last = followed.task = None

    def _in_gap(self, uniqueid: str) -> bool:
        quiet = self._quiet_ms(uniqueid)
        return quiet is not None and quiet >= GAP_MS

    def _quiet_ms(self, uniqueid: str) -> int | None:
        return self._taps.quiet_ms(uniqueid) if self._taps else None
