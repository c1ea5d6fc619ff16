"""What the core asks of a caller's sound, answered from the tap and from Asterisk's counters."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.errors import ActionRefused, TapFailed
from callflow.hearing import Finding
from callflow.runtime.listening import Listening

VOICE = Finding(Heard.SPEECH, -30.0, -60.0, 900, 500, "a voice")
MUSIC = Finding(Heard.MUSIC, None, -20.0, 900, 0, "music")
NOISE = Finding(Heard.NOISE, None, -30.0, 900, 0, "noise")
SILENCE = Finding(Heard.DIGITAL_SILENCE, None, -96.0, 900, 0, "nothing")


class Phone:
    """Asterisk's counters, one reading after the other, and what was set."""

    def __init__(self, *media: tuple[int, int] | None, refuses: bool = False) -> None:
        self.media_seen, self.refuses, self.set = list(media), refuses, [""]

    async def media(self, channel: str) -> tuple[int, int] | None:
        return self.media_seen.pop(0)

    async def arm_ear(self, channel: str, silence_ms: int, threshold: int) -> None:
        self.set.append(f"arm {threshold}")

    async def disarm_ear(self, channel: str) -> None:
        self.set.append("disarm")

    async def packets(self, channel: str) -> int | None:
        return None

    async def set_volume(self, channel: str, gain_db: float) -> None:
        if self.refuses:
            raise ActionRefused("Setvar", "no func_volume")
        self.set.append(f"volume {gain_db:g}")

    async def set_agc(self, channel: str, target_dbov: float) -> None:
        self.set.append(f"agc {target_dbov:g}")


class Book:
    """Taps that have found this."""

    def __init__(self, found: Finding | None, *, fails: bool = False, flows: bool = False) -> None:
        self.found, self.fails, self.flowing, self.behind = found, fails, flows, False
        self.played: list[str] = []
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.counts: Counter[str] = Counter()
        self.opens = asyncio.Event()
        self.opens.set()

    async def open(self, key: str, uniqueid: str, *, some_will_do: bool) -> bool:
        self.opened.append(key)
        await self.opens.wait()
        if self.fails:
            raise TapFailed("none left")
        return not some_will_do

    def close(self, key: str) -> None:
        self.closed.append(key)

    def begin_window(self, key: str) -> None: ...

    def finding(self, key: str) -> Finding | None:
        return self.found

    def is_behind(self, key: str) -> bool:
        return self.behind

    def flows(self, key: str) -> bool:
        return self.flowing

    def quiet_ms(self, uniqueid: str) -> int | None:
        return 0

    def plays(self, key: str, prompt: str) -> None:
        self.played.append(prompt)


ARM = commands.ArmEar("call", "PJSIP/a", 160, 256)


async def answers(listening: Listening, *issued: Any, core: str = "screening") -> list[events.Event]:
    """What these commands lead to, for a call whose ear has been armed."""
    told: list[events.Event] = []
    for command in (ARM, *issued):
        if work := listening.carry_out(core, command, told.append):
            await work
    return told[1:]


STOP = commands.StopListening("call", "PJSIP/a", disarm=False)
OPEN = commands.OpenTap("call", "1.1", "PJSIP/a")
JUDGE = commands.JudgeWindow("call", "PJSIP/a", 7)


async def test_a_voice_needs_no_second_opinion() -> None:
    (answer,) = await answers(Listening(Book(VOICE), Phone()), JUDGE)
    assert answer == events.WindowJudged("call", 7, Heard.SPEECH, -30.0, -60.0, "a voice", 900, 500, verified=True)


@pytest.mark.parametrize(
    ("found", "media", "heard"),
    [
        (None, [(0, 0)], [Heard.NO_MEDIA]),
        (None, [(150, 0), (150, 0)], [None, Heard.ONE_WAY_SUSPECTED]),
        (SILENCE, [(150, 0), (300, 0)], [Heard.DIGITAL_SILENCE, Heard.DIGITAL_SILENCE]),
        (SILENCE, [(100, 50)], [Heard.PACKET_LOSS]),
        (SILENCE, [None], [Heard.DIGITAL_SILENCE]),
        (MUSIC, [(100, 50)], [Heard.MUSIC]),
        (NOISE, [(100, 50)], [Heard.NOISE]),
        (SILENCE, [(700, 0), (120, 0)], [Heard.DIGITAL_SILENCE, Heard.DIGITAL_SILENCE]),
        (SILENCE, [(700, 0), (120, 60)], [Heard.DIGITAL_SILENCE, Heard.PACKET_LOSS]),
    ],
)
async def test_asterisks_counters_tell_why_nothing_was_heard(
    found: Finding | None, media: list[tuple[int, int] | None], heard: list[Heard | None]
) -> None:
    told = await answers(Listening(Book(found), Phone(*media)), *[JUDGE] * len(media))
    assert [answer.heard for answer in told if isinstance(answer, events.WindowJudged)] == heard


async def test_a_tap_that_is_behind_says_nothing_of_what_was_heard() -> None:
    book = Book(None)
    book.behind = True
    (answer,) = await answers(Listening(book, Phone()), JUDGE)
    assert answer == events.WindowJudged("call", 7, behind=True, verified=True)


async def test_audio_without_gaps_needs_no_counters() -> None:
    (answer,) = await answers(Listening(Book(SILENCE, flows=True), Phone()), JUDGE)
    assert isinstance(answer, events.WindowJudged)
    assert answer.heard is Heard.DIGITAL_SILENCE


async def test_a_look_is_answered_with_what_the_tap_has() -> None:
    look = commands.JudgeWindow("call", "PJSIP/a", 7, verdict=False)
    (answer,) = await answers(Listening(Book(SILENCE), Phone((100, 50))), look)
    assert isinstance(answer, events.WindowJudged)
    assert answer.heard is Heard.DIGITAL_SILENCE, "the packets that are missing are a matter of the verdict"


async def test_without_taps_nothing_is_asked() -> None:
    assert await answers(Listening(None, Phone()), JUDGE) == [events.WindowJudged("call", 7)]


async def test_nothing_is_kept_of_a_call_whose_answer_comes_behind_its_end() -> None:
    told: list[events.Event] = []
    listening = Listening(Book(None), Phone((100, 0)))
    await answers(listening)
    work = listening.carry_out("screening", JUDGE, told.append)
    assert work is not None
    assert listening.live == 1
    listening.carry_out("screening", STOP, told.append)
    await work
    assert listening.live == 0


@pytest.mark.parametrize("fails", [False, True])
async def test_a_tap_is_there_or_lost(fails: bool) -> None:
    (told,) = await answers(Listening(Book(None, fails=fails), Phone()), OPEN)
    assert told == (events.TapLost("call", "none left") if fails else events.TapOpened("call"))


async def test_who_can_do_with_some_of_the_audio_is_told_that_it_is_not_all() -> None:
    some = commands.OpenTap("call", "1.1", "PJSIP/a", some_will_do=True)
    assert await answers(Listening(Book(None), Phone()), some) == [events.TapOpened("call", is_whole=False)]


@pytest.mark.parametrize(("how", "what"), [("volume", "volume 15"), ("agc", "agc -26")])
async def test_the_gain_is_set_as_the_profile_wants_it(how: Any, what: str) -> None:
    phone = Phone()
    told = await answers(Listening(None, phone), commands.SetGain("call", "1.1", "PJSIP/a", 15.0, how, -26.0))
    assert (told, phone.set[-1]) == ([events.GainSet("call", "1.1", 15.0)], what)


async def test_a_gain_that_cannot_be_set_is_told() -> None:
    (told,) = await answers(
        Listening(None, Phone(refuses=True)), commands.SetGain("call", "1.1", "PJSIP/a", 15.0, "volume", -26.0)
    )
    assert isinstance(told, events.GainRefused)


async def test_what_is_played_is_known_while_it_lasts() -> None:
    book = Book(None)
    listening = Listening(book, Phone())
    await answers(listening)
    with listening.playing("screening", "call", "en/callflow/greeting"):
        assert book.played == ["en/callflow/greeting"]
    assert book.played[-1] == ""


# -- several owners ----------------------------------------------------------------------------------------------------


class Owner:
    """A call of a core that has the same channel tapped."""

    def __init__(self, listening: Listening, core: str) -> None:
        self.listening, self.core = listening, core
        self.told: list[events.Event] = []

    async def does(self, *issued: Any) -> "Owner":
        for command in issued:
            if work := self.listening.carry_out(self.core, command, self.told.append):
                await work
        return self


@pytest.mark.parametrize("first_leaves", [0, 1])
async def test_a_tap_lasts_until_its_last_owner_leaves(first_leaves: int) -> None:
    book = Book(None)
    listening = Listening(book, Phone())
    owners = [await Owner(listening, core).does(ARM, OPEN) for core in ("screening", "assistance")]
    listening.heard(events.VoiceBegan("1.1", 5))
    assert [owner.told[1:] for owner in owners] == 2 * [[events.TapOpened("call"), events.VoiceBegan("call", 5)]]
    assert book.opened == ["1.1"]
    await owners[first_leaves].does(STOP)
    assert book.closed == []
    listening.heard(events.MediaBegan("1.1", 6))
    assert [len(owner.told) for owner in owners] == ([3, 4] if first_leaves == 0 else [4, 3])
    await owners[1 - first_leaves].does(STOP)
    assert (book.closed, listening.live) == (["1.1"], 0)


@pytest.mark.parametrize(("max_taps", "of_talks"), [(8, 6), (3, 2), (1, 0)])
async def test_the_last_quarter_of_the_taps_is_kept_for_screening(max_taps: int, of_talks: int) -> None:
    """A burst of callers who are measured in their talks, and then one who is screened."""
    book = Book(None)
    listening = Listening(book, Phone(), max_taps)
    told: list[list[events.Event]] = []
    for number in range(max_taps):
        wanted = commands.OpenTap(f"talk{number}", f"1.{number}", "PJSIP/a", yields=True)
        told.append((await Owner(listening, "assist").does(wanted)).told)
    assert [events.TapOpened(f"talk{number}") in told[number] for number in range(max_taps)] == [
        number < of_talks for number in range(max_taps)
    ]
    assert all(isinstance(one, events.TapLost) for (one,) in told[of_talks:])
    assert book.counts == {"kept for screening": max_taps - of_talks}
    (opened,) = (await Owner(listening, "screening").does(replace(OPEN, uniqueid="2.1"))).told
    assert opened == events.TapOpened("call")
    again = commands.OpenTap("talk", "2.1", "PJSIP/a", yields=True)
    assert (await Owner(listening, "assist").does(again)).told == [events.TapOpened("talk")]


async def test_a_lost_tap_is_told_to_every_owner_and_can_be_opened_again() -> None:
    book = Book(None)
    listening = Listening(book, Phone())
    owners = [await Owner(listening, core).does(ARM, OPEN) for core in ("screening", "assistance")]
    listening.heard(events.TapLost("1.1", "broken"))
    assert [owner.told[-1] for owner in owners] == 2 * [events.TapLost("call", "broken")]
    await owners[1].does(OPEN)
    assert book.opened == ["1.1", "1.1"]


async def test_talk_detect_is_removed_with_its_last_owner() -> None:
    phone = Phone()
    listening = Listening(None, phone)
    owners = [await Owner(listening, core).does(ARM) for core in ("screening", "assistance")]
    disarm = commands.StopListening("call", "PJSIP/a", disarm=True)
    await owners[0].does(disarm)
    assert "disarm" not in phone.set
    await owners[1].does(disarm)
    assert phone.set[-1] == "disarm"


async def test_a_call_that_ends_while_its_tap_is_opened_leaves_nothing() -> None:
    book = Book(None)
    book.opens = asyncio.Event()
    listening = Listening(book, Phone())
    owner = await Owner(listening, "screening").does(ARM)
    work = listening.carry_out("screening", OPEN, owner.told.append)
    assert work is not None
    opening = asyncio.create_task(work)
    await asyncio.sleep(0)
    await owner.does(STOP)
    book.opens.set()
    await opening
    assert (len(owner.told), listening.live, book.closed) == (1, 0, ["1.1"])
