"""Delivery to a collector: what is not stored is sent again, and no more often than it helps."""

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.fleet.delivery import Delivery, Resend
from callflow.core.fleet.progress import Progress


def test_nothing_is_due_once_everything_is_stored() -> None:
    delivery = Delivery(1000, 8000)
    delivery.sent(3, 0)
    assert delivery.next_deadline() == 1000
    assert delivery.heard(3, gap=False, now_ms=10) is None
    assert delivery.next_deadline() is None
    assert delivery.stored == 3


def test_silence_sends_one_event_again_ever_more_rarely() -> None:
    delivery = Delivery(1000, 3000)
    delivery.sent(3, 0)
    assert delivery.expire(999) is None
    assert delivery.expire(1000) is Resend.FIRST
    assert [delivery.next_deadline(), delivery.expire(3000), delivery.next_deadline()] == [3000, Resend.FIRST, 6000]


def test_a_collector_that_comes_back_gets_everything() -> None:
    delivery = Delivery(1000, 3000)
    delivery.sent(9, 0)
    delivery.expire(1000)
    assert delivery.heard(1, gap=False, now_ms=1100) is Resend.ALL
    assert delivery.heard(2, gap=False, now_ms=1200) is None
    assert delivery.next_deadline() == 2200


def test_a_gap_is_filled_once_and_again_if_that_did_not_help() -> None:
    delivery = Delivery(1000, 3000)
    delivery.sent(9, 0)
    assert delivery.heard(4, gap=True, now_ms=100) is Resend.ALL
    assert delivery.heard(4, gap=True, now_ms=200) is None
    assert delivery.heard(4, gap=True, now_ms=1100) is Resend.ALL


def test_while_what_goes_again_arrives_it_does_not_go_a_third_time() -> None:
    """A long backlog takes longer than the time-out, and what was sent before it still tells of the gap."""
    delivery = Delivery(1000, 3000)
    delivery.sent(99, 0)
    assert delivery.heard(4, gap=True, now_ms=100) is Resend.ALL
    for upto in range(5, 50):
        assert delivery.heard(upto, gap=True, now_ms=(upto - 4) * 500) is None
    assert delivery.heard(49, gap=True, now_ms=46 * 500) is None
    assert delivery.heard(49, gap=True, now_ms=47 * 500) is Resend.ALL


def test_a_gap_behind_a_long_queue_is_sent_again_ever_more_rarely() -> None:
    """One event is lost and the collector has a minute of others before it: what goes again waits behind them."""
    delivery = Delivery(1000, 30_000)
    delivery.sent(9999, 0)
    again = [at for at in range(0, 60_000, 100) if delivery.heard(4, gap=True, now_ms=at) is Resend.ALL]
    assert again == [0, 1000, 3000, 7000, 15_000, 31_000]
    assert delivery.heard(5, gap=True, now_ms=60_000) is None
    assert delivery.heard(5, gap=True, now_ms=62_000) is Resend.ALL
    assert delivery.heard(5, gap=True, now_ms=63_000) is Resend.ALL


@given(st.lists(st.booleans(), max_size=40), st.randoms(use_true_random=False))
def test_whatever_is_lost_everything_is_stored_in_the_end(lost: list[bool], dice: object) -> None:
    """A channel that loses what it likes for a while: publisher and collector get everything across."""
    numbers = [2, 3, 7, 8, 12]
    before = dict(zip(numbers, [0, *numbers], strict=False))
    delivery, progress, fate = Delivery(100, 400), Progress(), iter(lost)
    stored: set[int] = set()
    to_send, now_ms = list(numbers), 0
    for _ in range(3000):
        if delivery.stored == numbers[-1]:
            break
        now_ms += 10
        resend = None
        if to_send:
            seq = to_send.pop(0)
            delivery.sent(seq, now_ms)
            if not next(fate, False):
                stored.add(seq)
                contiguous = progress.take(seq, before[seq])
                if not next(fate, False):
                    resend = delivery.heard(progress.upto, not contiguous, now_ms)
        elif delivery.expire(now_ms):
            to_send = [seq for seq in numbers if seq > delivery.stored][:1]
        if resend is Resend.ALL:
            to_send = [seq for seq in numbers if seq > delivery.stored]
    assert delivery.stored == numbers[-1]
    assert stored == set(numbers)
