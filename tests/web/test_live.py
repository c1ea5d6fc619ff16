"""The live stream: a snapshot, then changes; one frame for all; a slow viewer gets the newest."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.web import live
from callflow.web.errors import TooManyViewers
from callflow.web.live import LiveFeed, View
from tests.web.conftest import Floor, Page

ALL = View()


def parsed(frame: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events in what was sent, without their ids."""
    events = []
    for block in frame.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            events.append((lines["event"], json.loads(lines["data"])))
    return events


async def next_event(stream: AsyncGenerator[bytes, None]) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(5):
        while not (events := parsed(await anext(stream))):
            pass
    (event,) = events
    return event


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.001)


@pytest.mark.usefixtures("fast")
async def test_a_viewer_gets_a_snapshot_and_then_what_changes() -> None:
    floor = Floor()
    feed = LiveFeed(lambda: floor.state, lambda: floor.now_ms, 5)
    stream = feed.follow(ALL)
    kind, data = await next_event(stream)
    assert (kind, set(data["set"])) == ("snapshot", set(floor.state))
    floor.put("queue/support", waiting=3)
    floor.remove("call/a")
    kind, data = await next_event(stream)
    assert kind == "change"
    assert data["set"] == {"queue/support": {"queue": "support", "waiting": 3}}
    assert data["gone"] == ["call/a"]
    await stream.aclose()


@pytest.mark.usefixtures("fast")
async def test_one_frame_serves_all_who_see_the_same() -> None:
    floor = Floor()
    feed = LiveFeed(lambda: floor.state, lambda: floor.now_ms, 50)
    streams = [feed.follow(ALL) for _ in range(40)]
    for stream in streams:
        await next_event(stream)
    floor.put("queue/support", waiting=3)
    for stream in streams:
        await next_event(stream)
    assert feed.counts == {"frames": 2, "sent": 80, "refused": 0}
    for stream in streams:
        await stream.aclose()


@pytest.mark.usefixtures("fast")
async def test_a_slow_viewer_gets_the_newest_and_loses_the_rest() -> None:
    floor = Floor()
    feed = LiveFeed(lambda: floor.state, lambda: floor.now_ms, 5)
    quick, slow = feed.follow(ALL), feed.follow(ALL)
    await next_event(quick)
    await next_event(slow)
    for waiting in range(100, 200):
        floor.put("queue/support", waiting=waiting)
        await next_event(quick)
    kind, data = await next_event(slow)
    assert (kind, data["set"]) == ("change", {"queue/support": {"queue": "support", "waiting": 199}})
    await quick.aclose()
    await slow.aclose()


async def test_where_nothing_changes_a_beat_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.01)
    floor = Floor()
    feed = LiveFeed(lambda: floor.state, lambda: floor.now_ms, 5)
    stream = feed.follow(ALL)
    await next_event(stream)
    assert await next_event(stream) == ("beat", {"at_ms": floor.now_ms})
    await stream.aclose()


@pytest.mark.usefixtures("fast")
async def test_nobody_looks_nothing_is_read_off() -> None:
    asked = 0

    def read_off() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {}

    feed = LiveFeed(read_off, lambda: 1, 5)
    stream = feed.follow(ALL)
    await next_event(stream)
    await stream.aclose()
    async with asyncio.timeout(5):
        while feed._task is not None:  # noqa: ASYNC110 - the task ends by itself
            await asyncio.sleep(0.001)
    assert asked >= 1
    assert feed.viewers == 0
    assert not feed._galleries


async def test_further_streams_are_refused(page: Page) -> None:
    feed = page.site.live
    assert feed is not None
    streams = [feed.follow(ALL) for _ in range(5)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(TooManyViewers):
        feed.admit()
    answer = await page.get("events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    for stream in streams:
        await stream.aclose()


KEYS = st.sampled_from(["queue/a", "queue/b", "agent/1", "agent/2", "call/x"])
VALUES = st.builds(lambda n, queues: {"n": n, "queues": queues}, st.integers(0, 3), st.lists(st.sampled_from("ab")))


@given(
    steps=st.lists(st.tuples(KEYS, st.none() | VALUES, st.sets(st.integers(0, 3))), max_size=40),
    views=st.lists(st.sampled_from([ALL, View(queues=("a",)), View(agent="1")]), min_size=4, max_size=4),
)
def test_whatever_happens_each_viewer_ends_with_what_they_may_see(
    steps: list[tuple[str, dict[str, Any] | None, set[int]]], views: list[View]
) -> None:
    """Viewers read at any moments; what they have put together is the state as far as their view shows it."""

    async def play() -> None:
        floor = Floor(state={})
        feed = LiveFeed(lambda: floor.state, lambda: 1, 10)
        streams = [feed.follow(view) for view in views]
        shown: list[dict[str, Any]] = [{} for _ in views]

        def take(n: int, events: list[tuple[str, dict[str, Any]]]) -> None:
            for kind, data in events:
                if kind == "snapshot":
                    shown[n].clear()
                shown[n].update(data.get("set", {}))
                for key in data.get("gone", ()):
                    shown[n].pop(key, None)

        for n, stream in enumerate(streams):
            await anext(stream)
            take(n, parsed(await anext(stream)))
        for key, value, readers in steps:
            floor.remove(key) if value is None else floor.put(key, **value)
            for n in readers:
                take(n, parsed(await anext(streams[n])))
        floor.put("queue/z", n=1, queues=["a"])
        floor.put("agent/1", n=9, queues=["a"])
        for n, stream in enumerate(streams):
            for _ in range(3):  # what was under way, and what the last look has found
                take(n, parsed(await anext(stream)))
            assert shown[n] == {key: value for key, value in floor.state.items() if views[n].shows(key, value)}
            await stream.aclose()

    with mock.patch.multiple(live, BEAT_S=0.0, LOOK_S=0.0):  # who has no news is told so at once
        asyncio.run(play())
