"""The pauses between two attempts to connect."""

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(0.2, 10, lambda: 0.0)
    assert [backoff.pause_s() for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 5000))
def test_a_pause_is_never_less_than_half_nor_more_than_the_longest(chance: float, attempts: int) -> None:
    backoff = Backoff(0.5, 30, lambda: chance)
    pauses = [backoff.pause_s() for _ in range(attempts)]
    assert all(0.25 <= pause <= 30 for pause in pauses)
    assert pauses == sorted(pauses)


def test_only_a_session_that_lasted_begins_anew() -> None:
    backoff = Backoff(1, 8, lambda: 0.0)
    assert [backoff.pause_s(), backoff.pause_s()] == [1, 2]
    assert not backoff.session_ended(7.9)
    assert backoff.pause_s() == 4
    assert backoff.session_ended(8)
    assert backoff.pause_s() == 1
