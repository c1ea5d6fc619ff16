"""A caller who is in several queues, one after the other: every stay is told once, with all that is known of it."""

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import AnswerClass, Outcome, TargetType, Transfer
from tests.core.rings.test_tracker import CALLER, MEMBER, PHONE, Table


def blind_transfer(table: Table) -> None:
    table.tell(facts.Transferred, (PHONE.uniqueid,))


def leave_bridge(table: Table) -> None:
    for party in (PHONE, CALLER):
        table.tell(facts.BridgeLeft, party.uniqueid, "b")
    table.tell(facts.ChannelEnded, PHONE.uniqueid)


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
    table.tell(facts.CallerJoined, CALLER, "sales", after_s=0.005)
    table.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=30)
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, "sales")
    table.tell(facts.CallerLeft, CALLER.uniqueid, "sales")
    table.tell(facts.ChannelEnded, CALLER.uniqueid)
    table.wait(5)
    first, second = table.kept.stays
    assert (first.queue, first.outcome, first.partial) == ("support", Outcome.ANSWERED, False)
    assert first.talk_ms == pytest.approx(60_000, abs=5)
    assert (second.queue, second.outcome, second.wait_ms) == ("sales", Outcome.ABANDONED_QUEUE, 30_000)
    assert set(table.kept.finals.values()) == {1}
    assert table.tracker.live == 0


def time_out(table: Table) -> None:
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, "support", after_s=60)
    table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
    table.tell(facts.QueueStatusReported, CALLER, "support", "TIMEOUT")


def cut(table: Table, seconds: float = 3) -> None:
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=seconds)


def answered(table: Table, queue: str) -> None:
    """The caller who waits in `queue` is answered after 7 s, and hangs up."""
    table.tell(facts.AgentCalled, CALLER, PHONE.uniqueid, MEMBER._replace(queue=queue))
    table.tell(facts.DialBegan, CALLER, PHONE)
    table.tell(facts.ChannelRang, PHONE)
    table.answer()
    table.hang_up()


@pytest.mark.parametrize("queue", ["support", "sales"])
@pytest.mark.parametrize("settled_s", [0.0, 2.0])
@pytest.mark.parametrize("by", ["snapshot", "call"])
def test_a_caller_who_joins_again_during_a_cut_is_counted_again(queue: str, settled_s: float, by: str) -> None:
    table = Table()
    table.join()
    time_out(table)
    table.wait(settled_s)
    cut(table)
    table.wait(0.1)
    if by == "snapshot":
        table.see(channels={"1.1"}, waiting=(facts.Waiting(CALLER, queue, round(settled_s + 3) * 1000),))
        assert [(q.queue, q.waiting) for q in table.tracker.queues(table.now_ms)] == [(queue, 1)]
    else:
        table.wait(1)
    answered(table, queue)
    first, second = table.kept.stays
    assert (first.queue, first.outcome) == ("support", Outcome.TIMEOUT)
    assert (second.queue, second.outcome, second.partial) == (queue, Outcome.ANSWERED, True)
    (offer,) = table.kept.offers
    assert (offer.target_type, offer.target, offer.answer_class) == (TargetType.QUEUE, queue, AnswerClass.IDEAL)
    assert set(table.kept.finals.values()) == {1}


@pytest.mark.parametrize("queue", ["support", "sales"])
def test_a_caller_lost_in_one_stay_and_found_in_the_next_is_in_two(queue: str) -> None:
    table = Table()
    table.join()
    table.wait(58)
    cut(table)
    table.see(channels={"1.1"}, waiting=(facts.Waiting(CALLER, queue, 1000),))
    answered(table, queue)
    first, second = table.kept.stays
    assert (first.queue, first.outcome, first.marks) == ("support", None, ("unresolved",))
    assert (second.queue, second.outcome, second.wait_ms) == (queue, Outcome.ANSWERED, 8000)
    assert set(table.kept.finals.values()) == {1}


@pytest.mark.parametrize("queue", ["support", "sales"])
def test_a_snapshot_from_before_a_stay_ended_begins_none(queue: str) -> None:
    table = Table()
    table.join()
    time_out(table)
    table.wait(2)
    table.see(channels={"1.1"}, waiting=(facts.Waiting(CALLER, queue, 61_000),))
    assert table.stay.outcome is Outcome.TIMEOUT
    assert table.tracker.live == 0


def test_however_much_happens_meanwhile_every_stay_has_an_id_of_its_own() -> None:
    table = Table()
    table.join()
    time_out(table)
    table.wait(2)
    table.tell(facts.CallerJoined, CALLER, "sales")
    for number in range(2_000):
        table.tell(facts.ChannelEnded, f"9.{number}")
    table.tell(facts.CallerJoined, CALLER, "claims", after_s=60)
    assert [(stay.entry_id, stay.queue) for stay in table.kept.stays] == [
        ("1.1-1", "support"),
        ("1.1-2", "sales"),
        ("1.1-3", "claims"),
    ]


def test_a_stay_of_a_caller_from_before_us_has_an_id_that_no_earlier_life_has_given() -> None:
    table = Table()
    table.tell(facts.CallerJoined, CALLER, "support", after_s=1)
    assert table.stay.entry_id == f"1.1-{table.now_ms}"


@pytest.mark.parametrize("seen", ["left", "connected"])
def test_a_caller_who_was_answered_while_the_snapshot_was_under_way_does_not_wait(seen: str) -> None:
    """Nothing was known of the stay before."""
    table = Table()
    table.link(events.LinkUp(0))
    if seen == "left":
        table.tell(facts.CallerLeft, CALLER.uniqueid, "support", after_s=1)
    else:
        table.tell(facts.AgentConnected, CALLER.uniqueid, PHONE.uniqueid, MEMBER, after_s=1)
    table.see(channels={"1.1", "1.2"}, waiting=(facts.Waiting(CALLER, "support", 5000),))
    assert [queue.waiting for queue in table.tracker.queues(table.now_ms)] in ([], [0])
    assert table.kept.stays == []


@pytest.mark.parametrize(("status", "outcome"), [("TIMEOUT", Outcome.TIMEOUT), ("", Outcome.TIMEOUT)])
@pytest.mark.parametrize("kept_out", [("JOINEMPTY", Outcome.JOIN_EMPTY), ("FULL", Outcome.FULL)])
def test_a_caller_who_cannot_join_the_same_queue_again_has_been_in_it_once(
    status: str, outcome: Outcome, kept_out: tuple[str, Outcome]
) -> None:
    table = Table()
    table.join()
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, "support", after_s=60)
    table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
    if status:
        table.tell(facts.QueueStatusReported, CALLER, "support", status)
    table.wait(0.002)
    for _ in range(2):  # repeated
        table.tell(facts.QueueStatusReported, CALLER, "support", kept_out[0])
    table.wait(5)
    assert [(stay.outcome, stay.wait_ms) for stay in table.kept.stays] == [(outcome, 60_000), (kept_out[1], 0)]
    assert set(table.kept.finals.values()) == {1}


def test_who_talks_and_then_cannot_join_again_was_answered() -> None:
    table = Table()
    table.join()
    table.ring()
    table.answer()
    table.wait(20)
    leave_bridge(table)
    table.tell(facts.QueueStatusReported, CALLER, "support", "FULL", after_s=0.1)
    table.wait(5)
    assert [(stay.outcome, stay.talk_ms) for stay in table.kept.stays] == [
        (Outcome.ANSWERED, 20_000),
        (Outcome.FULL, None),
    ]
    assert set(table.kept.finals.values()) == {1}


def test_who_is_in_a_queue_has_not_been_kept_out_of_it() -> None:
    table = Table()
    table.join()
    table.tell(facts.QueueStatusReported, CALLER, "support", "JOINEMPTY", after_s=5)
    time_out(table)
    table.wait(5)
    assert (table.stay.outcome, table.stay.wait_ms) == (Outcome.TIMEOUT, 65_000)


@pytest.mark.parametrize("told", ["before", "after"])
def test_a_blind_transfer_into_another_queue_is_recorded_whenever_asterisk_tells_of_it(told: str) -> None:
    table = Table()
    table.join()
    table.ring()
    table.answer()
    table.wait(20)
    table.tell(facts.BridgeLeft, CALLER.uniqueid, "b")
    if told == "before":
        table.tell(facts.Transferred, (PHONE.uniqueid,), CALLER.uniqueid, exten="601")
    table.tell(facts.CallerJoined, CALLER, "sales")
    if told == "after":
        table.tell(facts.Transferred, (PHONE.uniqueid,), CALLER.uniqueid, exten="601")
    table.tell(facts.BridgeLeft, PHONE.uniqueid, "b")
    table.tell(facts.ChannelEnded, PHONE.uniqueid)
    table.wait(30)
    (transfer,) = (record for record in table.kept.records.values() if isinstance(record, Transfer))
    assert (transfer.agent, transfer.queue, transfer.target) == ("8012", "support", "601")
    assert [talk.talk_ms for talk in table.kept.talk_records] == [20_000]
    assert [(stay.queue, stay.talk_ms) for stay in table.kept.stays] == [("support", 20_000), ("sales", None)]
