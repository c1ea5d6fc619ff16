"""The live stream: the newest state as server-sent events, each frame made once for all viewers who see the same.

A viewer gets a snapshot, then changes. One who reads slowly gets only the newest of what they missed, so memory is
bounded and nobody waits for anybody.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from callflow.core.publishing.board import Board
from callflow.web.access import Visitor
from callflow.web.errors import TooManyViewers

State = Mapping[str, Mapping[str, Any]]
"""Everything that is shown, by key: `queue/support`, `agent/1001`, `line/100`, `call/ID`, `health`."""
BEAT_S = 5.0
"""So long a stream may stay silent; the page takes three times as long for a broken one."""
LOOK_S = 0.15
"""A change is then on a screen within 300 ms, and the calls have the rest of the time."""
TURN = 4
"""So many viewers are served in one turn of the event loop: calls come in between."""
CHECK_S = 1.0
"""How often a stream's token is looked at again."""
RETRY_MS = 1000
BEGIN = f"retry: {RETRY_MS}\n".encode()

log = structlog.get_logger()


class Body(Protocol):
    """Where a viewer's frames go."""

    @property
    def ready(self) -> bool: ...
    def write(self, frame: bytes) -> None: ...
    def end(self) -> None: ...


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
class Viewer:
    """One stream; `allowed` tells whether its visitor may still look."""

    body: Body
    allowed: Callable[[], bool] = lambda: True
    seen: int = 0
    """The version of the board that was last written."""
    told_at: float = 0.0
    """When something was last written, by the loop's clock."""


@dataclass(slots=True, eq=False)
class _Gallery:
    """The viewers of one view: their board, and the frames made since its last change, by what was seen before."""

    board: Board[str, Mapping[str, Any]]
    viewers: dict[Viewer, None] = field(default_factory=dict)
    frames: dict[int, bytes] = field(default_factory=dict)
    frames_of: int = 0

    def take(self, view: View, changed: Iterable[tuple[str, Mapping[str, Any]]], gone: Iterable[str]) -> None:
        """Bring the board up to date; a change may hide what was shown."""
        for key in gone:
            self.board.remove(key)
        for key, value in changed:
            if view.shows(key, value):
                self.board.put(key, value)
            else:
                self.board.remove(key)


class LiveFeed:
    """`read_off` tells the state. It is asked every LOOK_S while anybody looks, and never otherwise."""

    def __init__(self, read_off: Callable[[], State], now_ms: Callable[[], int], most: int) -> None:
        self._read_off = read_off
        self.now_ms = now_ms
        self._most = most
        self._galleries: dict[View, _Gallery] = {}
        self._state: State = {}
        """As the last look found it."""
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._check_at = 0.0
        self.counts = {"frames": 0, "sent": 0, "refused": 0}

    @property
    def viewers(self) -> int:
        """Streams open now."""
        return sum(len(gallery.viewers) for gallery in self._galleries.values())

    def state(self, view: View) -> dict[str, Mapping[str, Any]]:
        """What this view shows now, read off afresh."""
        return {key: value for key, value in self._read_off().items() if view.shows(key, value)}

    def stop(self) -> None:
        """End every stream; no further one is admitted."""
        self._most = 0
        if self._task is not None:
            self._task.cancel()
        for _, viewer in self._all():
            viewer.body.end()

    def admit(self) -> None:
        """Raises TooManyViewers when all streams are taken."""
        if self.viewers >= self._most:
            self.counts["refused"] += 1
            raise TooManyViewers(self._most)

    def join(self, view: View, viewer: Viewer) -> None:
        """Begin a stream with a snapshot; changes follow until `leave`, and a beat where nothing changes."""
        gallery = self._galleries.get(view)
        if gallery is None:
            self._read()
            gallery = self._galleries[view] = _Gallery(Board(first_version=self.now_ms()))
            gallery.take(view, self._state.items(), ())
        gallery.viewers[viewer] = None
        viewer.body.write(BEGIN)
        self._write(gallery, viewer)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="web live")

    def leave(self, view: View, viewer: Viewer) -> None:
        """The stream has ended."""
        gallery = self._galleries[view]
        del gallery.viewers[viewer]
        if not gallery.viewers:
            del self._galleries[view]

    async def _run(self) -> None:
        while self._galleries:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - one bad look must not end the streams for good
                say = log.debug if self._failing else log.error
                say("the live state cannot be read", reason=repr(error))
                self._failing = True
        self._task, self._state = None, {}

    async def look(self) -> None:
        """Read the state off and write to all who have not seen the newest, or have heard nothing for BEAT_S."""
        self._read()
        silent_since, written = asyncio.get_running_loop().time() - BEAT_S, 0
        for gallery, viewer in self._all():
            if (viewer.seen != gallery.board.version or viewer.told_at <= silent_since) and viewer.body.ready:
                self._write(gallery, viewer)
                written += 1
                if written % TURN == 0:
                    await asyncio.sleep(0)
        self._check()

    def _read(self) -> None:
        """Bring every board up to date; what has changed is found once for all of them."""
        before, self._state = self._state, dict(self._read_off())
        changed = [one for one in self._state.items() if (old := before.get(one[0])) is not one[1] and old != one[1]]
        gone = before.keys() - self._state.keys()
        for view, gallery in self._galleries.items():
            gallery.take(view, changed, gone)

    def _check(self) -> None:
        """End the streams of visitors who may no longer look."""
        now = asyncio.get_running_loop().time()
        if now >= self._check_at:
            self._check_at = now + CHECK_S
            for _, viewer in self._all():
                if not viewer.allowed():
                    viewer.body.end()

    def _all(self) -> list[tuple[_Gallery, Viewer]]:
        return [(gallery, viewer) for gallery in self._galleries.values() for viewer in gallery.viewers]

    def _write(self, gallery: _Gallery, viewer: Viewer) -> None:
        self.counts["sent"] += 1
        viewer.body.write(self._frame(gallery, viewer.seen))
        viewer.seen = gallery.board.version
        viewer.told_at = asyncio.get_running_loop().time()

    def _frame(self, gallery: _Gallery, seen: int) -> bytes:
        """What is new since version `seen`; made once for all who have read as far."""
        board = gallery.board
        if seen == board.version:
            return self._event("beat", board.version, {})
        if gallery.frames_of != board.version:
            gallery.frames.clear()
            gallery.frames_of = board.version
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
