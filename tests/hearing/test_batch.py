"""Many listeners in one run hear what each of them hears alone."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from callflow.hearing.hearing import TOGETHER
from tests.hearing.callers import Samples, listen, noise, silence, tone, voice

MANY = [
    voice(-26),
    noise(-40),
    tone(440, 480),
    voice(-48, name="zh/callflow/goodbye"),
    silence(),
    np.concatenate((silence(1.0), voice(-30, 2.0))),
    voice(-36, name="zh/callflow/greeting"),
]


def _alone(hearing: Hearing, samples: Samples) -> tuple[object, object]:
    listener = listen(hearing, samples)
    return listener.speaking, listener.verdict()


@pytest.mark.parametrize("together", [TOGETHER, 3, 1])
def test_a_batch_hears_what_each_hears_alone(hearing: Hearing, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callflow.hearing.hearing.TOGETHER", together)
    alone = [_alone(hearing, samples) for samples in MANY]
    listeners = [hearing.listener() for _ in MANY]
    for at in range(0, 24000, 160):
        for listener, samples in zip(listeners, MANY, strict=True):
            listener.feed(samples[at : at + 160])
        hearing.run(listeners)
    assert [(one.speaking, one.verdict()) for one in listeners] == alone


@pytest.mark.parametrize("step", [1, 7, 256, 1000, 24000])
def test_the_pieces_do_not_matter(hearing: Hearing, step: int) -> None:
    samples = voice(-30)[: 8000 if step == 1 else None]
    whole, pieces = hearing.listener(), hearing.listener()
    whole.feed(samples)
    hearing.run([whole])
    for at in range(0, samples.size, step):
        pieces.feed(samples[at : at + step])
        hearing.run([pieces])
    assert (pieces.speaking, pieces.verdict()) == (whole.speaking, whole.verdict())


def test_listeners_who_come_and_go_do_not_disturb_each_other(hearing: Hearing) -> None:
    expected = _alone(hearing, MANY[0])
    steady, others = hearing.listener(), []
    for number, at in enumerate(range(0, 24000, 160)):
        others.append(hearing.listener())
        others[-1].feed(MANY[1][:800])
        steady.feed(MANY[0][at : at + 160])
        hearing.run([*others, steady])
        if number % 3 == 0:
            others.pop(0).close()
    assert (steady.speaking, steady.verdict()) == expected


def test_a_row_given_back_remembers_nothing(hearing: Hearing) -> None:
    for _ in range(3):
        listener = listen(hearing, voice(-26))
        listener.close()
    fresh = hearing.listener()
    assert fresh.verdict().heard is Heard.DIGITAL_SILENCE
    fresh.feed(silence())
    hearing.run([fresh])
    assert fresh.speaking is None
    assert fresh.verdict().heard is Heard.DIGITAL_SILENCE


def test_after_long_silence_the_model_listens_again_at_once(hearing: Hearing) -> None:
    onset = listen(hearing, np.concatenate((silence(5.0), voice(-26, 2.0)))).speaking
    assert onset is not None
    assert onset.confirmed_ms < 5500


def test_nobody_to_listen_to_is_no_work(hearing: Hearing) -> None:
    hearing.run([])
    hearing.run([hearing.listener()])


def test_a_line_that_comes_in_one_great_piece_is_heard_by_its_end(hearing: Hearing) -> None:
    late, other = hearing.listener(), hearing.listener()
    late.feed(np.concatenate((silence(20.0), voice(-30, 4.0))))
    other.feed(voice(-30, 3.0))
    hearing.run([late, other])
    assert late.verdict().heard is Heard.SPEECH
    assert late.verdict().heard_ms <= 8200
    assert other.verdict().heard is Heard.SPEECH


def test_who_is_further_behind_than_is_kept_is_judged_by_what_is_kept(hearing: Hearing) -> None:
    late = hearing.listener()
    for piece in np.split(np.concatenate((silence(15.0), voice(-30, 5.0))), 200):
        late.feed(piece)
    assert late.waiting == 625
    assert late.verdict().heard_ms == 0, "nothing has been judged yet"
    hearing.step([late])
    assert late.verdict().heard_ms == 32
    assert late.waiting <= 12_000 // 32, "what is no longer kept is left out"
    hearing.run([late])
    assert late.verdict().heard is Heard.SPEECH
