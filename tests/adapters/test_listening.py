"""What the core asks of a caller's sound, answered from the tap and from Asterisk's counters."""

from typing import Any

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.errors import ActionRefused, TapFailed
from callflow.hearing import Finding
from callflow.runtime.listening import Listening

VOICE = Finding(Heard.SPEECH, -30.0, -60.0, 900, 500, "a voice")
SILENCE = Finding(Heard.DIGITAL_SILENCE, None, -96.0, 900, 0, "nothing")


class Phone:
    """Asterisk's counters, one reading after the other, and what was set."""

    def __init__(self, *media: tuple[int, int] | None, refuses: bool = False) -> None:
        self.media_seen, self.refuses, self.set = list(media), refuses, [""]

    async def media(self, channel: str) -> tuple[int, int] | None:
        return self.media_seen.pop(0)

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
        self.found, self.fails, self.flowing = found, fails, flows
        self.played: list[str] = []

    async def open(self, call_id: str, uniqueid: str) -> None:
        if self.fails:
            raise TapFailed("none left")

    def close(self, call_id: str) -> None: ...
    def begin_window(self, call_id: str) -> None: ...

    def finding(self, call_id: str) -> Finding | None:
        return self.found

    def flows(self, call_id: str) -> bool:
        return self.flowing

    def quiet_ms(self, call_id: str) -> int | None:
        return 0

    def plays(self, call_id: str, prompt: str) -> None:
        self.played.append(prompt)


async def answers(listening: Listening, *issued: Any) -> list[events.Event]:
    told: list[events.Event] = []
    for command in issued:
        if work := listening.carry_out(command, told.append):
            await work
    return told


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
    ],
)
async def test_asterisks_counters_tell_why_nothing_was_heard(
    found: Finding | None, media: list[tuple[int, int] | None], heard: list[Heard | None]
) -> None:
    told = await answers(Listening(Book(found), Phone(*media)), *[JUDGE] * len(media))
    assert [answer.heard for answer in told if isinstance(answer, events.WindowJudged)] == heard


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
    work = listening.carry_out(JUDGE, told.append)
    assert work is not None
    assert listening.live == 1
    listening.carry_out(commands.CloseTap("call"), told.append)
    await work
    assert listening.live == 0


@pytest.mark.parametrize("fails", [False, True])
async def test_a_tap_is_there_or_lost(fails: bool) -> None:
    (told,) = await answers(Listening(Book(None, fails=fails), Phone()), commands.OpenTap("call", "1.1", "PJSIP/a"))
    assert told == (events.TapLost("call", "none left") if fails else events.TapOpened("call"))


@pytest.mark.parametrize(("how", "what"), [("volume", "volume 15"), ("agc", "agc -26")])
async def test_the_gain_is_set_as_the_profile_wants_it(how: Any, what: str) -> None:
    phone = Phone()
    told = await answers(Listening(None, phone), commands.SetGain("call", "PJSIP/a", 15.0, how, -26.0))
    assert (told, phone.set[-1]) == ([events.GainSet("call", 15.0)], what)


async def test_a_gain_that_cannot_be_set_is_told() -> None:
    (told,) = await answers(
        Listening(None, Phone(refuses=True)), commands.SetGain("call", "PJSIP/a", 15.0, "volume", -26.0)
    )
    assert isinstance(told, events.GainRefused)


def test_what_is_played_is_known_while_it_lasts() -> None:
    book = Book(None)
    with Listening(book, Phone()).playing("call", "en/callflow/greeting"):
        assert book.played == ["en/callflow/greeting"]
    assert book.played[-1] == ""
