"""The live stream: the newest state as server-sent events, each frame made once for all viewers who see the same.

A viewer gets a snapshot, then changes. One who reads slowly gets only the newest of what they missed, so memory is
bounded and nobody waits for anybody.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from callflow.core.publishing.board import Board
from callflow.web.access import Visitor
from callflow.web.errors import TooManyViewers

State = Mapping[str, Mapping[str, Any]]
"""Everything that is shown, by key: `queue/support`, `agent/1001`, `line/100`, `call/ID`, `health`."""
BEAT_S = 5.0
"""So long a stream may stay silent; the page takes three times as long for a broken one."""
LOOK_S = 0.1
TURN = 4
"""So many viewers are served in one turn of the event loop: calls come in between (0.15 ms a viewer, measured)."""
RETRY_MS = 1000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class View:
    """What one kind of viewer may see; viewers with equal views share their frames."""

    queues: tuple[str, ...] = ()
    agent: str = ""

    @classmethod
    def of(cls, visitor: Visitor) -> "View":
        """The view of a visitor."""
        return cls(visitor.queues, visitor.agent)

    def shows(self, key: str, value: Mapping[str, Any]) -> bool:
        """An agent sees their own row and day; a visitor limited to queues sees those, and the agents in them."""
        kind, _, name = key.partition("/")
        if kind == "health":
            return True
        if self.agent:
            return kind in ("agent", "today") and name == self.agent
        if not self.queues:
            return True
        if kind == "agent":
            return any(queue in self.queues for queue in value.get("queues", ()))
        return kind == "queue" and name in self.queues


@dataclass(slots=True, eq=False)
class _Gallery:
    """The viewers of one view: their board, and the frames made since its last change, by what was read before."""

    board: Board[str, Mapping[str, Any]]
    viewers: int = 0
    frames: dict[int, bytes] = field(default_factory=dict)
    frames_of: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    served_at: float = 0.0
    """When the viewers were last told something, by the loop's clock."""


class LiveFeed:
    """`read_off` tells the state. It is asked ten times a second while anybody looks, and never otherwise."""

    def __init__(self, read_off: Callable[[], State], now_ms: Callable[[], int], most: int) -> None:
        self._read_off = read_off
        self.now_ms = now_ms
        self._most = most
        self._galleries: dict[View, _Gallery] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._failing = False
        self.counts = {"frames": 0, "sent": 0, "refused": 0}

    @property
    def viewers(self) -> int:
        """Streams open now."""
        return sum(gallery.viewers for gallery in self._galleries.values())

    def state(self, view: View) -> dict[str, Mapping[str, Any]]:
        """What this view shows now, read off afresh."""
        return {key: value for key, value in self._read_off().items() if view.shows(key, value)}

    async def stop(self) -> None:
        """End every stream."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
        for gallery in list(self._galleries.values()):
            await self._serve(gallery)

    def admit(self) -> None:
        """Raises TooManyViewers when all streams are taken."""
        if self.viewers >= self._most:
            self.counts["refused"] += 1
            raise TooManyViewers(self._most)

    async def follow(self, view: View) -> AsyncGenerator[bytes, None]:
        """The frames for one viewer: a snapshot, then changes, and a beat where nothing changes for a while."""
        gallery = self._galleries.get(view)
        if gallery is None:
            gallery = self._galleries[view] = _Gallery(Board(first_version=self.now_ms()))
            gallery.board.replace(self.state(view))
        gallery.viewers += 1
        try:
            if self._task is None:
                self._task = asyncio.create_task(self._run(), name="web live")
            seen = 0
            yield f"retry: {RETRY_MS}\n".encode()
            while not self._stopped:
                self.counts["sent"] += 1
                frame = self._frame(gallery, seen)
                seen = gallery.board.version
                yield frame
                if gallery.board.version == seen and not self._stopped:
                    told = asyncio.get_running_loop().create_future()
                    gallery.waiting.append(told)
                    await told
        finally:
            gallery.viewers -= 1
            if not gallery.viewers and self._galleries.get(view) is gallery:
                del self._galleries[view]

    def look(self) -> list[_Gallery]:
        """Bring every board up to date; the galleries where something has changed."""
        state = self._read_off()
        changed = []
        for view, gallery in self._galleries.items():
            before = gallery.board.version
            gallery.board.replace({key: value for key, value in state.items() if view.shows(key, value)})
            if gallery.board.version != before:
                changed.append(gallery)
        return changed

    async def _serve(self, gallery: _Gallery) -> None:
        """Wake the viewers who wait, a few in each turn of the loop."""
        waiting, gallery.waiting = gallery.waiting, []
        gallery.served_at = asyncio.get_running_loop().time()
        for at in range(0, len(waiting), TURN):
            for told in waiting[at : at + TURN]:
                if not told.done():
                    told.set_result(None)
            await asyncio.sleep(0)

    def _frame(self, gallery: _Gallery, seen: int) -> bytes:
        """What is new since version `seen`; made once for all who have read as far."""
        board = gallery.board
        if gallery.frames_of != board.version:
            gallery.frames.clear()
            gallery.frames_of = board.version
        elif seen == board.version:
            return self._event("beat", board.version, {})
        if seen not in gallery.frames:
            self.counts["frames"] += 1
            news = board.reader(seen).take()
            now = {one.key: one.value for one in news if one.value is not None}
            gone = [one.key for one in news if one.value is None]
            data = {"set": now} if news.fresh else {"set": now, "gone": gone}
            gallery.frames[seen] = self._event("snapshot" if news.fresh else "change", board.version, data)
        return gallery.frames[seen]

    def _event(self, kind: str, version: int, data: dict[str, Any]) -> bytes:
        text = json.dumps(data | {"at_ms": self.now_ms()}, separators=(",", ":"), ensure_ascii=False)
        return f"event: {kind}\nid: {version}\ndata: {text}\n\n".encode("utf-8", "replace")

    async def _run(self) -> None:
        """Look while there are viewers; where nothing changes for BEAT_S, tell them that."""
        while self._galleries:
            await asyncio.sleep(LOOK_S)
            try:
                changed = self.look()
            except Exception as error:  # noqa: BLE001 - one bad look must not end the stream for good
                say = log.debug if self._failing else log.error
                say("the live state cannot be read", reason=repr(error))
                self._failing, changed = True, []
            now = asyncio.get_running_loop().time()
            for gallery in list(self._galleries.values()):
                if gallery in changed or now - gallery.served_at >= BEAT_S:
                    await self._serve(gallery)
        self._task = None
