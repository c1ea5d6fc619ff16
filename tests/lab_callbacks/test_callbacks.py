"""Call-backs on a real Asterisk: judged by the SIP messages of the phones, and by the database."""

import asyncio
from typing import Any

import pytest

from callflow.core.callbacks.states import State
from callflow.lab.ami import Message
from callflow.lab.phone.call import State as CallState
from callflow.scenarios.site import Version
from tests.lab_callbacks.stage import SHOWN, Pair, Stage, answers, ignores, refuses, stage, takes
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

Judged = tuple[str, str, int, int]
"""State, outcome, INVITEs to the agent and to the caller."""


def judged(on: Stage, pair: Pair, entry: Any) -> Judged:
    outcomes = on.outcomes(entry)
    return (
        entry.state.value,
        ",".join(outcomes),
        len(on.invites(pair.agent)),
        len(on.invites(pair.customer)),
    )


CASES: dict[str, tuple[Any, Any, Judged]] = {
    "reached": (takes(), answers(), ("done", "reached", 1, 1)),
    "agent-hangs-up-the-talk": (takes(hangs_up_after_s=2.5), answers(talk_s=None), ("done", "reached", 1, 1)),
    "busy": (takes(), refuses(486), ("tried", "busy", 1, 1)),
    "refuses": (takes(), refuses(603), ("tried", "failed", 1, 1)),
    "temporarily-unavailable": (takes(), refuses(480), ("tried", "no_answer", 1, 1)),
    "no-such-number": (takes(), refuses(404), ("tried", "failed", 1, 1)),
    "no-answer": (takes(), ignores(), ("tried", "no_answer", 1, 1)),
    "agent-presses-nothing": (takes(keys=""), answers(), ("open", "agent_declined", 1, 0)),
    "agent-presses-9": (takes(keys="9"), answers(), ("open", "agent_declined", 1, 0)),
    "agent-hangs-up": (answers(talk_s=0.5), answers(), ("open", "agent_declined", 1, 0)),
    "agent-hangs-up-while-it-rings": (takes(hangs_up_after_s=2.0), ignores(), ("tried", "cancelled", 1, 1)),
    "agent-busy": (refuses(486), answers(), ("open", "agent_busy", 1, 0)),
    "agent-refuses": (refuses(603), answers(), ("open", "agent_no_answer", 1, 0)),
    "agent-no-answer": (ignores(), answers(), ("open", "agent_no_answer", 1, 0)),
}
LOCAL = {"reached": 30, "busy": 31, "agent-no-answer": 32}


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_every_outcome_side_by_side(version: Version) -> None:
    async with stage(version) as on:
        await on.lab.start_daemon(on.settings())
        pairs = {name: Pair(number) for number, name in enumerate(CASES)}
        pairs |= {f"{name}-local": Pair(number) for name, number in LOCAL.items()}
        entries: dict[str, Any] = {}

        async def one(name: str, pair: Pair, after_s: float) -> None:
            await asyncio.sleep(after_s)
            agent, customer, _ = CASES[name.removesuffix("-local")]
            on.phones(pair, agent, customer)
            entries[name] = await on.call(pair)

        more = _on_the_line(on)
        await asyncio.gather(*(one(name, pair, 0.15 * n) for n, (name, pair) in enumerate(pairs.items())), more)
        found = {name: judged(on, pairs[name], entry) for name, entry in entries.items()}
        assert found == {name: CASES[name.removesuffix("-local")][2] for name in pairs}
        for pair in pairs.values():
            assert not await on.is_paused(pair)
        assert on.bank.failures == []
        reached = on.entries.attempts(entries["reached"].callback_id)[0]
        leg = on.invites(pairs["reached"].customer)[0]
        assert reached.customer_ring_ms == pytest.approx(1000 * (leg.ring_s or 0), abs=150)
        assert _shown(on, pairs["reached"].customer) == [SHOWN]
        assert "cb-" not in " ".join(_shown(on, pairs["reached"].agent))


def _shown(on: Stage, number: str) -> list[str]:
    """Caller numbers in the INVITEs to a phone."""
    invites = [each.message for each in on.bank.log if each.message.first.startswith(f"INVITE sip:{number}@")]
    headers = [invite.get("From") for invite in invites]
    return [header.partition("sip:")[2].partition("@")[0] for header in headers]


async def _on_the_line(on: Stage) -> None:
    """Callers who are on another call, or wait in a queue, are not called; an answered call settles the entry."""
    talking, waiting, rings_in = Pair(20), Pair(21), Pair(22)
    for pair in (talking, waiting):
        on.phones(pair, takes(), answers())
    on.phones(rings_in, answers(ring_s=1.0, talk_s=2.0), answers())
    other = on.bank.phones[talking.customer].call("cbwait")
    await other.until(CallState.TALKING)
    on.phones(Pair(23), ignores(), answers())
    waits = on.bank.phones[waiting.customer].call(Pair(23).queue)
    await waits.until(CallState.TALKING)
    entries = [on.add(pair) for pair in (talking, waiting)]
    for pair, entry in zip((talking, waiting), entries, strict=True):
        on.wish(pair, entry)
    for pair, entry in zip((talking, waiting), entries, strict=True):
        now = await on.settled(entry)
        assert (now.state, on.outcomes(now), now.attempts) == (State.OPEN, [], 0)
        assert "another call" in now.why
        assert on.invites(pair.agent) == on.invites(pair.customer) == []
    await other.hang_up()
    await waits.hang_up()
    entry = on.add(rings_in)
    call = on.bank.phones[rings_in.customer].call(rings_in.queue)
    await on.until(lambda: on.entries.find(entry.callback_id).state is State.DONE)
    await call.hang_up()
    assert on.outcomes(entry) == []


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_customer_first_confirmed_and_kept_places(version: Version) -> None:
    async with stage(version) as on:
        daemon = await on.lab.start_daemon(on.settings(customer_confirms=True))
        kept = asyncio.create_task(_keeps_a_place(on))
        cases: dict[str, tuple[Any, Any, Judged]] = {
            "confirms": (takes(), answers(keys="1", talk_s=3.0), ("done", "reached", 1, 1)),
            "voicemail": (takes(), answers(talk_s=None), ("tried", "not_confirmed", 1, 1)),
        }
        assert await _judge(on, cases, 0) == {name: case[2] for name, case in cases.items()}
        await kept
        await daemon.stop()
        daemon = await on.lab.start_daemon(on.settings(first="customer"))
        cases = {
            "reached": (takes(), answers(talk_s=6.0), ("done", "reached", 1, 1)),
            "caller-busy": (takes(), refuses(486), ("tried", "busy", 0, 1)),
            "caller-refuses": (takes(), refuses(603), ("tried", "failed", 0, 1)),
            "caller-not-there": (takes(), refuses(404), ("tried", "failed", 0, 1)),
            "caller-unavailable": (takes(), refuses(480), ("tried", "no_answer", 0, 1)),
            "caller-no-answer": (takes(), ignores(), ("tried", "no_answer", 0, 1)),
            "agent-missed": (ignores(), answers(talk_s=None), ("tried", "agent_missed", 1, 1)),
            "agent-presses-nothing": (takes(keys=""), answers(talk_s=None), ("tried", "agent_missed", 1, 1)),
        }
        assert await _judge(on, cases, 10) == {name: case[2] for name, case in cases.items()}


async def _judge(on: Stage, cases: dict[str, tuple[Any, Any, Judged]], first: int) -> dict[str, Judged]:
    pairs = {name: Pair(first + number) for number, name in enumerate(cases)}
    for name, pair in pairs.items():
        on.phones(pair, *cases[name][:2])
    entries = await asyncio.gather(*(on.call(pair) for pair in pairs.values()))
    return {name: judged(on, pair, entry) for (name, pair), entry in zip(pairs.items(), entries, strict=True)}


async def _keeps_a_place(on: Stage) -> None:
    """Key 1 in the queue: the caller is on the list with the place, hears that, and the call ends."""
    pair, ahead = Pair(28), Pair(27)
    on.phones(pair, ignores(), answers())
    on.phones(ahead, ignores(), answers())
    first = on.bank.phones[ahead.customer].call(pair.queue)
    await first.until(CallState.TALKING)
    call = on.bank.phones[pair.customer].call(pair.queue)
    await call.until(CallState.TALKING)
    await asyncio.sleep(1.0)
    await call.press("1")
    await call.until(CallState.ENDED, 15.0)
    (entry,) = [one for one in on.entries.live() if one.number == pair.customer]
    assert (entry.reasons, entry.queue, entry.place) == (("place",), pair.queue, 2)
    await on.lab.asterisk.ami.wait_event(
        lambda event: (event.get("UserEvent"), event.get("Number")) == ("LabH", pair.customer), 5
    )
    await first.hang_up()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_whose_place_could_not_be_kept_is_where_they_were(version: Version) -> None:
    """There is no daemon. Of three callers the first hangs up, and the second, who is the first then, presses 1."""
    async with stage(version) as on:
        pair = Pair(28)
        on.phones(pair, ignores(), answers())
        calls = []
        for number in (24, 25, 26):
            other = Pair(number)
            on.phones(other, ignores(), answers())
            calls.append(on.bank.phones[other.customer].call(pair.queue))
            await calls[-1].until(CallState.TALKING)
        await calls[0].hang_up()
        await asyncio.sleep(3.0)  # Asterisk counts the others' places anew once in a second or so
        await calls[1].press("1")
        who = Pair(25).customer
        left = False

        def back(event: Message) -> bool:
            nonlocal left
            left = left or (event["Event"], event.get("UserEvent"), event.get("Number")) == (
                "UserEvent",
                "CallflowKeepPlace",
                who,
            )
            return left and (event["Event"], event.get("CallerIDNum")) == ("QueueCallerJoin", who)

        joined = await on.lab.asterisk.ami.wait_event(back, 15)
        assert (joined["Position"], joined["Count"]) == ("1", "2")
        for call in calls[1:]:
            await call.hang_up()
