"""The shipped ladders know how long their prompts are: observe mode counts with it, in place of the prompt itself."""

import wave

import pytest

from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Rung
from callflow.installed import SOUNDS

SPOKEN = [rung for ladder in (SILENT_LADDER, QUIET_LADDER) for rung in ladder.rungs if rung.prompt]


def length_s(language: str, prompt: str) -> float:
    with wave.open(str(SOUNDS / language / "callflow" / f"{prompt}.wav")) as sound:
        return float(sound.getnframes() / sound.getframerate())


@pytest.mark.parametrize("rung", SPOKEN, ids=lambda rung: str(rung.prompt))
def test_the_nominal_length_is_that_of_the_longest_language(rung: Rung) -> None:
    longest_s = max(length_s(language, rung.prompt or "") for language in ("en", "zh"))
    assert rung.prompt_s == pytest.approx(longest_s, abs=0.4)
