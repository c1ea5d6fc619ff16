"""A caller's level is that of the voice that leads, not of the television behind it."""

import numpy as np
import pytest

from callflow.core.heard import Heard
from callflow.hearing import Hearing
from tests.hearing.callers import Samples, listen, pcm, silence, voice


def _over(front: Samples, behind: Samples) -> Samples:
    return pcm((front.astype(np.float64) + behind) / 32768)


@pytest.mark.parametrize("at_s", [0.2, 1.0, 2.0])
def test_a_word_over_a_television_has_its_own_level(hearing: Hearing, at_s: float) -> None:
    word = voice(-32, 0.8)
    front = np.concatenate((silence(at_s), word, silence(3.0 - at_s - 0.8)))
    found = listen(hearing, _over(front, voice(-46, name="zh/callflow/goodbye"))).verdict()
    assert found.heard is Heard.SPEECH
    assert found.level_dbov == pytest.approx(-32, abs=2.5)
    assert found.other_dbov == pytest.approx(-46, abs=4)
    assert "over others at" in found.why


@pytest.mark.parametrize("name", ["en/callflow/goodbye", "en/callflow/greeting", "zh/callflow/goodbye"])
def test_one_voice_alone_is_one_level(hearing: Hearing, name: str) -> None:
    assert listen(hearing, voice(-30, name=name)).verdict().other_dbov is None
