"""What Asterisk does not answer after a connection is asked for again, while the connection lasts."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from callflow.adapters.ami.actions import OWN_CHANNELS
from callflow.errors import ActionRefused, ActionTimeout, LinkError
from callflow.runtime import snapshots
from callflow.runtime.snapshots import Channels, Snapshots

CHANNELS = [{"Uniqueid": "1.1", "Channel": "PJSIP/trunk-00000001"}, {"Uniqueid": "1.2", "Channel": f"{OWN_CHANNELS}1"}]
TOO_LATE = ActionTimeout("CoreShowChannels", 1.0)


class World:
    """Asterisk, the ring tracker and assistance: `answers` are those to each look, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[tuple[LinkError | None, bool]] = []
        """What CoreShowChannels fails with, and whether QueueStatus is answered."""
        self.taken: list[Channels | None] = []
        self.looked: list[Channels] = []
        self.seen: list[frozenset[str]] = []
        self.looking_now = 0
        self.asked = asyncio.Event()

    @property
    def answer(self) -> tuple[LinkError | None, bool]:
        return self.answers[min(len(self.taken), len(self.answers) - 1)]

    async def channels(self) -> Channels:
        if (error := self.answer[0]) is not None:
            raise error
        return CHANNELS

    def now_ms(self) -> int:
        return 0

    async def take_snapshot(self, asked_ms: int, channels: Channels | None) -> bool:
        is_answered = self.answer[1]
        self.taken.append(channels)
        self.asked.set()
        return is_answered

    @contextmanager
    def looking(self) -> Iterator[None]:
        self.looking_now += 1
        yield
        self.looking_now -= 1


class Talks:
    def __init__(self, world: World) -> None:
        self.looking = world.looking
        self._world = world

    async def take_snapshot(self, channels: Channels) -> None:
        assert self._world.looking_now == 1
        self._world.looked.append(channels)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def looks(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Snapshots]:
    monkeypatch.setattr(snapshots, "FIRST_PAUSE_S", 0.01)
    tasks: list[asyncio.Task[Any]] = []

    def spawn(work: Any) -> None:
        tasks.append(asyncio.create_task(work))

    looks = Snapshots(world, world, Talks(world), world.seen.append, spawn)
    yield looks
    looks.link_lost()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert world.looking_now == 0


async def until(world: World, number: int) -> None:
    async with asyncio.timeout(10):
        while len(world.taken) < number:
            world.asked.clear()
            await world.asked.wait()


async def settle() -> None:
    await asyncio.sleep(0.1)


async def test_a_whole_answer_is_asked_for_once(looks: Snapshots, world: World) -> None:
    world.answers = [(None, True)]
    looks.link_up()
    await until(world, 1)
    await settle()
    assert world.taken == [CHANNELS]
    assert world.looked == [CHANNELS], "whispers of an earlier life are hung up"
    assert world.seen == [frozenset({"1.1", "1.2"})]


async def test_queues_that_were_not_told_are_asked_for_again_and_talks_are_not_looked_for_twice(
    looks: Snapshots, world: World
) -> None:
    world.answers = [(None, False), (None, False), (None, True)]
    looks.link_up()
    await until(world, 3)
    await settle()
    assert world.taken == [CHANNELS] * 3
    assert world.looked == [CHANNELS]


async def test_channels_that_were_not_told_are_asked_for_again_and_whispers_since_then_are_left_alone(
    looks: Snapshots, world: World
) -> None:
    world.answers = [(TOO_LATE, True), (None, True)]
    looks.link_up()
    await until(world, 2)
    await settle()
    assert world.taken == [None, CHANNELS]
    assert world.looked == [CHANNELS[:1]]


async def test_what_asterisk_refuses_is_not_asked_for_again(looks: Snapshots, world: World) -> None:
    world.answers = [(ActionRefused("CoreShowChannels", "Permission denied"), True)]
    looks.link_up()
    await until(world, 1)
    await settle()
    assert (world.taken, world.looked) == ([None], [])


async def test_nothing_is_asked_for_after_the_link_is_lost(looks: Snapshots, world: World) -> None:
    world.answers = [(TOO_LATE, False)]
    looks.link_up()
    await until(world, 2)
    looks.link_lost()
    await settle()
    asked = len(world.taken)
    await settle()
    assert len(world.taken) == asked
    world.answers = [(None, True)]
    looks.link_up()
    await until(world, asked + 1)
    await settle()
    assert world.looked == [CHANNELS]
