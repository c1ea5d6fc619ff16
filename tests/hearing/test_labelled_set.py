"""The benchmark's sounds without voices, and its figures; its voices are for the benchmark alone."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from tests.bench.hearing import tables
from tests.bench.hearing.cases import SIZE, Case, Maker
from tests.bench.hearing.ears import EARS, Result, tap
from tests.bench.hearing.score import Share, bars, confusion, reaction_ms, right, share


def _cases(noises: int = 16, tones: int = 28, silences: int = 6) -> list[Case]:
    maker = Maker([], "report")
    return list(chain(maker.noises(noises), maker.tones(tones), maker.silences(silences)))


def _case(label: str, what: str, begins: int = 4000) -> Case:
    return Case(label, what, np.zeros(0, dtype=np.int16), level_dbov=-46, snr_db=20, sex="f", begins=begins)


def test_no_sound_without_a_voice_is_a_talker() -> None:
    cases = _cases()
    results = tap(cases)
    wrong = [
        (case.what, case.level_dbov, result.label) for case, result in zip(cases, results, strict=True) if result.talker
    ]
    assert wrong == []
    labels = [result.label for case, result in zip(cases, results, strict=True) if case.label != "noise"]
    assert labels == [case.label for case in cases if case.label != "noise"]


def test_the_set_is_the_same_each_time() -> None:
    for once, again in zip(_cases(8, 14, 2), _cases(8, 14, 2), strict=True):
        assert once.samples.shape == (SIZE,)
        assert once.samples.dtype == np.int16
        assert np.array_equal(once.samples, again.samples)


@pytest.mark.parametrize("name", [name for name in EARS if name != "tap"])
def test_every_other_ear_hears_a_loud_tone_and_not_silence(name: str) -> None:
    maker = Maker([], "fit")
    loud = [case for case in maker.tones(28) if case.level_dbov > -20 and case.what.startswith(("dial", "1004"))]
    assert loud
    assert all(result.talker for result in EARS[name](loud))
    assert not any(result.talker for result in EARS[name](list(maker.silences(4))))


def test_figures_count_what_they_say() -> None:
    pairs = [
        (_case("quiet", "running"), Result("quiet", 600.0)),
        (_case("quiet", "word"), Result("noise", None)),
        (_case("tone", "dial 450"), Result("tone", None)),
        (_case("noise", "babble"), Result("quiet", 900.0)),
    ]
    assert str(share(pairs, lambda case: True, right)) == "50.00 % (2 of 4)"
    assert confusion(pairs)["quiet"] == {"quiet": 1, "noise": 1}
    assert confusion(pairs)["babble"] == {"quiet": 1}
    assert reaction_ms(pairs[:1], lambda case: True) == (100.0, 100.0)
    met = {bar.what: bar.met for bar in bars(pairs, Share(0, 10), Share(1, 100))}
    assert met["running speech missed"]
    assert not met["words missed"]
    assert not met["talkers missed over a ladder of three windows"]
    assert met["own echo at -20 dB taken for the caller"]


def test_tables_go_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "hearing.md"
    page.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.write(tables.markdown([("Title", ["", "a"], [["b", "1"]])], "so many windows"), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| b | 1 |" in text
    assert "old" not in text
