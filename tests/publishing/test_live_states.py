"""The board follows the daemon, wakes every reader, and survives a bad sample."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
import structlog

from callflow.adapters.http.sample import Sample
from callflow.core.publishing.board import Reader
from callflow.core.publishing.states import State, StateKey
from callflow.core.rings.current_states import QueueState
from callflow.publishing import live_states
from callflow.publishing.live_states import LiveStates
from tests.metrics.scraped import sample_at
from tests.publishing import samples

SUPPORT = StateKey("queue", "support")


class Site:
    """A daemon whose samples are made up."""

    def __init__(self) -> None:
        self.waiting = 1
        self.broken = False
        self.ami_connected = True
        self.live = LiveStates(samples.HIDDEN, self.sample, {}, lambda: samples.T0)

    def sample(self) -> Sample:
        if self.broken:
            raise RuntimeError("no sample today")
        queues = [QueueState("support", samples.T0, self.waiting, None)]
        return replace(sample_at(), queues=queues, agents=[], lines=[], ami_connected=self.ami_connected)

    def show(self, waiting: int) -> None:
        self.waiting = waiting
        self.live.update(self.sample())


async def follow(site: Site, reader: Reader[StateKey, State], seen: list[object], pause: asyncio.Event) -> None:
    """A reader as a web page has it; it takes changes only while `pause` is not set."""
    while True:
        await site.live.wait_for(lambda: reader.has_news and not pause.is_set())
        seen += [change.value and change.value.figures["waiting"] for change in reader.take()]


async def until(seen: list[object], wanted: list[object]) -> None:
    async with asyncio.timeout(20):
        while seen != wanted:  # noqa: ASYNC110 - the reader under test has no event for this
            await asyncio.sleep(0)


async def test_every_reader_is_woken_and_one_that_stops_delays_no_other() -> None:
    site, paused = Site(), asyncio.Event()
    prompt: list[object] = []
    slow: list[object] = []
    async with asyncio.TaskGroup() as tasks:
        readers = [
            tasks.create_task(follow(site, site.live.board.reader(), prompt, asyncio.Event())),
            tasks.create_task(follow(site, site.live.board.reader(), slow, paused)),
        ]
        for waiting in (1, 2):
            site.show(waiting)
            await until(prompt, list(range(1, waiting + 1)))
        await until(slow, [1, 2])
        paused.set()
        for waiting in range(3, 100):
            site.show(waiting)
            await until(prompt, list(range(1, waiting + 1)))
        assert slow == [1, 2]
        paused.clear()
        site.live.ring()
        await until(slow, [1, 2, 99])
        for reader in readers:
            reader.cancel()


async def test_what_amis_absence_hides_is_not_taken_for_gone() -> None:
    site = Site()
    site.ami_connected = False
    site.live.update(site.sample())
    assert not site.live.complete
    site.ami_connected = True
    site.show(3)
    assert site.live.complete
    site.ami_connected = False
    site.live.update(replace(site.sample(), queues=[]))
    assert SUPPORT in site.live.board


async def test_a_bad_sample_is_logged_once_and_the_next_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_states, "PERIOD_S", 0.001)
    site = Site()
    site.broken = True
    with structlog.testing.capture_logs() as logs:
        site.live.start()
        async with asyncio.timeout(20):
            while site.live.failures["RuntimeError"] < 3:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)
            site.broken = False
            await site.live.wait_for(lambda: SUPPORT in site.live.board)
        site.live.stop()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
    assert [line["log_level"] for line in logs][:3] == ["error", "debug", "debug"]
