"""ITU-T P.56 against signals whose active level is known."""

import importlib.util

import numpy as np
import pytest

from callflow.hearing.p56 import active_level_dbov
from tests.hearing.callers import RATE, SOUNDS, prompt


def _sine(amplitude: float, seconds: float = 4.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize("amplitude", [0.9, 0.1, 0.01])
def test_a_lasting_tone_has_the_level_of_its_root_mean_square(amplitude: float) -> None:
    assert active_level_dbov(_sine(amplitude)) == pytest.approx(20 * np.log10(amplitude / np.sqrt(2)), abs=0.05)


def test_pauses_do_not_lower_the_level() -> None:
    tone = _sine(0.1, 8.0)
    tone[(np.arange(tone.size) // (2 * RATE)) % 2 == 1] = 0.0
    level = active_level_dbov(tone)
    mean = 10 * np.log10(np.mean(np.square(tone)))
    assert level == pytest.approx(-23.0 + 10 * np.log10(2 / 2.25), abs=0.1)  # hangover and smoothing add 0.25 s to 2 s
    assert mean == pytest.approx(-26.0, abs=0.1)


def test_a_change_of_gain_is_a_change_of_level() -> None:
    loud, low = active_level_dbov(prompt()), active_level_dbov(prompt() / 10)
    assert loud is not None
    assert low == pytest.approx(loud - 20, abs=0.3)


def test_silence_and_nothing_have_no_level() -> None:
    assert active_level_dbov(np.zeros(8000)) is None
    assert active_level_dbov(np.zeros(0)) is None
    assert active_level_dbov(np.zeros(5)) is None


def _of_the_prompts(samples: np.ndarray) -> float:
    """The plain, slow meter beside the prompts."""
    spec = importlib.util.spec_from_file_location("prompts_p56", SOUNDS / "p56.py")
    assert spec is not None
    assert spec.loader is not None
    meter = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(meter)
    return float(meter.active_level(samples.tolist(), RATE).dbov)


@pytest.mark.parametrize("name", ["en/callflow/greeting", "zh/callflow/goodbye"])
def test_it_agrees_with_the_meter_that_the_prompts_are_built_by(name: str) -> None:
    assert active_level_dbov(prompt(name)) == pytest.approx(-20.0, abs=0.5)
    assert active_level_dbov(prompt(name)) == pytest.approx(_of_the_prompts(prompt(name)), abs=0.15)


def test_it_agrees_on_signals_of_any_length() -> None:
    said = np.tile(np.concatenate((prompt(), np.zeros(RATE))), 8)
    for size in (said.size, 8192 * 8, 8192 * 8 + 8, 8192 * 8 - 3):
        assert active_level_dbov(said[:size]) == pytest.approx(_of_the_prompts(said[:size]), abs=0.15)
