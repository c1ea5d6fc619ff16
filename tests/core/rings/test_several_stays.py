"""A caller who is in several queues, one after the other: every stay is told once, with all that is known of it."""

import pytest

from callflow.core.rings import facts as it
from callflow.core.rings.record import Outcome
from tests.core.rings.test_tracker import CALLER, PHONE, Table


def blind_transfer(table: Table) -> None:
    table.tell(it.Transferred, (PHONE.uniqueid,))


def leave_bridge(table: Table) -> None:
    for party in (PHONE, CALLER):
        table.tell(it.BridgeLeft, party.uniqueid, "b")
    table.tell(it.ChannelEnded, PHONE.uniqueid)


@pytest.mark.parametrize("seen", [(leave_bridge, blind_transfer), (blind_transfer, leave_bridge), (leave_bridge,), ()])
def test_a_caller_transferred_into_another_queue_keeps_the_talk(seen: tuple[object, ...]) -> None:
    table = Table()
    table.join()
    table.ring()
    table.answer()
    table.wait(60)
    for happens in seen:
        assert callable(happens)
        happens(table)
    table.tell(it.CallerJoined, CALLER, "sales", after_s=0.005)
    table.tell(it.HangupAsked, CALLER.uniqueid, soft=False, after_s=30)
    table.tell(it.CallerAbandoned, CALLER.uniqueid, "sales")
    table.tell(it.CallerLeft, CALLER.uniqueid, "sales")
    table.tell(it.ChannelEnded, CALLER.uniqueid)
    table.wait(5)
    first, second = table.kept.stays
    assert (first.queue, first.outcome, first.partial) == ("support", Outcome.ANSWERED, False)
    assert first.talk_ms == pytest.approx(60_000, abs=5)
    assert (second.queue, second.outcome, second.wait_ms) == ("sales", Outcome.ABANDONED_QUEUE, 30_000)
    assert set(table.kept.finals.values()) == {1}
    assert table.tracker.live == 0
