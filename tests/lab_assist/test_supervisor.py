"""Row D6 on a real Asterisk where no supervisor takes over: never a flat no, judged from the phones' packets."""

import asyncio

import pytest

from callflow.lab.phone.call import State
from callflow.lab.phone.heard import Span
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.scenarios.site import Version
from tests.lab_assist.stage import AGENT_HZ, CALLER, CALLER_HZ, Talk, assisted, both_speak, gaps_ok
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

HEARD = 0.9
"""Share of a prompt that must be heard."""
LONG_S = 0.7
"""Shorter sounds at the music's frequency are parts of prompts."""
RINGS_S = 30.0
"""Asterisk gives a supervisor up after 15 s (`atxfernoanswertimeout`)."""


async def hear_each_other(there: Talk) -> None:
    before = there.agent.media.sent[-1].at
    await there.says(there.agent, AGENT_HZ, 1)
    await there.says(there.caller, CALLER_HZ, 1)
    await asyncio.sleep(0.3)
    assert [span for span in there.at(there.caller).spans("agent") if span.began > before]
    assert [span for span in there.at(there.agent).spans("caller") if span.began > before]
    assert there.caller.state is there.agent.state is State.TALKING


def music(there: Talk) -> list[Span]:
    """When the caller heard the music on hold."""
    return [span for span in there.at(there.caller).spans("music") if span.lasted_s > LONG_S]


def heard_alone(there: Talk, to_caller: list[str], to_agent: list[str]) -> None:
    """Each prompt was heard in full by the one party, and not by the other."""
    for call, own, other in ((there.caller, to_caller, to_agent), (there.agent, to_agent, to_caller)):
        shares = {name: one.share for name, one in there.at(call, own + other).prompts.items()}
        assert shares.keys() == set(own), shares
        assert min(shares.values()) > HEARD, shares


@pytest.mark.parametrize("how", ["busy", "no answer"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_agent_of_a_supervisor_who_is_not_reached_has_the_caller_back(version: Version, how: str) -> None:
    supervisor = f"{AGENTS[2]}@talk-phones"
    async with assisted(version, "prompt", entry="assist_support", supervisor=supervisor) as there:
        there.talks.phone(AGENTS[2])
        await both_speak(there)
        await asyncio.sleep(0.5)
        await there.agent.press("*78")
        third = await there.talks.bank.phones[AGENTS[2]].next_call(25)
        third.ring()
        if how == "busy":
            await asyncio.sleep(1.0)
            await third.refuse()
        else:
            await third.until(State.ENDED, RINGS_S)
        assert (await there.told("said", "thank_you_for_waiting"))["outcome"] == "reached"
        assert (await there.told("said", "no_supervisor"))["outcome"] == "reached"
        await hear_each_other(there)
        heard_alone(there, ["ask_supervisor", "thank_you_for_waiting"], ["no_supervisor"])
        assert music(there)
        kinds = [step["kind"] for step in there.steps()]
        assert "callback_asked" not in kinds, "the agent decides"
        assert ("action", "supervisor", "done") in [(s["kind"], s["what"], s["outcome"]) for s in there.steps()]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_where_no_supervisor_is_set_the_caller_is_told_so_much_and_called_back(version: Version) -> None:
    async with assisted(version, "prompt", entry="assist_support") as there:
        await both_speak(there)
        await there.agent.press("*78")
        assert (await there.told("said", "ask_supervisor"))["outcome"] == "reached"
        assert (await there.told("said", "no_supervisor"))["outcome"] == "reached"
        await hear_each_other(there)
        heard_alone(there, ["ask_supervisor"], ["no_supervisor"])
        assert not music(there)
        assert there.holds() == []
        kept = await there.stored("select * from callbacks")
        assert (kept["number"], kept["reasons"]) == (CALLER, "offer")
        gaps_ok(there)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_transfer_that_asterisk_does_not_begin_becomes_a_call_back(version: Version) -> None:
    """The dialplan has given the agent the codes, but no transfers."""
    supervisor = f"{AGENTS[2]}@talk-phones"
    async with assisted(version, "prompt", entry="codes_support", supervisor=supervisor) as there:
        await both_speak(there)
        await there.agent.press("*78")
        assert (await there.told("said", "ask_supervisor"))["outcome"] == "reached"
        assert (await there.told("said", "no_supervisor"))["outcome"] == "reached"
        await hear_each_other(there)
        heard_alone(there, ["ask_supervisor"], ["no_supervisor"])
        kept = await there.stored("select * from callbacks")
        assert (kept["number"], kept["reasons"]) == (CALLER, "offer")
