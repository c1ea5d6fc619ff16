"""The daemon is killed, and AMI is cut, in the middle of call-backs: nobody is called twice, and nothing is lost."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from callflow.core.callbacks.attempt import Outcome
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.states import State
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.lab_callbacks.stage import Pair, Stage, answers, ignores, stage, takes
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

ROUNDS = 3
AT_ONCE = 8
SPREAD_S = 4.0


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_killed_anywhere_between_claim_and_answer(version: Version) -> None:
    """Calls begin at any time within four seconds before the kill, so that it hits every step of a call-back."""
    chance = random.Random(22)
    async with stage(version) as on:
        daemon = await on.lab.start_daemon(on.settings())
        pairs = [Pair(number) for number in range(ROUNDS * AT_ONCE)]
        entries: dict[Pair, Any] = {}

        async def wish(pair: Pair, after_s: float) -> None:
            on.phones(pair, takes(), answers(talk_s=2.0))
            await asyncio.sleep(after_s)
            entries[pair] = on.add(pair)
            on.wish(pair, entries[pair])

        for number in range(ROUNDS):
            some = pairs[number * AT_ONCE : (number + 1) * AT_ONCE]
            await asyncio.gather(
                *(wish(pair, SPREAD_S * chance.random()) for pair in some), _kill_after(daemon, SPREAD_S)
            )
        settled = {pair: await on.settled(entry) for pair, entry in entries.items()}
        await asyncio.sleep(1.0)
        for pair, entry in settled.items():
            await _is_accounted_for(on, pair, entry)
        assert {entry.state for entry in settled.values()} >= {State.DONE}


async def _kill_after(daemon: Daemon, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await daemon.kill()
    await daemon.start()


async def _is_accounted_for(on: Stage, pair: Pair, entry: Any) -> None:
    attempts = on.entries.attempts(entry.callback_id)
    placed = [attempt for attempt in attempts if attempt.outcome is not Outcome.UNPLACED]
    agent, customer = len(on.invites(pair.agent)), len(on.invites(pair.customer))
    assert len(placed) <= 1
    assert agent <= len(placed)
    assert customer <= agent
    assert not await on.is_paused(pair)
    outcomes = [attempt.outcome for attempt in placed]
    if entry.state is State.DONE:
        assert (agent, customer) == (1, 1)
    elif not placed:
        assert (entry.state, agent) == (State.OPEN, 0)
    else:
        assert (entry.state, outcomes) == (State.UNKNOWN, [Outcome.UNKNOWN])


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_ami_is_cut_right_after_originate_and_the_paced_dialler(version: Version) -> None:
    async with stage(version) as on, on.lab.ami_proxy() as proxy:
        daemon = await on.lab.start_daemon(on.settings() | {"ami": {"port": proxy.port}})
        back_soon, away = Pair(0), Pair(1)
        for pair in (back_soon, away):
            on.phones(pair, takes(), answers(talk_s=2.0))
        entry = on.add(back_soon)
        on.wish(back_soon, entry)
        await on.until(lambda: on.invites(back_soon.agent))
        proxy.cut(reset=True)
        now = await on.settled(entry)
        assert (now.state, on.outcomes(now)) == (State.DONE, ["reached"])
        entry = on.add(away)
        on.wish(away, entry)
        await on.until(lambda: on.invites(away.agent))
        proxy.cut(reset=True, refuse=True)
        await on.until(lambda: on.invites(away.customer) and on.invites(away.customer)[0].bye_at)
        proxy.heal()
        now = await on.settled(entry)
        assert (now.state, on.outcomes(now)) == (State.UNKNOWN, ["unknown"])
        for pair in (back_soon, away):
            assert (len(on.invites(pair.agent)), len(on.invites(pair.customer))) == (1, 1)
            assert not await on.is_paused(pair)
        await daemon.stop()
        await _paced(on)


def _is_done(on: Stage, entry: Entry) -> bool:
    return on.entries.find(entry.callback_id).state is State.DONE


async def _paced(on: Stage) -> None:
    """One call for each free agent, and none for one in whose queue a caller waits."""
    await on.lab.start_daemon(on.settings(auto=True, agent_rest_s=0))
    twice, waits = Pair(10), Pair(11)
    on.phones(twice, takes(), answers(talk_s=1.0))
    on.bank.phone("13855550900", 0, answers(talk_s=1.0))
    on.phones(waits, ignores(), answers())
    waiting = on.bank.phone("13855550901", 0).call(waits.queue)
    await on.until(lambda: on.invites(waits.agent))
    held_back = on.add(waits, keeps=waits, automatic=True)
    first = on.add(twice, keeps=twice, automatic=True)
    second = on.add(twice, number="13855550900", keeps=twice, automatic=True)
    for entry in (first, second):
        await on.until(partial(_is_done, on, entry))
    legs = on.invites(twice.agent)
    assert len(legs) == 2
    assert legs[1].invited_at > (legs[0].bye_at or 0), "one call-back at a time for an agent"
    assert len(on.invites(waits.agent)) >= 1
    assert on.invites(waits.customer) == []
    assert on.entries.find(held_back.callback_id).state is State.OPEN
    on.phones(waits, takes(), answers(talk_s=1.0))
    await waiting.hang_up()
    await on.until(lambda: on.entries.find(held_back.callback_id).state is State.DONE)
    assert len(on.invites(waits.customer)) == 1
