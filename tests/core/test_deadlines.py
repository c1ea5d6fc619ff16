"""One class of deadlines for every core: the earliest first, each key once, nothing kept of what has none."""

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.deadlines import STALE, Deadlines

KEYS = st.integers(0, 5)
STEPS = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 50))), max_size=300)


@given(STEPS, st.integers(-20, 60))
def test_it_is_a_dictionary_with_an_earliest_entry(steps: list[tuple[int, int | None]], now_ms: int) -> None:
    deadlines: Deadlines[int] = Deadlines()
    plain: dict[int, int] = {}
    for key, at_ms in steps:
        deadlines.set(key, at_ms)
        if at_ms is None:
            plain.pop(key, None)
        else:
            plain[key] = at_ms
        assert deadlines.next() == min(plain.values(), default=None)
        assert {key: deadlines.of(key) for key in plain} == plain
    deadlines.shift(7)
    due = list(deadlines.pop_due(now_ms))
    assert sorted(due) == sorted(key for key, at in plain.items() if at + 7 <= now_ms)
    assert [plain[key] for key in due] == sorted(plain[key] for key in due)
    assert len(deadlines) == len(plain) - len(due)


def test_of_the_same_moment_the_first_that_was_set_comes_first() -> None:
    deadlines: Deadlines[str] = Deadlines()
    for key in ("b", "a", "c"):
        deadlines.set(key, 5)
    assert list(deadlines.pop_due(5)) == ["b", "a", "c"]


def test_deadlines_that_are_moved_or_dropped_leave_nothing_behind() -> None:
    deadlines: Deadlines[int] = Deadlines()
    for key in range(10_000):
        deadlines.set(key, 86_400_000 + key)
        deadlines.set(key, None)
    assert len(deadlines._heap) <= STALE + 1


def test_one_that_is_set_while_others_are_handled_is_handled_if_due() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("first", 1)
    seen = []
    for key in deadlines.pop_due(10):
        seen.append(key)
        if key == "first":
            deadlines.set("second", 3)
            deadlines.set("later", 11)
    assert seen == ["first", "second"]
    assert deadlines.next() == 11
