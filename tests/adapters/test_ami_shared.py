"""Who asks at the same time shares an answer, and none is older than the question."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.callback_actions import CallbackActions
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.shared import Shared
from callflow.core.rings.names import Names
from callflow.core.rings.rules import RingRules
from callflow.errors import ActionTimeout
from tests.callbacks.day import VirtualLoop


class Lists:
    """Asterisk's two lists; each takes a tenth of a second, and is as it was when it was asked for."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.failing = False

    async def channels(self) -> list[dict[str, str]]:
        self.begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        if self.failing:
            raise ActionTimeout("CoreShowChannels", 1.0)
        return []

    async def queues(self) -> list[dict[str, str]]:
        await asyncio.sleep(0.1)
        return []


def looks(lists: Lists) -> CallbackActions:
    return CallbackActions(cast("AmiLink", None), cast("AmiActions", lists), Names(RingRules()), lambda: 1)


def virtually(play: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())


def test_fifty_call_backs_that_begin_at_once_list_the_channels_once() -> None:
    async def play() -> None:
        lists = Lists()
        phone = looks(lists)
        await asyncio.gather(*(phone.look() for _ in range(50)))
        assert len(lists.begun) == 1

    virtually(play)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_whoever_asks_and_whenever_no_list_is_older_than_the_question(moments: list[float]) -> None:
    async def play() -> None:
        lists = Lists()
        phone, loop = looks(lists), asyncio.get_running_loop()

        async def one(at_s: float) -> None:
            await asyncio.sleep(at_s)
            asked_at = loop.time()
            await phone.look()
            assert any(asked_at <= begun <= loop.time() - 0.099 for begun in lists.begun)
            assert loop.time() <= asked_at + 0.201

        await asyncio.gather(*map(one, moments))
        assert all(later - earlier > 0.099 for earlier, later in zip(lists.begun, lists.begun[1:], strict=False))

    virtually(play)


def test_a_failure_is_that_of_all_who_share_it_and_of_nobody_after() -> None:
    async def play() -> None:
        lists = Lists()
        lists.failing = True
        phone = looks(lists)
        found = await asyncio.gather(*(phone.look() for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == 3 * [ActionTimeout]
        lists.failing = False
        await phone.look()

    virtually(play)


def test_one_who_leaves_takes_the_answer_from_nobody() -> None:
    async def play() -> None:
        made = 0

        async def make() -> int:
            nonlocal made
            await asyncio.sleep(1)
            made += 1
            return made

        shared = Shared(make)
        first, second = asyncio.create_task(shared.ask()), asyncio.create_task(shared.ask())
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 1
        with pytest.raises(asyncio.CancelledError):
            await first

    virtually(play)
