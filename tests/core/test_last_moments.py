"""What comes at the worst moment: a word between two answers, an ear lost in mid-sound, a key without a beginning."""

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.core.profile import Ladder, Profile, Quiet, Rung
from callflow.core.screening.call import LONGEST_SILENCE_MS
from callflow.core.screening.screening import KEY_BEFORE_MS, MAX_INCONCLUSIVE_VOICES
from tests.core.driver import START_MS, UNIQUEID, Driver, tapped

# With prompts of 4 s: goodbye 14-18 s, the fence at 19.97 s, the end at 20 s.
GOODBYE, FENCE, END = START_MS + 14_000, START_MS + 19_970, START_MS + 20_000


def test_a_word_between_the_fence_and_a_late_verdict_counts() -> None:
    call = tapped().run_until(FENCE - 1)
    call.holds = events.WindowJudged
    call.run_for(41)
    call.sound(None)
    call.run_for(100)
    call.holds = None
    for late in call.held:
        call.tell(late)
    assert call.results == []
    call.run_for(60_000)
    assert call.results == ["rescued"]


def test_a_click_between_the_fence_and_a_late_verdict_does_not_save_a_silent_caller() -> None:
    call = tapped().run_until(FENCE - 1)
    call.holds = events.WindowJudged
    call.run_for(41)
    call.sound(30)
    call.run_for(50)
    call.holds = None
    for late in call.held:
        call.tell(late)
    call.run_for(60_000)
    assert call.results == ["silent"]


def test_noise_in_the_last_moment_is_looked_at_and_then_fenced_anew() -> None:
    call = tapped(Profile(on_noise="silence")).run_until(FENCE + 10)
    call.hears = (Heard.NOISE, -70.0)
    call.sound(None)
    call.run_for(60_000)
    assert call.results == ["silent"]
    assert len(call.offset(commands.FenceEvents)) == 2


def test_a_fence_waits_for_the_look_at_a_voice() -> None:
    call = tapped(Profile(quiet=Quiet(on_exhausted="hangup"))).run_until(START_MS + 4500)
    call.hears = (Heard.QUIET, -60.0)
    while not call.offset(commands.FenceEvents):
        call.run_for(10)
        if call.timeline[-1].kind == "prompt_ended":
            call.voice(-60, Heard.QUIET)
    call.hears = (Heard.SPEECH, -20.0)
    call.holds = events.WindowJudged
    call.tell(events.VoiceBegan(UNIQUEID, call.now))
    call.tell(events.EventsFenced(UNIQUEID, 1))
    assert call.results == []
    call.tell(call.held[-1])
    assert call.results == ["rescued"]


def test_a_sound_that_the_tap_explained_counts_once_the_tap_is_lost() -> None:
    call = tapped().run_until(GOODBYE + 600)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -40.0, "", 1000)
    call.sound(None)
    call.run_for(600)
    assert call.results == []
    call.tell(events.TapLost(UNIQUEID, "Asterisk closed the tap"))
    assert call.results == ["rescued"]


@pytest.mark.parametrize("asterisk_is_behind_ms", [0, 2000, -2000])
def test_a_word_after_an_echo_counts_whatever_asterisks_clock_says(asterisk_is_behind_ms: int) -> None:
    call = tapped().run_until(GOODBYE + 500)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.COMFORT_NOISE, None, -40.0, "", 800)
    call.tell(events.SoundStarted(UNIQUEID, call.now - asterisk_is_behind_ms))
    call.run_for(1000)
    call.tell(events.SoundEnded(UNIQUEID, call.now - asterisk_is_behind_ms, 840))
    call.answer = None
    call.run_until(START_MS + 18_500)
    call.tell(events.SoundStarted(UNIQUEID, call.now - asterisk_is_behind_ms))
    call.run_for(60_000)
    assert call.results == ["rescued"]


def test_a_sound_is_kept_though_the_answer_to_arming_comes_behind_it() -> None:
    call = Driver().link_up().arrive()
    call.run_until(GOODBYE - 100)
    call.holds = events.EarArmed
    call.run_until(GOODBYE + 300)
    assert call.held, "the usual threshold is set again as the goodbye begins"
    call.tell(events.SoundStarted(UNIQUEID, call.now))
    call.run_for(100)
    call.tell(call.held[-1])
    call.run_for(60_000)
    assert call.results == ["rescued"]


def test_voices_that_come_to_nothing_do_not_leave_the_caller_in_silence() -> None:
    call = tapped().run_until(START_MS + 5000)
    call.hears = (Heard.NOISE, -60.0)
    while call.now < START_MS + 12_000:
        call.tell(events.VoiceBegan(UNIQUEID, call.now))
        call.run_for(500)
    something_at_ms = [*call.offset(commands.PlayPrompt)[1:], *call.offset(commands.Release)]
    assert min(something_at_ms) <= 4000 + LONGEST_SILENCE_MS


def test_nobody_listens_for_ever_to_what_comes_to_nothing() -> None:
    """A site may want a longer silence."""
    patient = Ladder(rungs=(Rung(prompt="greeting", listen_s=30.0, then="pass_on"),))
    call = tapped(ladder=patient).run_until(START_MS + 5000)
    call.hears = (Heard.NOISE, -60.0)
    for _ in range(MAX_INCONCLUSIVE_VOICES + 1):
        assert call.results == []
        call.tell(events.VoiceBegan(UNIQUEID, call.now))
        call.run_for(2500)
    assert call.results == ["passed"]


def released(call: Driver) -> None:
    call.tell(events.KeyPressed(UNIQUEID, "5", call.now, released=True))


def test_the_end_of_a_key_counts_for_one_that_had_no_beginning() -> None:
    call = Driver().link_up().arrive().run_until(START_MS + 5000)
    released(call)
    assert call.results == ["key"]


def test_the_end_of_a_key_that_led_here_says_nothing() -> None:
    call = Driver().link_up().arrive().run_until(START_MS + KEY_BEFORE_MS - 1)
    released(call)
    assert call.results == []
    call.run_for(1)
    released(call)
    assert call.results == ["key"]
