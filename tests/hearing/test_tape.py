"""The tape of the last seconds."""

import numpy as np
from hypothesis import given, strategies

from callflow.hearing.tape import Tape


@given(strategies.lists(strategies.integers(min_value=0, max_value=70), max_size=30))
def test_it_keeps_the_newest_samples_whatever_the_pieces(pieces: list[int]) -> None:
    tape, whole = Tape(keep=50), np.arange(sum(pieces), dtype=np.int16)
    for end in np.cumsum(pieces):
        tape.add(whole[tape.size : end])
        kept = tape.cut(max(0, tape.size - 50), tape.size)
        assert kept.tolist() == whole[max(0, tape.size - 50) : tape.size].tolist()
    assert tape.size == whole.size


@given(strategies.integers(min_value=0, max_value=200), strategies.integers(min_value=0, max_value=200))
def test_what_was_skipped_is_silence(before: int, skipped: int) -> None:
    tape = Tape(keep=50)
    tape.add(np.ones(before, dtype=np.int16))
    tape.skip(skipped)
    tape.add(np.full(3, 2, dtype=np.int16))
    assert tape.size == before + skipped + 3
    assert tape.cut(tape.size - 3, tape.size).tolist() == [2, 2, 2]
    assert not tape.cut(max(before, tape.size - 20), tape.size - 3).any()


def test_what_is_gone_is_left_out() -> None:
    tape = Tape(keep=10)
    tape.add(np.arange(100, dtype=np.int16))
    assert tape.cut(0, 5).size == 0
    assert tape.cut(95, 200).tolist() == [95, 96, 97, 98, 99]
