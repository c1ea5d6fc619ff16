"""The last while of a queue: everybody counts when it is decided whether they were served in time."""

from dataclasses import replace

from callflow.core.publishing.window import Windows
from callflow.core.rings.records import Outcome, Stay
from callflow.core.service.targets import QueueTarget, Targets
from tests.publishing import samples

T0 = samples.T0
HOUR_MS = 3_600_000


def windows(length_ms: int = HOUR_MS) -> Windows:
    return Windows(length_ms, Targets(queues={"default": QueueTarget()}))


def told(stay: Stay) -> list[Stay]:
    """How the tracker tells of a stay: when the caller joins, when they are connected, and when all is over."""
    waiting = replace(stay, left_ms=None, outcome=None, wait_ms=None, connect_ms=None, talk_end_ms=None, talk_ms=None)
    if stay.connect_ms is None:
        return [waiting, stay]
    connected = replace(stay, outcome=None, talk_end_ms=None, talk_ms=None)
    return [waiting, connected, replace(connected, left_ms=stay.left_ms), stay]


def figures(window: Windows, now_ms: int) -> tuple[int, int, int, float | None]:
    of = window.of("support").figures(now_ms)
    return of["offered"], of["answered"], of["answered_in_time"], of["service_level"]


def test_an_answer_counts_when_it_is_given_and_not_again_after_the_talk() -> None:
    window, (waiting, connected, again, ended) = windows(), told(samples.stay(wait_ms=9_000))
    window.receive(waiting)
    assert figures(window, T0) == (0, 0, 0, None)
    for telling in (connected, again, ended):
        window.receive(telling)
        assert figures(window, T0 + 10_000) == (1, 1, 1, 1.0)


def test_an_answer_is_as_old_as_the_answer_not_as_the_end_of_the_talk() -> None:
    window = windows()
    for telling in told(replace(samples.stay(), talk_end_ms=T0 + HOUR_MS, talk_ms=HOUR_MS - 9_000)):
        window.receive(telling)
    assert figures(window, T0 + HOUR_MS)[0] == 1
    assert figures(window, T0 + HOUR_MS + 9_000)[0] == 0


def test_what_comes_late_is_forgotten_in_its_time() -> None:
    window = windows()
    for at_ms in (T0 + 2_000, T0, T0 + 1_000):
        window.receive(samples.stay(at_ms % 10_000, Outcome.ABANDONED_QUEUE, 30_000, at_ms))
    for gone in range(3):
        assert figures(window, T0 + 30_000 + gone * 1000 + HOUR_MS - 1)[0] == 3 - gone


def test_a_talk_through_a_lost_link_does_not_undo_its_answer() -> None:
    window, (waiting, connected, _, ended) = windows(), told(samples.stay())
    for telling in (waiting, connected, replace(connected, partial=True), replace(ended, partial=True)):
        window.receive(telling)
    assert figures(window, T0 + 10_000) == (1, 1, 1, 1.0)


def test_partial_and_unresolved_stays_are_left_out() -> None:
    window = windows()
    for telling in told(samples.stay(1)):
        window.receive(replace(telling, partial=True))
    window.receive(replace(samples.stay(2), outcome=None, left_ms=None, wait_ms=None, connect_ms=None, partial=True))
    assert figures(window, T0 + 10_000) == (0, 0, 0, None)
