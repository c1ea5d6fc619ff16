"""A whisper, and what became of it, told from what Asterisk says."""

import asyncio

import pytest

from callflow.adapters.ami.translate_assist import WhisperAttached, WhisperGone
from callflow.core.assist.commands import Say
from callflow.core.assist.facts import Outcome
from callflow.errors import ActionRefused
from callflow.runtime.whispering import Whispering

SAY = Say("talk", "callflow-say-1", "1.1", "PJSIP/a-1", "PJSIP/b-1", "one_moment", "en", over_music=False)
OVER_MUSIC = Say("talk", "callflow-say-1", "1.1", "PJSIP/a-1", "PJSIP/b-1", "one_moment", "en", over_music=True)


class Phone:
    """Counts packets as it is told to, and keeps what it was asked."""

    def __init__(self, *packets: int | None, refuses: bool = False) -> None:
        self.counts, self.refuses = list(packets), refuses
        self.whispered: list[tuple[str, str]] = []
        self.hung_up: list[str] = []
        self.begun = asyncio.Event()

    async def whisper(self, say_id: str, uniqueid: str, path: str) -> None:
        if self.refuses:
            raise ActionRefused("Originate", "no such context")
        self.whispered.append((uniqueid, path))
        self.begun.set()

    async def hang_up(self, channel: str) -> None:
        self.hung_up.append(channel)

    async def packets(self, channel: str) -> int | None:
        assert channel == "PJSIP/b-1"
        return self.counts.pop(0)


def whispering(phone: Phone) -> Whispering:
    return Whispering(phone, lambda prompt, language: f"{language}/callflow/{prompt}", lambda: 5000)


async def outcome(phone: Phone, say: Say = SAY, *, attached: bool = True, stops: bool = False) -> Outcome:
    made = whispering(phone)
    saying = asyncio.create_task(made.say(say))
    if not phone.refuses:
        async with asyncio.timeout(2):
            await phone.begun.wait()
        assert made.live == 1
        if attached:
            made.event(WhisperAttached(say.say_id))
        if stops:
            await made.stop(say.say_id)
        made.event(WhisperGone(say.say_id))
    over = await saying
    assert (over.talk_id, over.say_id, over.at_ms) == (say.talk_id, say.say_id, 5000)
    assert made.live == 0
    return over.outcome


async def test_a_prompt_whose_carrier_never_ceased_has_reached_the_listener() -> None:
    phone = Phone(100, 103, 110)
    assert await outcome(phone) is Outcome.REACHED
    assert phone.whispered == [("1.1", "en/callflow/one_moment")]


@pytest.mark.parametrize("after", [None, 4, 103])
async def test_whether_it_was_heard_is_unknown_when_the_carrier_ceased_or_changed(after: int | None) -> None:
    phone = Phone(100, 103, after)
    made = whispering(phone)
    saying = asyncio.create_task(made.say(SAY))
    await phone.begun.wait()
    made.event(WhisperAttached(SAY.say_id))
    await asyncio.sleep(0.1)
    made.event(WhisperGone(SAY.say_id))
    assert (await saying).outcome is Outcome.UNKNOWN


async def test_without_the_other_party_s_packets_nothing_is_begun() -> None:
    phone = Phone(100, 100)
    over = await whispering(phone).say(SAY)
    assert over.outcome is Outcome.NOT_ATTACHED
    assert phone.whispered == []


async def test_music_carries_a_prompt_without_packets() -> None:
    assert await outcome(Phone(), OVER_MUSIC) is Outcome.REACHED


async def test_a_spy_that_never_attached_said_nothing() -> None:
    assert await outcome(Phone(100, 103), attached=False) is Outcome.NOT_ATTACHED


async def test_a_refused_whisper_is_no_error() -> None:
    assert await outcome(Phone(100, 103, refuses=True)) is Outcome.NOT_ATTACHED


async def test_a_stopped_prompt_is_hung_up() -> None:
    phone = Phone(100, 103)
    assert await outcome(phone, stops=True) is Outcome.STOPPED
    assert phone.hung_up == [SAY.say_id]


async def test_a_prompt_that_is_stopped_before_it_began_never_begins() -> None:
    phone = Phone(100, 103)
    made = whispering(phone)
    saying = asyncio.create_task(made.say(SAY))
    await asyncio.sleep(0)
    await made.stop(SAY.say_id)
    assert (await saying).outcome is Outcome.STOPPED
    assert phone.whispered == []


async def test_a_lost_link_ends_the_wait() -> None:
    phone = Phone(100, 103, None)
    made = whispering(phone)
    saying = asyncio.create_task(made.say(SAY))
    await phone.begun.wait()
    made.link_lost()
    async with asyncio.timeout(1):
        assert (await saying).outcome is Outcome.NOT_ATTACHED
