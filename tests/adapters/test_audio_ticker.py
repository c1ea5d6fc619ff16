"""Even steps of time, by the loop's timer or by the kernel's."""

import asyncio
import os
import time

import pytest

from callflow.adapters.audio import ticker as ticker_module
from callflow.adapters.audio.ticker import PunctualTicker, Ticker

STEP_S = 0.004


class Ticks:
    """Counts them; `many` returns when there have been so many more."""

    def __init__(self, kind: type[Ticker]) -> None:
        self.ticker = kind(STEP_S, self._tick)
        self.count = 0
        self._more = asyncio.Event()

    def _tick(self) -> None:
        self.count += 1
        self._more.set()

    async def many(self, number: int) -> None:
        wanted = self.count + number
        async with asyncio.timeout(10):
            while self.count < wanted:
                self._more.clear()
                await self._more.wait()


@pytest.fixture(params=[Ticker, PunctualTicker, "no timer of the kernel's"])
async def ticks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ticks:
    if isinstance(request.param, str):

        def refused(*_: int) -> int:
            raise OSError(24, "timerfd_create")

        monkeypatch.setattr(ticker_module, "_open_timer", refused)
    return Ticks(PunctualTicker if isinstance(request.param, str) else request.param)


async def test_it_ticks_at_its_steps_and_never_before(ticks: Ticks) -> None:
    begun = time.monotonic()
    ticks.ticker.start()
    ticks.ticker.start()
    await ticks.many(20)
    assert time.monotonic() - begun >= 19 * STEP_S, "a second start is none"
    ticks.ticker.stop()


async def test_it_ends_and_can_begin_again(ticks: Ticks) -> None:
    ticks.ticker.stop()
    for _ in range(2):
        ticks.ticker.start()
        await ticks.many(2)
        ticks.ticker.stop()
        before = ticks.count
        await asyncio.sleep(5 * STEP_S)
        assert ticks.count == before


async def test_steps_that_were_missed_are_not_made_up_for(ticks: Ticks) -> None:
    ticks.ticker.start()
    await ticks.many(1)
    before, due = ticks.count, ticks.ticker.due
    time.sleep(20 * STEP_S)  # noqa: ASYNC251  # the loop is held up
    begun = time.monotonic()
    await ticks.many(3)
    assert ticks.count - before == 3
    assert time.monotonic() - begun >= STEP_S, "three ticks at once would be making up"
    assert ticks.ticker.due - due >= 20 * STEP_S
    ticks.ticker.stop()


async def test_a_timer_of_the_kernels_is_given_back() -> None:
    ticks = Ticks(PunctualTicker)
    ticks.ticker.start()
    fd = ticks.ticker._fd
    assert fd >= 0, "Linux has such timers"
    ticks.ticker.stop()
    assert ticks.ticker._fd == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
