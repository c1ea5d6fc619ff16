"""The live stream: the newest state as server-sent events, each frame made once for all viewers who see the same.

A viewer gets a snapshot, then changes. One who reads slowly gets a fresh snapshot in place of what they missed, so
memory is bounded and nobody waits for anybody.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callflow.web.access import Visitor
from callflow.web.errors import TooManyViewers

State = Mapping[str, Mapping[str, Any]]
"""Everything that is shown, by key: `queue/support`, `agent/1001`, `line/100`, `call/ID`, `health`."""
KEPT_FRAMES = 64
"""A viewer further behind than this starts again from a snapshot."""
KEEP_ALIVE_S = 5.0
"""So long a stream may say nothing; the page takes twice as long for a broken one."""
RETRY_MS = 1000


@dataclass(frozen=True, slots=True)
class View:
    """What one kind of viewer may see; viewers with equal views share their frames."""

    queues: tuple[str, ...] = ()
    agent: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> "View":
        return cls(visitor.queues, visitor.agent)

    def shows(self, key: str, value: Mapping[str, Any]) -> bool:
        """An agent sees their own row; a visitor limited to queues sees those, and the agents and calls in them."""
        kind, _, name = key.partition("/")
        if kind == "health":
            return True
        if self.agent:
            return kind == "agent" and name == self.agent
        if not self.queues:
            return True
        match kind:
            case "queue":
                return name in self.queues
            case "agent":
                return any(queue in self.queues for queue in value.get("queues", ()))
            case "call":
                return value.get("queue", "") in self.queues
        return False


@dataclass(slots=True)
class _Channel:
    """The frames of one view."""

    shown: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    frames: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=KEPT_FRAMES))
    snapshot: tuple[int, bytes] | None = None
    viewers: int = 0


class LiveFeed:
    """`read_off` tells the state; it is asked every `every_s` while anybody looks, and never otherwise."""

    def __init__(
        self, read_off: Callable[[], State], now_ms: Callable[[], int], most: int, every_s: float = 0.1
    ) -> None:
        self._read_off = read_off
        self.now_ms = now_ms
        self._most = most
        self._every_s = every_s
        self._state: State = {}
        self._version = 0
        self._channels: dict[View, _Channel] = {}
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.counts = {"frames": 0, "snapshots": 0, "skipped": 0, "refused": 0}

    @property
    def viewers(self) -> int:
        """Streams open now."""
        return sum(channel.viewers for channel in self._channels.values())

    def state(self, view: View) -> dict[str, Mapping[str, Any]]:
        """What this view shows now, read off afresh."""
        return {key: value for key, value in self._read_off().items() if view.shows(key, value)}

    async def stop(self) -> None:
        """End every stream."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        async with self._changed:
            self._version = -1
            self._changed.notify_all()

    def admit(self) -> None:
        """Raises TooManyViewers when all streams are taken."""
        if self.viewers >= self._most:
            self.counts["refused"] += 1
            raise TooManyViewers(self._most)

    async def follow(self, view: View) -> AsyncGenerator[bytes, None]:
        """The frames for one viewer: a snapshot, then changes, and a comment where nothing changes for a while."""
        channel = self._channels.setdefault(view, _Channel())
        channel.viewers += 1
        try:
            if self._task is None:
                self._take()
                self._task = asyncio.create_task(self._run(), name="web live")
            seen, frame = self._snapshot(view)
            yield f"retry: {RETRY_MS}\n".encode() + frame
            while await self._news_after(seen):
                if self._version < 0:
                    return
                missed = [(version, frame) for version, frame in channel.frames if version > seen]
                if not missed and seen < self._version:
                    seen = self._version
                    continue
                if not missed:
                    yield self._frame("beat", {})
                elif len(missed) == KEPT_FRAMES:
                    self.counts["skipped"] += 1
                    seen, frame = self._snapshot(view)
                    yield frame
                else:
                    seen = missed[-1][0]
                    yield b"".join(frame for _, frame in missed)
        finally:
            channel.viewers -= 1
            if not channel.viewers:
                del self._channels[view]

    async def _news_after(self, seen: int) -> bool:
        """Wait for a newer version, at most KEEP_ALIVE_S; always true."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_S), self._changed:
                await self._changed.wait_for(lambda: self._version != seen)
        except TimeoutError:
            pass
        return True

    async def _run(self) -> None:
        """Look for changes while there are viewers."""
        while self._channels:
            await asyncio.sleep(self._every_s)
            if self._take():
                async with self._changed:
                    self._changed.notify_all()
        self._task = None

    def _take(self) -> bool:
        """Read the state off and make the frames of what has changed; true where something has."""
        before, now = self._state, self._read_off()
        changed = {key: value for key, value in now.items() if before.get(key) != value}
        gone = [key for key in before if key not in now]
        if not changed and not gone:
            return False
        self._state = now
        self._version += 1
        for view, channel in self._channels.items():
            channel.snapshot = None
            shown = {key: value for key, value in changed.items() if view.shows(key, value)}
            left = [key for key in channel.shown if key not in now or (key in changed and key not in shown)]
            channel.shown |= shown
            for key in left:
                del channel.shown[key]
            if shown or left:
                self.counts["frames"] += 1
                channel.frames.append((self._version, self._frame("change", {"set": shown, "gone": left})))
        return True

    def _snapshot(self, view: View) -> tuple[int, bytes]:
        channel = self._channels[view]
        if channel.snapshot is None:
            self.counts["snapshots"] += 1
            channel.shown = {key: value for key, value in self._state.items() if view.shows(key, value)}
            channel.snapshot = self._version, self._frame("snapshot", {"set": channel.shown})
        return channel.snapshot

    def _frame(self, event: str, data: dict[str, Any]) -> bytes:
        text = json.dumps(data | {"at_ms": self.now_ms()}, separators=(",", ":"), ensure_ascii=False)
        return f"event: {event}\nid: {self._version}\ndata: {text}\n\n".encode("utf-8", "replace")
