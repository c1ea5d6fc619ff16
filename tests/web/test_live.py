"""The live stream: a snapshot, then changes; one frame for all; a slow viewer gets the newest."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from itertools import cycle, pairwise
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.web import live
from callflow.web.errors import TooManyViewers
from callflow.web.live import LiveFeed, View, Viewer
from tests.adapters.waiting import until
from tests.web.conftest import Floor, Page

ALL = View()


class Screen:
    """A viewer that puts together what it is told; `ready` as its connection would be."""

    def __init__(self) -> None:
        self.ready, self.ended = True, False
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.shown: dict[str, Any] = {}

    def write(self, frame: bytes) -> None:
        for block in frame.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in lines:
                self._take(lines["event"], json.loads(lines["data"]))

    def _take(self, kind: str, data: dict[str, Any]) -> None:
        self.events.append((kind, data))
        if kind == "snapshot":
            self.shown.clear()
        self.shown.update(data.get("set", {}))
        for key in data.get("gone", ()):
            self.shown.pop(key, None)

    def end(self) -> None:
        self.ended = True


class Feed(LiveFeed):
    """Looks when the test says so, at a floor of its own."""

    def __init__(self, floor: Floor, most: int = 50) -> None:
        super().__init__(lambda: floor.state, lambda: floor.now_ms, most)

    def watch(self, view: View = ALL, allowed: Callable[[], bool] = lambda: True) -> Screen:
        screen = Screen()
        self.join(view, Viewer(screen, allowed))
        return screen


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 3600)


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
async def feed(floor: Floor) -> AsyncIterator[Feed]:
    made = Feed(floor)
    yield made
    made.stop()


async def test_a_viewer_gets_a_snapshot_and_then_what_changes(feed: Feed, floor: Floor) -> None:
    screen = feed.watch()
    assert screen.events == [("snapshot", {"set": floor.state, "at_ms": floor.now_ms})]
    floor.put("queue/support", waiting=3)
    floor.remove("call/a")
    await feed.look()
    kind, data = screen.events[-1]
    assert kind == "change"
    assert data["set"] == {"queue/support": {"queue": "support", "waiting": 3}}
    assert data["gone"] == ["call/a"]
    await feed.look()
    assert len(screen.events) == 2


async def test_one_frame_serves_all_who_see_the_same(feed: Feed, floor: Floor) -> None:
    screens = [feed.watch() for _ in range(40)]
    floor.put("queue/support", waiting=3)
    await feed.look()
    assert all(screen.shown == floor.state for screen in screens)
    assert feed.counts == {"frames": 2, "sent": 80, "refused": 0}


@pytest.mark.parametrize("views", [[ALL], [View(agent=str(8001 + n)) for n in range(40)]], ids=["one", "many"])
async def test_calls_come_between_the_viewers(feed: Feed, floor: Floor, views: list[View]) -> None:
    """However many they are, only a few are served before the event loop turns to others."""
    screens = [feed.watch(view) for view, _ in zip(cycle(views), range(10 * live.TURN), strict=False)]
    floor.put("health", ami=False)
    looking = asyncio.create_task(feed.look())
    served = [0]
    while not looking.done():
        await asyncio.sleep(0)
        served.append(sum(len(screen.events) == 2 for screen in screens))
    assert served[-1] == len(screens)
    assert max(after - before for before, after in pairwise(served)) <= live.TURN


async def test_a_slow_viewer_gets_the_newest_and_loses_the_rest(feed: Feed, floor: Floor) -> None:
    quick, slow = feed.watch(), feed.watch()
    slow.ready = False
    for waiting in range(100, 200):
        floor.put("queue/support", waiting=waiting)
        await feed.look()
        assert quick.shown == floor.state
    assert len(slow.events) == 1
    slow.ready = True
    await feed.look()
    kind, data = slow.events[1]
    assert (kind, data["set"]) == ("change", {"queue/support": {"queue": "support", "waiting": 199}})


async def test_a_viewer_who_hears_nothing_new_gets_a_beat_though_others_come(
    feed: Feed, floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.01)
    screen = feed.watch()
    await asyncio.sleep(0.02)
    newcomer = feed.watch()
    await feed.look()
    assert screen.events[-1] == ("beat", {"at_ms": floor.now_ms})
    assert [kind for kind, _ in newcomer.events] == ["snapshot"]


async def test_nobody_looks_nothing_is_read_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.001)
    asked = 0

    def read_off() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {}

    feed = LiveFeed(read_off, lambda: 1, 5)
    viewer = Viewer(Screen())
    feed.join(ALL, viewer)
    await until(lambda: asked > 3)
    feed.leave(ALL, viewer)
    await until(lambda: feed._task is None)
    assert feed.viewers == 0
    assert not feed._galleries
    asked = 0
    await asyncio.sleep(0.01)
    assert not asked


async def test_a_look_that_fails_ends_no_stream(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.001)
    feed = Feed(floor)
    screen = feed.watch()
    with mock.patch.object(feed, "_read_off", side_effect=RuntimeError) as failing:
        await until(lambda: failing.call_count > 2)
    floor.put("queue/support", waiting=3)
    await until(lambda: screen.shown == floor.state)
    feed.stop()


async def test_a_stream_ends_when_its_visitor_may_no_longer_look(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CHECK_S", 0.0)
    allowed = True
    screen, other = feed.watch(allowed=lambda: allowed), feed.watch()
    await feed.look()
    assert not screen.ended
    allowed = False
    await feed.look()
    assert (screen.ended, other.ended) == (True, False)


async def test_further_streams_are_refused(page: Page) -> None:
    feed = page.site.live
    assert feed is not None
    for _ in range(5):
        feed.join(ALL, Viewer(Screen()))
    with pytest.raises(TooManyViewers):
        feed.admit()
    answer = await page.get("events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


KEYS = st.sampled_from(["queue/a", "queue/b", "agent/1", "agent/2", "call/x"])
VALUES = st.builds(lambda n, queues: {"n": n, "queues": queues}, st.integers(0, 3), st.lists(st.sampled_from("ab")))
VIEWS = st.sampled_from([ALL, View(queues=("a",)), View(agent="1")])


@given(
    steps=st.lists(st.tuples(KEYS, st.none() | VALUES, st.sets(st.integers(0, 3)), st.booleans()), max_size=40),
    views=st.lists(VIEWS, min_size=4, max_size=4),
    newcomers=st.dictionaries(st.integers(0, 39), VIEWS, max_size=3),
)
def test_whatever_happens_each_viewer_ends_with_what_they_may_see(
    steps: list[tuple[str, dict[str, Any] | None, set[int], bool]], views: list[View], newcomers: dict[int, View]
) -> None:
    """Viewers come at any moment and can read at some; in the end each has the state as far as their view shows it."""

    async def play() -> None:
        floor = Floor(state={})
        feed = Feed(floor)
        screens = [(view, feed.watch(view)) for view in views]
        for at, (key, value, slow, looked) in enumerate(steps):
            floor.remove(key) if value is None else floor.put(key, **value)
            if at in newcomers:
                screens.append((newcomers[at], feed.watch(newcomers[at])))
            for n, (_, screen) in enumerate(screens):
                screen.ready = n not in slow
            if looked:
                await feed.look()
        for _, screen in screens:
            screen.ready = True
        await feed.look()
        for view, screen in screens:
            assert screen.shown == {key: value for key, value in floor.state.items() if view.shows(key, value)}
        feed.stop()

    asyncio.run(play())
