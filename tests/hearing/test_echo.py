"""Our own prompt come back is not the caller."""

import numpy as np
import pytest

from callflow.adapters.audio.reference import AHEAD
from callflow.core.heard import Heard
from callflow.hearing import Hearing, Listener
from callflow.hearing.echo import ECHO_SURE, LONGEST, EchoPath
from tests.hearing.callers import Samples, noise, pcm, prompt, voice

GREETING = pcm(prompt("en/callflow/greeting"))


def _echo(loss_db: float, delay_ms: int, *, seed: int = 5, noise_dbov: float = -70, drifts: bool = False) -> Samples:
    """The greeting come back from a room with 40 ms of reverberation, with three seconds of line after it.

    If it `drifts`, the delay changes by 20 to 60 ms every half second to two seconds.
    """
    random = np.random.default_rng(seed)
    room = random.normal(size=640) * np.exp(-np.arange(640) / 120)
    room /= np.sqrt(np.sum(room**2))
    back = np.convolve(GREETING / 32768, room)[: GREETING.size] * 10 ** (-loss_db / 20)
    whole = np.concatenate((np.zeros(delay_ms * 8), back, np.zeros(24000)))
    places, changes_at, moved = np.arange(whole.size), 0, 0
    while drifts and changes_at < whole.size:
        changes_at += int(random.integers(4000, 16000))
        moved = int(np.clip(moved + random.choice((-1, 1)) * random.integers(160, 480), 160 - delay_ms * 8, 3200))
        places[changes_at:] = np.clip(np.arange(changes_at, whole.size) - moved, 0, whole.size - 1)
    return pcm(whole[places] + noise(noise_dbov, whole.size / 8000, seed=seed + 1) / 32768)


def _play(hearing: Hearing, heard: Samples, *, told: bool = True, from_ms: int = 0) -> Listener:
    """The greeting begins with `heard`; the tap opens at `from_ms`."""
    listener, opened = hearing.listener(), from_ms * 8
    if told:
        listener.sent_before(GREETING[: opened + AHEAD])
    for at in range(opened, heard.size, 160):
        listener.feed(heard[at : at + 160])
        if told and at < GREETING.size:
            piece = GREETING[at + AHEAD : at + AHEAD + 160]
            listener.sent(np.pad(piece, (0, 160 - piece.size)))
        hearing.run([listener])
    return listener


@pytest.mark.parametrize("loss_db", [12, 20, 30])
@pytest.mark.parametrize("delay_ms", [20, 180, 500])
def test_an_echo_is_not_a_caller(hearing: Hearing, loss_db: float, delay_ms: int) -> None:
    listener = _play(hearing, _echo(loss_db, delay_ms))
    assert listener.speaking is None
    assert listener.verdict().heard is Heard.COMFORT_NOISE


@pytest.mark.parametrize(("loss_db", "delay_ms"), [(12, 150), (20, 300)])
@pytest.mark.parametrize("drifts", [False, True])
def test_the_first_moments_of_an_echo_and_those_after_a_change_of_delay_are_no_caller(
    hearing: Hearing, loss_db: float, delay_ms: int, drifts: bool
) -> None:
    taken = []
    for seed in range(12):
        listener = _play(hearing, _echo(loss_db, delay_ms, seed=seed, noise_dbov=-65, drifts=drifts))
        if listener.speaking is not None or listener.verdict().heard is not Heard.COMFORT_NOISE:
            taken.append(seed)
    assert not taken


@pytest.mark.parametrize("seed", [4, 5, 8, 10])
def test_a_finding_at_any_moment_of_an_echo_is_no_voice(hearing: Hearing, seed: int) -> None:
    """Asterisk's ear hears the echo, too, and has the tap asked about it."""
    listener, heard, found = hearing.listener(), _echo(12, 150, seed=seed, noise_dbov=-65, drifts=True), set()
    for at in range(0, 16000, 160):
        listener.feed(heard[at : at + 160])
        listener.sent(GREETING[at : at + 160])
        hearing.run([listener])
        found.add(listener.verdict().heard)
    assert not found & {Heard.SPEECH, Heard.QUIET}


@pytest.mark.parametrize(("begins", "length"), [(8100, 1300), (9000, 900), (9000, 1300)])
def test_the_echo_of_a_syllable_that_has_ended_is_no_voice(hearing: Hearing, begins: int, length: int) -> None:
    """It is over before there is enough of it to compare."""
    listener, found = hearing.listener(), set()
    syllable = prompt("en/callflow/goodbye")[begins : begins + length]
    sent = np.concatenate((np.zeros(800), syllable, np.zeros(8000)))
    back = np.concatenate((np.zeros(407 * 8), sent * 10 ** (-10 / 20)))[: sent.size]
    told, heard = pcm(sent), pcm(back + noise(-66, sent.size / 8000, seed=2)[: sent.size] / 32768)
    for at in range(0, sent.size - 160, 160):
        listener.feed(heard[at : at + 160])
        listener.sent(told[at : at + 160])
        hearing.run([listener])
        found.add(listener.verdict().heard)
    assert not found & {Heard.SPEECH, Heard.QUIET}


@pytest.mark.parametrize("delay_ms", [20, 100, 250, 400])
@pytest.mark.parametrize("from_ms", [120, 160])
def test_an_echo_of_what_was_sent_before_the_tap_opened_is_not_a_caller(
    hearing: Hearing, delay_ms: int, from_ms: int
) -> None:
    listener = _play(hearing, _echo(10, delay_ms), from_ms=from_ms)
    assert listener.speaking is None
    assert listener.verdict().heard is Heard.COMFORT_NOISE


@pytest.mark.parametrize("name", ["en/callflow/goodbye", "zh/callflow/goodbye"])
def test_who_speaks_as_the_prompt_begins_is_no_echo(hearing: Hearing, name: str) -> None:
    """From so little sound anything could be explained by what was sent."""
    echoes = []
    for skipped in range(0, 3200, 400):
        said = voice(-26, 0.5, name)[skipped:]
        for from_ms in (120, 140, 160, 180):
            row = _play(hearing, said, from_ms=from_ms).row
            echoes.append(np.count_nonzero(hearing._memory.rows[row]["history"]["echo"]))
    assert not any(echoes), echoes


def test_without_being_told_what_was_sent_it_is_a_caller(hearing: Hearing) -> None:
    assert _play(hearing, _echo(20, 180), told=False).speaking is not None


@pytest.mark.parametrize("dbov", [-26.0, -36.0])
def test_who_speaks_over_the_echo_is_heard(hearing: Hearing, dbov: float) -> None:
    heard = _echo(25, 180).astype(np.float64) / 32768
    said = voice(dbov, 2.0, "zh/callflow/can_you_hear")
    heard[8000 : 8000 + said.size] += said / 32768
    onset = _play(hearing, pcm(heard)).speaking
    assert onset is not None
    assert 950 <= onset.at_ms <= 2000


def test_a_caller_without_echo_is_heard_while_we_speak(hearing: Hearing) -> None:
    said = voice(-30, 3.0, "zh/callflow/goodbye")
    onset = _play(hearing, said).speaking
    assert onset is not None
    assert onset.confirmed_ms < 800


@pytest.mark.parametrize("gap_ms", [0, 200, 600])
@pytest.mark.parametrize("dbov", [-26.0, -46.0])
def test_who_answers_right_after_the_prompt_is_heard(hearing: Hearing, dbov: float, gap_ms: int) -> None:
    word = voice(dbov, 0.7, "zh/callflow/can_you_hear")
    after = np.zeros(GREETING.size + gap_ms * 8, dtype=np.int16)
    listener = _play(hearing, np.concatenate((after, word, np.zeros(16000, dtype=np.int16))))
    assert listener.speaking is not None
    assert listener.verdict().heard is Heard.SPEECH


def test_what_was_sent_long_ago_does_not_matter(hearing: Hearing) -> None:
    listener = hearing.listener()
    for at in range(0, 80000, 160):
        listener.feed(np.zeros(160, dtype=np.int16))
        if at < 8000:
            listener.sent(GREETING[4000 + at : 4000 + at + 160])
        hearing.run([listener])
    listener.feed(voice(-46))
    hearing.run([listener])
    assert listener.speaking is not None


def test_a_prompt_after_a_pause_is_still_in_step(hearing: Hearing) -> None:
    listener, echo = hearing.listener(), _echo(20, 100)
    for _ in range(300):
        listener.feed(np.zeros(160, dtype=np.int16))
    for at in range(0, GREETING.size, 160):
        listener.feed(echo[at : at + 160])
        listener.sent(GREETING[at : at + 160])
        hearing.run([listener])
    assert listener.speaking is None


@pytest.mark.parametrize("after_ms", [400, 700, 1000])
@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("en/callflow/goodbye", 1.0),
        ("zh/callflow/can_you_hear", 1.0),
        # both begin with "Hello"; in the same voice, the same word at the same pitch would be the prompt itself
        ("en/callflow/can_you_hear", 0.9),
        ("en/callflow/can_you_hear", 1.1),
    ],
)
def test_who_has_just_begun_to_speak_over_the_prompt_is_no_echo(
    hearing: Hearing, name: str, pitch: float, after_ms: int
) -> None:
    """The beginnings of two sounds are alike."""
    said = voice(-26, 1.5, name)
    said = np.interp(np.arange(0, 8000 * pitch, pitch), np.arange(said.size), said).astype(np.int16)
    onset = _play(hearing, np.concatenate((np.zeros(after_ms * 8, dtype=np.int16), said))).speaking
    assert onset is not None
    assert onset.confirmed_ms - after_ms <= 500


@pytest.mark.parametrize("seed", range(6))
def test_a_drift_below_what_a_telephone_carries_does_not_hide_an_echo(seed: int) -> None:
    """GSM drifts where a faint sound ends: at 5 to 40 Hz, far louder than the echo."""
    random, size = np.random.default_rng(seed), 16384
    sent = GREETING[: LONGEST + size] / 32768
    heard = np.concatenate((np.zeros(800), sent))[LONGEST : LONGEST + size] / 10
    at = np.arange(size) / 8000
    swings = sum(np.sin(2 * np.pi * (hz * at + random.random())) for hz in random.uniform(5, 40, 3))
    drift = 0.05 * swings * np.hanning(size)
    assert EchoPath().explains((heard + drift).astype(np.float32), sent.astype(np.float32)) >= ECHO_SURE


@pytest.mark.parametrize("delay_ms", [100, 140])
def test_the_faint_beginning_of_an_echo_is_no_voice_on_a_line_that_has_echoed(hearing: Hearing, delay_ms: int) -> None:
    """Too unlike a voice to be compared on any other line, and enough for a finding in doubt."""
    before = np.concatenate((pcm(prompt("zh/callflow/can_you_hear")), np.zeros(24000, dtype=np.int16)))
    sent = np.concatenate((before, pcm(prompt("zh/callflow/goodbye"))[:6400]))
    echo = np.concatenate((np.zeros(delay_ms * 8), sent / 10))[: sent.size]
    heard = pcm((echo + noise(-88, 1 + sent.size / 8000)[: sent.size]) / 32768)
    listener, found = hearing.listener(), set()
    for at in range(0, sent.size - 160, 160):
        if at // 160 == before.size // 160:
            listener.begin_window()
        listener.feed(heard[at : at + 160])
        listener.sent(sent[at : at + 160])
        hearing.run([listener])
        if at > before.size:
            found.add(listener.verdict().heard)
    assert not found & {Heard.SPEECH, Heard.QUIET}
