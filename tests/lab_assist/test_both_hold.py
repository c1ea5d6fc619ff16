"""Each party has put the other on hold, on a real Asterisk: nothing is said to one who is away, nothing ends the music.

Judged from the packets of both phones.
"""

import asyncio
import time

import pytest

from callflow.lab.phone.call import Call
from callflow.scenarios.site import Version
from tests.lab_assist.stage import AGENT_HZ, BROKEN_S, CALLER_HZ, Talk, assisted, both_speak, broken_s
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

RULES = {"reassure_every_s": 5.0, "offer_after_s": 60.0}
PROMPTS = ["one_moment", "still_looking", "still_looking_again", "thank_you_for_waiting"]
SPAN_S = 1.5
BOTH_S = 7.0
"""Longer than the reassurance takes to be due."""
AGREES_MS = 300
REACTS_S = 0.3
WHOLE = 0.7
"""The share of a prompt that was not stopped. Of one that was, the packets that follow later may match its end."""


def party(there: Talk, name: str) -> Call:
    return there.caller if name == "caller" else there.agent


def hears_music(name: str, began: dict[str, float], ended: dict[str, float]) -> list[tuple[float, float]]:
    """When this party is on hold. Asterisk sends nothing to one who holds, too."""
    before, after = (began[other(name)], began[name]), (ended[name], ended[other(name)])
    return [(since + REACTS_S, until - REACTS_S) for since, until in (before, after) if since < until]


def other(name: str) -> str:
    return "agent" if name == "caller" else "caller"


@pytest.mark.parametrize("back", ["agent", "caller"])
@pytest.mark.parametrize("first", ["agent", "caller"])
@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_talk_is_on_hold_until_neither_party_holds(version: Version, first: str, back: str) -> None:
    async with assisted(version, "prompt", rules=RULES) as there:
        await both_speak(there)
        await asyncio.sleep(0.5)
        began: dict[str, float] = {}
        ended: dict[str, float] = {}
        for name in (first, other(first)):
            await party(there, name).hold("sendonly")
            began[name] = time.time()
            await asyncio.sleep(SPAN_S)
        await asyncio.sleep(BOTH_S)
        for name in (back, other(back)):
            await party(there, name).resume()
            ended[name] = time.time()
            await asyncio.sleep(BOTH_S)
        await there.says(there.agent, AGENT_HZ, 1)
        await there.says(there.caller, CALLER_HZ, 1)
        await asyncio.sleep(0.3)
        heard = there.at(there.caller, PROMPTS)
        assert there.at(there.agent, PROMPTS).prompts == {}
        for name, one in ((name, one) for name, one in heard.prompts.items() if one.share > WHOLE):
            assert one.span.ended < began["caller"] + 0.3 or one.span.began > ended["caller"], f"{name} to nobody"
        assert ("thank_you_for_waiting" in heard.prompts) is (back == "caller")
        assert ("still_looking" in heard.prompts) is (back == "caller"), "reassured once the caller is there"
        assert [span for span in heard.spans("agent") if span.began > max(ended.values())]
        callers = there.at(there.agent).spans("caller")
        assert [span for span in callers if span.began > max(ended.values())]
        for name in ("caller", "agent"):
            for since, until in hears_music(name, began, ended):
                assert broken_s(there, party(there, name), since, until) < BROKEN_S, f"the {name}'s music has ended"
        holds = {str(hold["held_by"]): int(str(hold["hold_ms"])) for hold in there.holds()}
        for name in ("caller", "agent"):
            assert holds[name] == pytest.approx((ended[name] - began[name]) * 1000, abs=AGREES_MS)
