"""What comes at the worst moment: a word between two answers, an ear lost in mid-sound, a key without a beginning."""

import pytest

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.core.profile import Ladder, Profile, Quiet, Rung
from callflow.core.screening.call import LONGEST_SILENCE_MS
from callflow.core.screening.engine import Engine
from callflow.core.screening.screening import KEY_BEFORE_MS, MAX_INCONCLUSIVE_VOICES
from tests.core.driver import START_MS, UNIQUEID, Driver, procedures, tapped

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


@pytest.mark.parametrize("later", [Heard.DIGITAL_SILENCE, Heard.COMFORT_NOISE, Heard.NOISE])
def test_a_sound_after_the_goodbye_that_was_noise_is_a_doubt_however_short_it_was(later: Heard) -> None:
    """It fills less than a quarter of the window, whose noise is then that of the quiet line."""
    call = tapped().run_until(START_MS + 18_600)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -24.0, "", heard_ms=650)
    call.sound(450)
    call.run_for(300)
    call.answer = events.WindowJudged(UNIQUEID, 0, later, None, -72.0, "", heard_ms=1900, verified=True)
    call.run_for(60_000)
    assert (call.results, call.final.heard) == (["passed"], "noise")


def test_what_sounds_like_our_prompt_long_after_its_end_is_a_caller() -> None:
    call = tapped().run_until(START_MS + 18_500)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.COMFORT_NOISE, None, -30.0, "", heard_ms=700)
    call.sound(None)
    call.run_for(60_000)
    assert call.results == ["rescued"]


@pytest.mark.parametrize(
    "found",
    [
        events.WindowJudged(UNIQUEID, 0, Heard.MUSIC, None, -20.0, "", 3000),
        events.WindowJudged(UNIQUEID, 0, Heard.NOISE, None, -40.0, "", 3000, lasting_ms=1000),
    ],
    ids=["music", "noise that has just begun"],
)
def test_a_voice_in_the_goodbye_that_turns_out_to_be_none_is_a_doubt(found: events.WindowJudged) -> None:
    """The goodbye was stopped for it: the caller has not heard it."""
    call = tapped().run_until(START_MS + 16_500)
    call.answer = found
    call.tell(events.VoiceBegan(UNIQUEID, call.now))
    call.run_for(1000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.DIGITAL_SILENCE, None, -96.0, "", 3000, verified=True)
    call.run_for(60_000)
    assert call.results == ["passed"]


@pytest.mark.parametrize(("tells", "results"), [(True, ["rescued"]), (False, ["silent"])])
def test_a_word_across_the_end_of_the_goodbye_is_looked_at_if_the_tap_tells_of_more_than_the_echo(
    tells: bool, results: list[str]
) -> None:
    call = tapped().run_until(START_MS + 15_000)
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.COMFORT_NOISE, None, -30.0, "", heard_ms=900)
    call.sound(300)
    call.run_until(START_MS + 17_900)
    call.tell(events.SoundStarted(UNIQUEID, call.now))
    if tells:
        call.run_for(50)
        call.tell(events.VoiceBegan(UNIQUEID, call.now, certain=False))
    call.answer = events.WindowJudged(UNIQUEID, 0, Heard.DIGITAL_SILENCE, None, -90.0, "", heard_ms=900, verified=True)
    call.run_until(START_MS + 18_300)
    call.tell(events.SoundEnded(UNIQUEID, call.now, 240))
    call.run_for(60_000)
    assert call.results == results


@pytest.mark.parametrize(("catches_up", "results"), [(True, ["silent"]), (False, ["unavailable"])])
def test_an_answer_of_a_tap_that_is_behind_is_none(catches_up: bool, results: list[str]) -> None:
    """The daemon stood still for a moment in the pause: it is asked again until the tap has listened to all of it."""
    call = tapped().run_until(FENCE - 10)
    call.answer = events.WindowJudged(UNIQUEID, 0, verified=True, behind=True)
    call.run_for(300)
    assert call.results == []
    if catches_up:
        call.answer = events.WindowJudged(UNIQUEID, 0, Heard.DIGITAL_SILENCE, None, -90.0, verified=True)
    call.run_for(60_000)
    assert call.results == results


@pytest.mark.parametrize("quiet", [Quiet(max_gain_db=0), Quiet()], ids=["no gain", "the gain is refused"])
def test_without_a_tap_a_low_voice_is_neither_asked_nor_hung_up_on(quiet: Quiet) -> None:
    call = Driver(engine=Engine(procedures(profiles={"default": Profile(quiet=quiet)})))
    call.refuses_gain = True
    call.link_up().arrive("default")
    call.run_until(START_MS + 5600)
    for length_ms, pause_ms in ((300, 1300), (400, 600), (400, 3000)):
        call.sound(length_ms, low=True)
        call.run_for(pause_ms)
    assert (call.results, call.prompts) == (["passed"], ["en/greeting"])


@pytest.mark.parametrize("by", ["voice", "key"])
def test_a_low_voice_in_the_goodbye_has_rescued_the_caller(by: str) -> None:
    """Also where the gain makes it clear, or the caller presses a key after being asked to speak up."""
    call = tapped().run_until(START_MS + 14_500)
    call.voice(-46 if by == "voice" else -58, Heard.QUIET)
    call.run_for(3000)
    if by == "key":
        call.key()
    call.run_for(10_000)
    assert call.results == ["rescued"]
