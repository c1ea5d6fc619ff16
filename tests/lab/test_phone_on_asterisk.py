"""The lab's phone on a real Asterisk: registered or static, who hears it, on hold, with deliberate faults, keys."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import gaps, heard, played, who_was_heard
from callflow.lab.phone.phone import Phone, PhoneBank
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.scenarios.site import Version
from callflow.sound.audio import read_wav
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]

CALLER_HZ, AGENT_HZ = 650, 750
KEYS_BY: tuple[Literal["rfc4733", "info"], ...] = ("rfc4733", "info")
_FILES = {
    "pjsip.conf": "\n[{n}]\ntype = endpoint\ncontext = phones\naors = {n}\ndisallow = all\nallow = ulaw\n"
    "direct_media = no\n[{n}]\ntype = aor\nmax_contacts = 1\n",
    "extensions.conf": "\n[phones]\nexten => _5XXX,1,Dial(PJSIP/${EXTEN},20,tT)\n same => n,Hangup()\n"
    "exten => 60,1,Answer()\n same => n,Wait(0.2)\n same => n,Playback(callflow/goodbye)\n same => n,Wait(2)\n"
    "exten => 61,1,Answer()\n same => n,Wait(2)\n same => n,Hangup()\n",
}


def _additions(ports: PortBlock) -> Mapping[str, str]:
    return _FILES | {"pjsip.conf": "".join(_FILES["pjsip.conf"].format(n=n) for n in (5001, 5002))}


@asynccontextmanager
async def two_phones(version: Version) -> AsyncIterator[tuple[Lab, Phone, Phone]]:
    """A lab with two phones that have registered."""
    async with (
        open_lab(version, additions=_additions) as lab,
        PhoneBank((LOOPBACK, lab.asterisk.ports.sip)) as bank,
    ):
        caller, agent = bank.phone("5001", CALLER_HZ), bank.phone("5002", AGENT_HZ)
        await asyncio.gather(caller.register(), agent.register())
        yield lab, caller, agent
        assert bank.failures == []


async def talking(caller: Phone, agent: Phone) -> tuple[Call, Call]:
    call = caller.call(agent.number)
    there = await agent.next_call()
    there.ring()
    await there.answer()
    await call.until(State.TALKING)
    return call, there


async def until_heard(call: Call, hz: int, since: int = 0) -> None:
    """Until a party is heard in what was received after the first `since` frames. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while not any(span.lasted_s > 0.2 for span in heard(call.media.received[since:], hz)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_phone_does_on_asterisk_what_it_says(version: Version) -> None:
    async with two_phones(version) as (lab, caller, agent):
        call, there = await talking(caller, agent)
        await asyncio.gather(until_heard(call, AGENT_HZ), until_heard(there, CALLER_HZ))
        assert who_was_heard(call.media.received, {"caller": CALLER_HZ})["caller"] == []

        await there.hold("sendonly")
        event = await lab.asterisk.ami.wait_event(lambda event: event["Event"] == "Hold", 5)
        assert event["Channel"].startswith("PJSIP/5002-")
        held = len(call.media.received)
        await there.resume()
        await lab.asterisk.ami.wait_event(lambda event: event["Event"] == "Unhold", 5)
        await until_heard(call, AGENT_HZ, held)

        ssrc = there.media.ssrc
        there.media.change_source()
        assert there.media.ssrc != ssrc
        before = len(call.media.received)
        await until_heard(call, AGENT_HZ, before)

        there.media.stop()
        await asyncio.sleep(0.5)
        there.media.resume()
        before = len(call.media.received)
        await until_heard(call, AGENT_HZ, before)
        assert gaps(call.media.received, 0.4)

        await call.hang_up()
        await there.until(State.ENDED)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_prompt_is_recognised_and_keys_are_taken(version: Version) -> None:
    async with two_phones(version) as (lab, caller, _):
        call = caller.call("60")
        await call.until(State.ENDED, 20)
        prompt = played(call.media.received, read_wav(lab.sounds / "en/callflow/goodbye.wav"))
        assert prompt is not None
        assert prompt.share > 0.9

        for by in KEYS_BY:
            keys = caller.call("61")
            await keys.until(State.TALKING)
            await keys.press("12*#", by)
            await keys.until(State.ENDED, 10)
        taken = [event["Digit"] for event in lab.asterisk.ami.events if event["Event"] == "DTMFEnd"]
        assert "".join(taken) == "12*#" * len(KEYS_BY)
