"""What is being played, cut to the steps in which the caller's audio comes."""

import wave
from pathlib import Path

import numpy as np
import pytest

from callflow.adapters.audio.reference import AHEAD, Playing, read_prompt
from callflow.core.heard import Heard
from callflow.hearing import Hearing
from tests.hearing.callers import pcm, prompt

PROMPT = np.arange(1, 8001, dtype=np.int16)


def test_steps_follow_each_other_however_the_clock_jitters() -> None:
    playing = Playing(PROMPT, 1000)
    pieces = [playing.next(160, 1020 + 20 * step + jitter) for step, jitter in enumerate((0, 7, -9, 15, 130, 110, 90))]
    assert np.array_equal(np.concatenate(pieces), PROMPT[: AHEAD + 1120])


def test_a_pause_in_the_callers_stream_is_skipped() -> None:
    playing = Playing(PROMPT, 1000)
    playing.next(160, 1020)
    assert playing.next(160, 1500)[0] == PROMPT[(500 - 20) * 8 + AHEAD]


def test_behind_the_end_there_is_nothing() -> None:
    assert not Playing(PROMPT, 1000).next(160, 9000).any()


def test_only_telephone_wav_files_are_read(tmp_path: Path) -> None:
    for rate in (8000, 16_000):
        with wave.open(str(tmp_path / f"{rate}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(PROMPT.tobytes())
    (tmp_path / "rubbish.wav").write_bytes(b"no wav")
    found = read_prompt(tmp_path / "8000.wav")
    assert found is not None
    assert np.array_equal(found, PROMPT)
    assert [read_prompt(tmp_path / name) for name in ("16000.wav", "rubbish.wav", "absent.wav")] == [None] * 3


def test_what_was_sent_before_the_first_audio_is_known() -> None:
    playing = Playing(PROMPT, 1000)
    before = playing.before(160, 1120)
    assert before.tolist() == PROMPT[: 800 + AHEAD].tolist()
    assert playing.next(160, 1120).tolist() == PROMPT[800 + AHEAD : 960 + AHEAD].tolist()


@pytest.mark.parametrize("lost_every", [60, 100])
def test_an_echo_of_which_packets_are_lost_is_no_voice(lost_every: int) -> None:
    """With each of them what is heard comes 20 ms sooner than what was sent, at last sooner than it was sent."""
    sent = pcm(prompt("zh/callflow/goodbye"))
    heard = np.concatenate((np.zeros(320, dtype=np.int16), pcm(prompt("zh/callflow/goodbye") / 10)))
    hearing, playing = Hearing(), Playing(sent, 0)
    listener = hearing.listener()
    for number, at in enumerate(range(0, sent.size - 160, 160)):
        if number % lost_every != lost_every - 1:
            listener.feed(heard[at : at + 160])
            listener.sent(playing.next(160, 20 + at // 8))
            hearing.run([listener])
    assert listener.speaking is None
    assert listener.verdict().heard is Heard.COMFORT_NOISE
