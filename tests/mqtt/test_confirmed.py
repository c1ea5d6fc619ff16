"""What was confirmed just before a break is sent again until it is confirmed again, and nothing older."""

from dataclasses import dataclass

from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.mqtt.outgoing import KEPT_MS, RecentlyConfirmed

UNNOTICED_MS = 32_000


@dataclass(frozen=True)
class Event:
    seq: int
    topic: str = "topic"
    body: str = "{}"
    after: int = 0
    stream: str = ""


class Clock:
    now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


def seqs(recent: RecentlyConfirmed) -> list[int]:
    return [event.seq for event in recent.again()]


def test_only_what_was_confirmed_just_before_the_break_is_sent_again_in_order() -> None:
    clock = Clock()
    recent = RecentlyConfirmed(clock, UNNOTICED_MS)
    recent.confirmed(Event(1))
    clock.now_ms = KEPT_MS + 1
    recent.confirmed(Event(3))
    recent.confirmed(Event(2))
    assert seqs(recent) == [], "nothing has broken yet"
    recent.broken()
    assert seqs(recent) == [2, 3]


def test_it_waits_through_any_number_of_breaks_until_it_is_confirmed() -> None:
    clock = Clock()
    recent = RecentlyConfirmed(clock, UNNOTICED_MS)
    recent.confirmed(Event(1))
    recent.confirmed(Event(2))
    recent.broken()
    clock.now_ms = 10 * KEPT_MS
    recent.confirmed(Event(1))
    recent.broken()
    assert seqs(recent) == [1, 2]
    recent.confirmed(Event(1))
    recent.confirmed(Event(2))
    clock.now_ms += UNNOTICED_MS + KEPT_MS + 1
    recent.broken()
    assert seqs(recent) == []


def test_a_break_may_be_noticed_long_after_it() -> None:
    """Nothing has been confirmed since: the broker may have gone within the next ten seconds."""
    clock = Clock()
    recent = RecentlyConfirmed(clock, UNNOTICED_MS)
    recent.confirmed(Event(1))
    clock.now_ms = KEPT_MS + UNNOTICED_MS
    recent.broken()
    assert seqs(recent) == [1]


def test_a_silent_broker_is_noticed_by_an_unanswered_ping() -> None:
    assert MqttOptions(keepalive_s=15).unnoticed_ms >= 30_000
