"""Talks as they are reported; calls that Asterisk places; legs that nobody accepted."""

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import AgentInterval, AgentWork, AnswerClass, LegEnd
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkHeld, TalkResumed
from tests.core.rings.test_tracker import BEGIN_MS, CALLER, MEMBER, PHONE, Table

CUSTOMER = facts.Party("cb-1.9", "PJSIP/carrier-00000009", "cb-1", "13855550100")


def test_a_talk_is_reported_from_beginning_to_end_with_its_holds() -> None:
    table = Table()
    table.join()
    table.ring()
    table.answer()
    table.tell(facts.ChannelHeld, PHONE.uniqueid, after_s=2)
    table.tell(facts.ChannelHeld, PHONE.uniqueid)  # a phone may say it twice
    table.tell(facts.ChannelHeld, PHONE.uniqueid, held=False, after_s=3)
    table.tell(facts.ChannelHeld, CALLER.uniqueid, after_s=1)
    table.hang_up(after_s=4)
    kinds = [(type(talk), talk.at_ms - BEGIN_MS) for talk in table.kept.talks]
    assert kinds == [
        (TalkBegan, 8_000),
        (TalkHeld, 10_000),
        (TalkResumed, 13_000),
        (TalkHeld, 14_000),
        (TalkEnded, 18_000),
    ]
    assert [talk.by_agent for talk in table.kept.talks if isinstance(talk, TalkHeld | TalkResumed)] == [
        True,
        True,
        False,
    ]
    (parties,) = {talk.parties for talk in table.kept.talks}
    assert (parties.call_id, parties.caller_uniqueid, parties.caller_channel) == ("1.1", "1.1", CALLER.channel)
    assert (parties.agent_uniqueid, parties.agent_channel, parties.agent) == ("1.2", PHONE.channel, "8012")
    assert (parties.queue, parties.line, parties.originated) == ("support", "", False)


def test_a_talk_that_ends_unseen_is_reported_as_ended() -> None:
    table = Table()
    table.join()
    table.ring()
    table.answer()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=5)
    table.see(channels=set())
    assert [type(talk) for talk in table.kept.talks] == [TalkBegan, TalkEnded]


def calls_back(table: Table, first: facts.Party, dialler: facts.Party, rings_s: float) -> None:
    """Asterisk has called the agent's phone; `dialler` calls the customer, who answers after `rings_s`."""
    table.tell(facts.DialBegan, dialler, CUSTOMER, dial_string="13855550100@carrier")
    table.tell(facts.ChannelRang, CUSTOMER, after_s=1)
    table.tell(facts.ChannelUp, CUSTOMER, after_s=rings_s)
    table.tell(facts.DialEnded, CUSTOMER, "ANSWER", "", dialler)
    table.tell(facts.BridgeEntered, CUSTOMER, "b")
    table.tell(facts.BridgeEntered, dialler, "b")
    table.tell(facts.BridgeLeft, CUSTOMER.uniqueid, "b", after_s=60)
    table.tell(facts.ChannelEnded, CUSTOMER.uniqueid)
    table.tell(facts.BridgeLeft, dialler.uniqueid, "b")
    table.tell(facts.ChannelEnded, dialler.uniqueid)
    if first is not dialler:
        table.tell(facts.ChannelEnded, first.uniqueid)
    table.tell(facts.MemberChanged, MEMBER)
    table.wait(5)


def work(table: Table) -> list[tuple[AgentWork, int]]:
    """What the agent did, and for how many seconds, without intervals of a millisecond."""
    kept = [record for record in table.kept.records.values() if isinstance(record, AgentInterval)]
    done = [(one.work, round(((one.ended_ms or one.began_ms) - one.began_ms) / 1000)) for one in kept]
    return [(what, seconds) for what, seconds in done if seconds]


def test_a_call_back_is_a_call_of_its_own_and_its_ringing_no_talk() -> None:
    phone = facts.Party("cb-1", "PJSIP/8012-00000007", "cb-1")
    table = Table()
    table.tell(facts.MemberChanged, MEMBER)
    table.tell(facts.ChannelBegan, phone)
    table.tell(facts.DialBegan, facts.Party(""), phone, dial_string="8012")
    table.tell(facts.MemberChanged, MEMBER._replace(status=6), after_s=1)
    table.tell(facts.ChannelUp, phone, after_s=2)
    table.tell(facts.MemberChanged, MEMBER._replace(status=2))
    table.tell(facts.DialEnded, phone, "ANSWER", "")
    table.wait(5)
    calls_back(table, phone, phone, rings_s=9)
    assert (table.kept.offers, table.kept.legs, table.kept.stays) == ([], [], [])
    began, ended = table.kept.talks
    assert (began.parties.originated, began.parties.agent, began.parties.call_id) == (True, "8012", "cb-1")
    assert (began.parties.caller_channel, began.parties.agent_channel) == (CUSTOMER.channel, phone.channel)
    assert ended.at_ms - began.at_ms == 60_000
    assert work(table) == [
        (AgentWork.AVAILABLE, 1),
        (AgentWork.RINGING, 2),
        (AgentWork.CALLING, 15),
        (AgentWork.TALKING, 60),
    ]
    table.wait(600)
    assert set(table.tracker.memory.values()) == {0}


def test_a_call_back_through_a_local_member_is_the_same() -> None:
    one = facts.Party("cb-1", "Local/8012@cb-member-00000001;1", "cb-1")
    two = facts.Party("cb-1;2", "Local/8012@cb-member-00000001;2", "cb-1")
    phone = facts.Party("cb-1.7", "PJSIP/8012-00000007", "cb-1")
    table = Table()
    table.tell(facts.MemberChanged, MEMBER)
    for party in (one, two, phone):
        table.tell(facts.ChannelBegan, party)
    table.tell(facts.DialBegan, facts.Party(""), one)
    table.tell(facts.DialBegan, two._replace(exten="8012"), phone, dial_string="8012")
    table.tell(facts.ChannelUp, phone, after_s=2)
    table.tell(facts.MemberChanged, MEMBER._replace(status=2))
    table.tell(facts.DialEnded, phone, "ANSWER", "", two)
    table.tell(facts.DialEnded, one, "ANSWER", "")
    table.tell(facts.BridgeEntered, phone, "a")
    table.tell(facts.BridgeEntered, two, "a")
    calls_back(table, two, one._replace(exten="1002"), rings_s=9)
    assert (table.kept.offers, table.kept.legs) == ([], [])
    began, _ = table.kept.talks
    assert (began.parties.originated, began.parties.agent, began.parties.agent_channel) == (True, "8012", phone.channel)
    assert work(table) == [(AgentWork.AVAILABLE, 2), (AgentWork.CALLING, 10), (AgentWork.TALKING, 60)]


# -- legs behind a Local channel that nobody accepted, or whose phone is busy ------------------------------------------

LOCAL = facts.Party("1.3", "Local/8012@confirm-00000001;1", "1.1")
INNER = facts.Party("1.4", "Local/8012@confirm-00000001;2", "1.1")


def ring_behind(table: Table) -> None:
    table.join()
    table.tell(facts.AgentCalled, CALLER, LOCAL.uniqueid, MEMBER._replace(interface="Local/8012@confirm/n"))
    table.tell(facts.DialBegan, CALLER, LOCAL)
    table.tell(facts.DialBegan, INNER, PHONE, dial_string="8012")
    table.tell(facts.ChannelRang, PHONE)


@pytest.mark.parametrize(("hangs_up", "end"), [(True, LegEnd.REJECTED), (False, LegEnd.NO_ANSWER)])
def test_who_picks_up_and_does_not_accept_has_not_answered(hangs_up: bool, end: LegEnd) -> None:
    table = Table()
    ring_behind(table)
    table.tell(facts.ChannelUp, PHONE, after_s=6.5)
    table.tell(facts.DialEnded, PHONE, "ANSWER", "", INNER)
    if hangs_up:
        table.tell(facts.HangupRequested, PHONE.uniqueid, soft=False, cause=16, after_s=2)
    table.tell(facts.ChannelEnded, PHONE.uniqueid, 16)
    table.tell(facts.DialEnded, LOCAL, "NOANSWER", "", CALLER)
    table.tell(facts.ChannelEnded, LOCAL.uniqueid)
    table.wait(5)
    (offer,) = table.kept.offers
    assert (table.leg.end, table.leg.answer_class, table.leg.pickup_ms) == (end, AnswerClass.UNANSWERED, None)
    assert (table.leg.ring_ms, offer.answer_class, offer.agent) == (6500, AnswerClass.UNANSWERED, "")


@pytest.mark.parametrize("cause", [17, 19, 21])
@pytest.mark.parametrize("rang", [True, False])
def test_a_busy_phone_behind_a_local_channel_is_busy(cause: int, rang: bool) -> None:
    table = Table()
    ring_behind(table)
    if not rang:
        table = Table()
        table.join()
        table.tell(facts.DialBegan, CALLER, LOCAL)
        table.tell(facts.DialBegan, INNER, PHONE, dial_string="8012")
    table.tell(facts.DialEnded, PHONE, "BUSY", "", INNER, after_s=1)
    table.tell(facts.ChannelEnded, PHONE.uniqueid, cause)
    table.tell(facts.DialEnded, LOCAL, "NOANSWER", "", CALLER)
    table.tell(facts.ChannelEnded, LOCAL.uniqueid, 0)
    table.wait(5)
    assert table.leg.end is (LegEnd.REJECTED if rang or cause == 21 else LegEnd.BUSY)


def test_a_direct_line_whose_phone_declines_is_not_answered() -> None:
    table = Table()
    caller = CALLER._replace(exten="8012")
    table.tell(facts.ChannelBegan, caller)
    table.tell(facts.DialBegan, caller, PHONE)
    table.tell(facts.ChannelRang, PHONE)
    table.tell(facts.ChannelUp, PHONE, after_s=4)
    table.tell(facts.DialEnded, PHONE, "ANSWER", "", caller)
    table.tell(facts.ChannelEnded, PHONE.uniqueid, 16, after_s=3)
    table.tell(facts.HangupRequested, caller.uniqueid, soft=False, after_s=20)
    table.tell(facts.ChannelEnded, caller.uniqueid)
    table.wait(5)
    (offer,) = table.kept.offers
    assert (offer.answer_class, offer.agent, table.leg.end) == (AnswerClass.UNANSWERED, "", LegEnd.NO_ANSWER)


def test_after_a_restart_the_caller_of_an_open_stay_has_the_name_of_the_channel() -> None:
    """The record of the stay has the trunk alone, on which no action can be done."""
    before = Table()
    before.join()
    table = Table(now_ms=before.now_ms + 2_000)
    table.take(table.tracker.receive(facts.StaysLeftOpen(tuple(before.kept.stays)), table.now_ms))
    table.link(events.LinkUp(0))
    table.ring()
    table.answer()
    (began,) = (talk for talk in table.kept.talks if isinstance(talk, TalkBegan))
    assert (began.parties.caller_channel, began.parties.call_id) == (CALLER.channel, "1.1")
