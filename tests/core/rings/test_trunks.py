"""Callers who share a trunk have nothing to do with each other: what one does changes no record of another."""

from typing import Any

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.marks import CALL_WAITING
from callflow.core.rings.records import Leg, Offer, Stay, TargetType
from tests.core.rings.test_tracker import CALLER, MEMBER, PHONE, Table

OLD_CALLER = facts.Party("9.1", "PJSIP/trunk-00000091", "9.1", "13855550199", "", "4000")
OLD_PHONE = facts.Party("9.2", "PJSIP/8019-00000092", "9.1")
ABROAD = facts.Party("9.3", "PJSIP/trunk-00000093", "9.1")
"""Somebody who was called through the trunk."""
MOBILE = facts.Member("support", "PJSIP/13855550123@trunk", "8060", 2)
LINE_CALLER = CALLER._replace(uniqueid="3.1", channel="PJSIP/trunk-00000031", exten="8011")
LINE = facts.Party("3.2", "PJSIP/8011-00000032", "3.1")
Seen = tuple[facts.Party, str, str]


def see(table: Table, *seen: Seen, members: tuple[facts.Member, ...] = (MEMBER,)) -> None:
    """A snapshot shows these channels in one bridge, each with its application and the arguments of that."""
    channels = tuple(facts.ChannelSeen(one, "old", True, *runs) for one, *runs in seen)
    when = facts.When(table.now_ms, stamped=False)
    uniqueids = frozenset(one.party.uniqueid for one in channels)
    taken = facts.SnapshotTaken(when, table.now_ms, uniqueids, members, (), channels)
    table.take(table.tracker.receive(taken, table.now_ms))


def whole_call(table: Table) -> None:
    table.join()
    table.ring()
    table.answer()
    table.hang_up()


def line_call(table: Table) -> None:
    for party in (LINE_CALLER, LINE):
        table.tell(facts.ChannelBegan, party)
    table.tell(facts.DialBegan, LINE_CALLER, LINE, dial_string="8011")
    table.tell(facts.ChannelRang, LINE)
    table.tell(facts.ChannelUp, LINE, after_s=7)
    table.tell(facts.DialEnded, LINE, "ANSWER", "")
    for party in (LINE, LINE_CALLER):
        table.tell(facts.BridgeEntered, party, "line")
    table.wait(10)


def records(table: Table, kind: type) -> list[Any]:
    return [record for record in table.kept.records.values() if isinstance(record, kind)]


IN_A_QUEUE = ((OLD_CALLER, "Queue", "support,t"), (OLD_PHONE, "AppQueue", "(Outgoing Line)"))
ON_A_LINE = ((OLD_CALLER, "Dial", "PJSIP/8019,20"), (OLD_PHONE, "AppDial", "(Outgoing Line)"))
CALLED_OUT = ((OLD_PHONE, "Dial", "PJSIP/13855550100@trunk,60"), (ABROAD, "AppDial", "(Outgoing Line)"))
CALLED_OUT_BY_URI = ((OLD_PHONE, "Dial", "PJSIP/trunk/sip:13855550100@a.example"), CALLED_OUT[1])
AT_A_MOBILE = ((OLD_CALLER, "Queue", "support"), (ABROAD, "AppQueue", "(Outgoing Line)"))


@pytest.mark.parametrize(
    "seen",
    [IN_A_QUEUE, ON_A_LINE, CALLED_OUT, CALLED_OUT_BY_URI, AT_A_MOBILE],
    ids=["in a queue", "on a line", "called out", "called out by URI", "at a mobile"],
)
def test_a_talk_found_through_the_trunk_makes_no_other_call_partial(seen: tuple[Seen, ...]) -> None:
    table = Table()
    table.link(events.LinkUp(0))
    see(table, *seen, members=(MEMBER, MOBILE))
    table.wait(60)
    whole_call(table)
    line_call(table)
    assert [stay.partial for stay in records(table, Stay)] == [False]
    assert [(offer.target_type, offer.partial) for offer in records(table, Offer)] == [
        (TargetType.QUEUE, False),
        (TargetType.LINE, False),
    ]


def test_nor_does_one_that_went_on_through_a_cut() -> None:
    table = Table()
    for party in (OLD_PHONE, ABROAD):
        table.tell(facts.ChannelBegan, party)
    table.tell(facts.DialBegan, OLD_PHONE, ABROAD, dial_string="13855550100@trunk")
    for party in (ABROAD, OLD_PHONE):
        table.tell(facts.BridgeEntered, party, "old", after_s=3)
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=2)
    see(table, *CALLED_OUT)
    whole_call(table)
    assert [stay.partial for stay in records(table, Stay)] == [False]


def test_what_a_snapshot_says_of_a_channel_counts_though_an_event_came_meanwhile() -> None:
    table = Table()
    table.link(events.LinkUp(0))
    table.tell(facts.BridgeEntered, OLD_CALLER, "old", after_s=1)
    table.now_ms -= 10  # asked for before
    see(table, *IN_A_QUEUE)
    table.now_ms += 10
    whole_call(table)
    assert [stay.partial for stay in records(table, Stay)] == [False]


@pytest.mark.parametrize(
    "contact", ["", "/sip:8012@10.0.0.5:5060", "/sip:x7f2k@b.invalid;transport=ws", "/sip:10.0.0.5"]
)
@pytest.mark.parametrize("application", ["AppDial", ""])
def test_a_phone_in_a_talk_that_was_found_may_consult(contact: str, application: str) -> None:
    """`PJSIP_DIAL_CONTACTS` dials a phone by its contact."""
    table = Table()
    table.link(events.LinkUp(0))
    phone, again = PHONE, facts.Party("1.6", "PJSIP/8012-00000006", "1.6", exten="8011")
    see(table, (OLD_CALLER, "Dial", f"PJSIP/8012{contact},20"), (phone, application, ""), members=())
    table.tell(facts.ChannelBegan, again)
    table.tell(facts.CallerJoined, again, "support")
    assert [stay.partial for stay in records(table, Stay)] == [True]


def mobile_answers(table: Table) -> None:
    """The agent's mobile is called through the trunk by which callers come in."""
    table.join()
    for fact in (
        (facts.AgentCalled, CALLER, ABROAD.uniqueid, MOBILE),
        (facts.DialBegan, CALLER, ABROAD, False, "PJSIP/13855550123@trunk"),
        (facts.ChannelRang, ABROAD),
    ):
        table.tell(*fact)
    table.tell(facts.ChannelUp, ABROAD, after_s=7)
    table.tell(facts.DialEnded, ABROAD, "ANSWER", "")
    table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
    table.tell(facts.AgentConnected, CALLER.uniqueid, ABROAD.uniqueid, MOBILE)
    for party in (ABROAD, CALLER):
        table.tell(facts.BridgeEntered, party, "b")
    table.wait(5)


@pytest.mark.parametrize("held", [False, True], ids=["talks", "on hold"])
def test_a_caller_of_a_line_talks_while_a_mobile_is_reached_through_the_trunk(held: bool) -> None:
    table = Table()
    mobile_answers(table)
    if held:
        table.tell(facts.ChannelHeld, ABROAD.uniqueid)
    line_call(table)
    assert [line.talking for line in table.tracker.lines(table.now_ms) if line.line == "8011"] == [1]
    assert [talk.agent for talk in table.kept.talk_records] == ["8060", "8011"]
    assert [offer.target for offer in records(table, Offer)] == ["support", "8011"]


def test_a_mobile_is_in_no_other_call_because_a_caller_of_the_trunk_is() -> None:
    table = Table()
    table.tell(facts.ChannelBegan, OLD_CALLER)
    table.tell(facts.BridgeEntered, OLD_CALLER, "old")
    mobile_answers(table)
    assert [CALL_WAITING in leg.marks for leg in records(table, Leg)] == [False]
