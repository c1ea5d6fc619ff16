"""A whisper, and what became of it, told from what Asterisk says."""

import asyncio
from dataclasses import replace

import pytest

from callflow.adapters.ami.translate_assist import WhisperAttached, WhisperGone
from callflow.core.assist.commands import Say
from callflow.core.assist.facts import Outcome, PromptOver
from callflow.errors import ActionRefused
from callflow.runtime.whispering import Whispering

SAY = Say("talk", "callflow-say-1", "1.1", "PJSIP/a-1", "PJSIP/b-1", False, "one_moment", "en", over_music=False)
OVER_MUSIC = Say("talk", "callflow-say-1", "1.1", "PJSIP/a-1", "PJSIP/b-1", False, "one_moment", "en", over_music=True)


class Phone:
    """Counts packets as it is told to, and keeps what it was asked."""

    def __init__(self, *packets: int | None, refuses: bool = False, codes: bool = False) -> None:
        self.counts, self.refuses, self.codes = list(packets), refuses, codes
        self.typed: list[tuple[str, str, str]] = []
        self.cut: list[str] = []
        self.gone = False
        self.whispered: list[tuple[str, str]] = []
        self.hung_up: list[str] = []
        self.begun = asyncio.Event()

    async def whisper(self, say_id: str, uniqueid: str, path: str) -> None:
        if self.refuses:
            raise ActionRefused("Originate", "no such context")
        self.whispered.append((uniqueid, path))
        self.begun.set()

    async def has_codes(self, channel: str) -> bool:
        return self.codes

    async def play_by_code(self, say_id: str, listener: str, agent: str, path: str) -> None:
        self.typed.append((listener, agent, path))
        self.begun.set()

    async def stop_by_code(self, listener: str) -> None:
        self.cut.append(listener)
        if self.gone:
            raise ActionRefused("Setvar", "No such channel")

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


@pytest.mark.parametrize("left_of_a_key", [0, 1, 2])
async def test_without_the_other_party_s_packets_nothing_is_begun(left_of_a_key: int) -> None:
    phone = Phone(100, 100 + left_of_a_key, 100 + left_of_a_key)
    over = await whispering(phone).say(SAY)
    assert over.outcome is Outcome.NOT_ATTACHED
    assert phone.whispered == []


@pytest.mark.parametrize(
    "packets",
    [(100, 102, 106), (100, 101, 102), (100, 100, 109)],
    ids=["one look came early", "60 ms in a packet", "a gap in the network"],
)
async def test_few_packets_are_looked_at_once_more(packets: tuple[int, ...]) -> None:
    assert await outcome(Phone(*packets, 300)) is Outcome.REACHED


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


# -- the other party's phone sends nothing ------------------------------------------------------------------------


async def by_code(phone: Phone, say: Say = SAY) -> tuple[Whispering, asyncio.Task[PromptOver]]:
    """A prompt whose code has been typed."""
    made = whispering(phone)
    saying = asyncio.create_task(made.say(say))
    async with asyncio.timeout(2):
        await phone.begun.wait()
    return made, saying


@pytest.mark.parametrize(("to_agent", "agent"), [(False, "PJSIP/b-1"), (True, "PJSIP/a-1")])
async def test_the_listener_s_own_channel_plays_what_nothing_would_carry(to_agent: bool, agent: str) -> None:
    phone = Phone(100, 100, 100, codes=True)
    made, saying = await by_code(phone, replace(SAY, to_agent=to_agent))
    made.event(WhisperAttached(SAY.say_id))
    made.event(WhisperGone(SAY.say_id))
    assert (await saying).outcome is Outcome.REACHED
    assert phone.typed == [("PJSIP/a-1", agent, "en/callflow/one_moment")]
    assert (phone.whispered, phone.cut) == ([], [])


async def test_a_file_that_asterisk_cannot_play_has_not_reached_the_listener() -> None:
    made, saying = await by_code(Phone(100, 100, 100, codes=True))
    made.event(WhisperAttached(SAY.say_id))
    made.event(WhisperGone(SAY.say_id, played=False))
    assert (await saying).outcome is Outcome.NOT_ATTACHED


@pytest.mark.parametrize(("say", "packets"), [(SAY, (100, 103)), (OVER_MUSIC, ())])
async def test_neither_has_a_whisper_without_its_file(say: Say, packets: tuple[int, ...]) -> None:
    phone = Phone(*packets)
    made = whispering(phone)
    saying = asyncio.create_task(made.say(say))
    await phone.begun.wait()
    made.event(WhisperAttached(say.say_id))
    made.event(WhisperGone(say.say_id, played=False))
    made.event(WhisperGone(say.say_id))
    assert (await saying).outcome is Outcome.NOT_ATTACHED


async def test_a_prompt_by_code_is_stopped() -> None:
    phone = Phone(100, 100, 100, codes=True)
    made, saying = await by_code(phone)
    made.event(WhisperAttached(SAY.say_id))
    await made.stop(SAY.say_id)
    made.event(WhisperGone(SAY.say_id))
    assert (await saying).outcome is Outcome.STOPPED
    assert phone.cut[0] == "PJSIP/a-1"
    assert phone.hung_up == []


async def test_a_prompt_by_code_that_is_stopped_before_it_sounds_is_cut_once_more() -> None:
    phone = Phone(100, 100, 100, codes=True)
    made, saying = await by_code(phone)
    await made.stop(SAY.say_id)
    made.event(WhisperAttached(SAY.say_id))
    await asyncio.sleep(0)
    made.event(WhisperGone(SAY.say_id))
    assert (await saying).outcome is Outcome.STOPPED
    assert len(phone.cut) == 2


async def test_a_channel_that_is_gone_ends_its_prompt() -> None:
    phone = Phone(100, 100, 100, codes=True)
    made, saying = await by_code(phone)
    made.event(WhisperAttached(SAY.say_id))
    phone.gone = True
    await made.stop(SAY.say_id)
    async with asyncio.timeout(1):
        assert (await saying).outcome is Outcome.STOPPED


async def test_codes_that_asterisk_has_not_loaded_are_typed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callflow.runtime.whispering.CODE_S", 0.05)
    phone = Phone(*[100] * 9, codes=True)
    made, saying = await by_code(phone)
    assert (await saying).outcome is Outcome.NOT_ATTACHED
    assert (await made.say(SAY)).outcome is Outcome.NOT_ATTACHED
    assert len(phone.typed) == 1
    made.link_lost()  # Asterisk may have been restarted
    phone.begun.clear()
    again = asyncio.create_task(made.say(SAY))
    async with asyncio.timeout(2):
        await phone.begun.wait()
    made.link_lost()
    assert (await again).outcome is Outcome.NOT_ATTACHED
    assert len(phone.typed) == 2
