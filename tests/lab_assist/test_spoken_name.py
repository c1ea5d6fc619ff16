"""A caller on hold accepts a call-back and says a name: what the file holds, who heard it, and who hears it later."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.lab.phone.call import Call
from callflow.lab.phone.media import FRAME_S, Frame
from callflow.lab.phone.presence import presence
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.processes.process import LAB_FOLDER
from callflow.scenarios.site import Version
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, read_wav
from tests.lab_assist.stage import CALLER, CALLER_HZ, Talk, assisted, music_ok, own_channels
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

NAME_S = 1.0
LEAST_S = 0.6
"""ChanSpy drops frames on a busy machine: 16 lost up to 0.18 of a sound at a load of 17."""
CALLBACKS = {
    "dial": "PJSIP/{number}@customers",
    "say_digits": 0,
    "profiles": {"default": {"zone": "UTC", "hours": ["mon-sun 00:00-24:00"], "after_s": 3600}},
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with the same path inside Asterisk's root."""
    LAB_FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=LAB_FOLDER, prefix="names-") as name:
        yield Path(name)


def frames(file: Path) -> list[Frame]:
    """A recording as a phone would have received it."""
    sound = mulaw.encode(read_wav(file))
    return [
        Frame(at * FRAME_S, 0, False, at, at * FRAME, 0, sound[at * FRAME :][:FRAME])
        for at in range(len(sound) // FRAME)
    ]


def heard_s(call: Call, since: float = 0.0) -> float:
    """For how long a phone has heard the caller's sine."""
    spans = presence(call.media.received, {"caller": CALLER_HZ}).spans("caller")
    return sum(span.lasted_s for span in spans if span.began > since)


async def accepts(talk: Talk) -> float:
    """The caller waits on hold, presses 1, and says a name; returns when."""
    await talk.agent_greets()
    await talk.says(talk.caller, CALLER_HZ, 1)
    await asyncio.sleep(0.5)
    await talk.agent.hold("sendonly")
    held_at = time.time()
    await talk.told("callback_offered")
    await talk.caller.press("1")
    assert (await talk.told("said", "say_your_name"))["outcome"] == "reached"
    await asyncio.sleep(0.5)
    await talk.says(talk.caller, CALLER_HZ, NAME_S)
    return held_at


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_agent_who_calls_back_hears_the_name_that_the_caller_said_on_hold(
    version: Version, folder: Path
) -> None:
    rules = {"offer_after_s": 10.0, "ask_name": True, "names_dir": str(folder)}
    async with assisted(version, "prompt", rules=rules, more={"callbacks": CALLBACKS}) as talk:
        held_at = await accepts(talk)
        name = str((await talk.told("name_recorded"))["what"])
        await talk.told("said", "call_back_agreed")
        assert heard_s(talk.agent, held_at) == 0  # the agent is on hold as well
        there = talk.at(talk.caller, ["say_your_name", "call_back_agreed"])
        assert [one.share > 0.9 for one in there.prompts.values()] == [True, True]
        music_ok(talk)
        file = folder / f"{name}.wav"
        found = presence(frames(file), {"caller": CALLER_HZ, "music": talk.talks.tones["music"]})
        assert LEAST_S < sum(span.lasted_s for span in found.spans("caller")) < NAME_S + 0.1
        assert found.spans("music") == []
        entry = await talk.stored("select * from callbacks where spoken_name <> ''")
        assert (entry["spoken_name"], entry["number"], entry["reasons"]) == (name, CALLER, "offer")
        assert CALLER not in name
        await talk.agent.resume()
        await talk.told("said", "thank_you_for_waiting")
        await talk.caller.hang_up()
        await talk.told("ended")
        await asyncio.sleep(0.2)
        assert own_channels(talk.talks.ami) == []
        await called_back(talk, str(entry["callback_id"]))


async def called_back(talk: Talk, callback_id: str) -> None:
    """The agent hears the name, presses 1, and only then the caller is dialled."""
    now_ms = round(1000 * time.time())
    entries = CallbackList(talk.daemon.database, "main", busy_s=20)
    entries.change(callback_id, lambda now: now.changed(now_ms, "boss", "asks", wish=AGENTS[0]))
    agent = await talk.talks.bank.phones[AGENTS[0]].next_call()
    agent.ring()
    await agent.answer()
    async with asyncio.timeout(15):
        while heard_s(agent) < LEAST_S - 0.1:  # noqa: ASYNC110 - frames come from Asterisk
            await asyncio.sleep(0.05)
    await agent.press("1")
    customer = await talk.talks.bank.phones[CALLER].next_call()
    customer.ring()
    await customer.answer()
    await talk.stored("select * from callback_attempts where reached_ms is not null")
    await customer.hang_up()
