"""Greetings on a real Asterisk: what the caller hears before the queue, and that nothing delays the caller."""

import asyncio
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callflow.core.greetings.greeting import Acquaintance, greeting
from callflow.core.greetings.rules import GreetingRules
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import HEARD_DBOV
from callflow.lab.phone.presence import presence
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.scenarios.site import Version
from callflow.sound.audio import duration_s, read_wav
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]

CALLER = "1301"
WISH = "mid_autumn"
ENTRY = """
[from-lab]
exten => _greet!,1,Set(CHANNEL(language)=${CUT(EXTEN,_,2)})
 same => n,Gosub(callflow-greet,s,1(${CUT(EXTEN,_,3)}))
 same => n,UserEvent(Greeted,Line: ${CUT(EXTEN,_,3)},Status: ${AGISTATUS})
 same => n,Queue(support,,,,30)
 same => n,Hangup()
"""
KNOWN = (sys.executable, "-S", "-c", "print('{\"known\": true}')", "{number}")
HANGS = (sys.executable, "-S", "-c", "import time; time.sleep(30)", "{number}")
GREETINGS: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "lines": {"direct": {"kind": "direct", "work_number": "801"}, "desk": {"kind": "department"}},
}


def folder(talks: TalkLab, language: str) -> Path:
    return talks.lab.sounds / language / "callflow"


async def greeted(talks: TalkLab, entry: str) -> tuple[Call, float, dict[str, str]]:
    """A call to this entry, until the queue: the call, when it was answered, and what the dialplan reported."""
    seen = len(talks.ami.user_events("Greeted"))
    call = talks.phone(CALLER).call(entry)
    await call.until(State.TALKING)
    answered_at = time.time()
    async with asyncio.timeout(30):
        while len(talks.ami.user_events("Greeted")) == seen:  # noqa: ASYNC110 - the lab's session keeps events
            await asyncio.sleep(0.02)
    return call, answered_at, talks.ami.user_events("Greeted")[-1]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_caller_hears_the_greeting_of_their_line_and_then_the_agent_who_hears_nothing_of_it(
    version: Version,
) -> None:
    yesterday = datetime.now(ZoneInfo(GREETINGS["zone"])) - timedelta(days=1)
    greetings = GREETINGS | {"festivals": [f"{WISH} {yesterday:%m-%d} 3"]}
    async with talk_lab(version, lambda port: {"extensions.conf": ENTRY}) as talks:
        await talks.lab.start_daemon({"greetings": greetings})
        rules = GreetingRules.model_validate(greetings)
        agent = talks.agent()
        for entry, line, language in (("greet_zh_direct", "direct", "zh"), ("greet_en_desk", "desk", "en")):
            before_ms = round(time.time() * 1000)
            call, answered_at, told = await greeted(talks, entry)
            said = greeting(rules, line, before_ms, Acquaintance())
            assert WISH in said
            sounds = {name: read_wav(folder(talks, language) / f"{name}.wav") for name in said}
            heard = presence(call.media.received, {}, sounds).prompts
            assert heard.keys() == sounds.keys()
            began = [heard[name].span.began for name in said if name in heard]
            assert began == sorted(began)
            assert all(one.share > 0.9 for one in heard.values())
            length_s = sum(duration_s(folder(talks, language) / f"{name}.wav") for name in said)
            assert float(told["Timestamp"]) - answered_at == pytest.approx(length_s, abs=1.0)
            there = await agent.next_call()
            there.ring()
            await there.answer()
            spoken_from = time.time() + 0.2
            await asyncio.sleep(1.0)
            at_caller = presence(call.media.received, {"agent": talks.tones[agent.number]})
            assert at_caller.level_dbov("agent", spoken_from) > HEARD_DBOV
            at_agent = presence(there.media.received, {"caller": talks.tones[CALLER]}, sounds)
            assert at_agent.prompts == {}
            assert at_agent.spans("caller")
            await call.hang_up()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_known_caller_is_greeted_so_and_a_look_up_that_hangs_delays_nobody(version: Version) -> None:
    async with talk_lab(version, lambda port: {"extensions.conf": ENTRY}) as talks:
        for command, known in ((KNOWN, True), (HANGS, False)):
            daemon = await talks.lab.start_daemon({"greetings": GREETINGS | {"lookup_command": command}})
            call, answered_at, _ = await greeted(talks, "greet_en_company")
            welcome = {"welcome_back": read_wav(folder(talks, "en") / "welcome_back.wav")}
            assert bool(presence(call.media.received, {}, welcome).prompts) is known
            loud = [frame.at for frame in call.media.received if len(set(frame.payload)) > 4]
            assert loud[0] - answered_at < 1.5  # a look-up takes 0.3 s at most, on any machine
            await call.hang_up()
            await daemon.stop()


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_without_a_daemon_the_caller_goes_on_at_once(version: Version) -> None:
    async with talk_lab(version, lambda port: {"extensions.conf": ENTRY}) as talks:
        call, answered_at, told = await greeted(talks, "greet_en_company")
        assert told["Status"] == "FAILURE"
        assert float(told["Timestamp"]) - answered_at < 1.0
        await talks.event("QueueCallerJoin", Queue="support")
        await call.hang_up()
