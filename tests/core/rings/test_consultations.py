"""An agent consults through a queue: the stay counts, and the talk from when a caller is transferred to it."""

from typing import Any

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import Outcome
from callflow.core.rings.talk_events import TalkBegan
from tests.core.rings.test_talks import CUSTOMER
from tests.core.rings.test_tracker import CALLER, MEMBER, PHONE, Table

SECOND_CALL = facts.Party("1.6", "PJSIP/8012-00000006", "1.6")
"""Another call of the agent's phone."""
ONE = facts.Party("1.3", "Local/6202@agents-00000001;1", "1.1")
TWO = facts.Party("1.4", "Local/6202@agents-00000001;2", "1.1")
COLLEAGUE = facts.Party("1.5", "PJSIP/8013-00000005", "1.1")
SALES = facts.Member("sales", "PJSIP/8013", "PJSIP/8013", 1)
CONSULTS_S, TALKS_S = 4.0, 20.0


def answered(table: Table, dial_string: str = "PJSIP/8012") -> None:
    """The agent talks to the caller."""
    table.join()
    table.tell(facts.AgentCalled, CALLER, PHONE.uniqueid, MEMBER)
    table.tell(facts.DialBegan, CALLER, PHONE, dial_string=dial_string)
    table.tell(facts.ChannelRang, PHONE)
    table.answer()
    table.wait(5)


def through_a_local_channel(table: Table) -> facts.Party:
    """By feature code: the agent's channel leaves the caller's bridge for a Local channel, which runs Queue."""
    for party in (ONE, TWO):
        table.tell(facts.ChannelBegan, party)
    table.tell(facts.BridgeEntered, ONE, "consulted")
    table.tell(facts.BridgeLeft, PHONE.uniqueid, "b")
    table.tell(facts.BridgeEntered, PHONE, "consulted")
    return TWO


def by_a_second_call(table: Table) -> facts.Party:
    table.tell(facts.ChannelBegan, SECOND_CALL)
    return SECOND_CALL


def sales_answers(table: Table, waiting: facts.Party) -> None:
    table.tell(facts.CallerJoined, waiting, "sales")
    table.tell(facts.ChannelBegan, COLLEAGUE)
    table.tell(facts.AgentCalled, waiting, COLLEAGUE.uniqueid, SALES)
    table.tell(facts.DialBegan, waiting, COLLEAGUE, dial_string="PJSIP/8013")
    table.tell(facts.ChannelRang, COLLEAGUE)
    table.tell(facts.ChannelUp, COLLEAGUE, after_s=2)
    table.tell(facts.DialEnded, COLLEAGUE, "ANSWER", "", waiting)
    table.tell(facts.CallerLeft, waiting.uniqueid, "sales")
    table.tell(facts.AgentConnected, waiting.uniqueid, COLLEAGUE.uniqueid, SALES)
    table.tell(facts.BridgeEntered, COLLEAGUE, "s")
    table.tell(facts.BridgeEntered, waiting, "s")
    table.wait(CONSULTS_S)


def everybody_leaves(table: Table, *parties: tuple[facts.Party, str]) -> None:
    for party, bridge in parties:
        table.tell(facts.BridgeLeft, party.uniqueid, bridge)
        table.tell(facts.ChannelEnded, party.uniqueid)
    table.wait(600)
    assert set(table.tracker.memory.values()) == {0}
    assert {number for (kind, _), number in table.kept.finals.items() if kind != "spell"} == {1}


def callers(table: Table) -> list[tuple[str, str]]:
    """Caller and agent of every talk that was reported."""
    began = (talk.parties for talk in table.kept.talks if isinstance(talk, TalkBegan))
    return [(parties.caller_uniqueid, parties.agent) for parties in began]


@pytest.mark.parametrize("consults", [through_a_local_channel, by_a_second_call])
def test_a_consultation_that_leads_to_no_transfer_is_no_talk(consults: Any) -> None:
    table = Table()
    answered(table)
    waiting = consults(table)
    sales_answers(table, waiting)
    everybody_leaves(
        table, (COLLEAGUE, "s"), (waiting, "s"), *([(ONE, "consulted")] if waiting is TWO else []),
        (CALLER, "b"), (PHONE, "consulted" if waiting is TWO else "b"),
    )  # fmt: skip
    assert callers(table) == [(CALLER.uniqueid, "8012")]
    assert [talk.agent for talk in table.kept.talk_records] == ["8012"]
    assert [(stay.queue, stay.outcome, stay.agent) for stay in table.kept.stays] == [
        ("support", Outcome.ANSWERED, "8012"),
        ("sales", Outcome.ANSWERED, "8013"),
    ]


def test_the_talk_is_recorded_from_the_transfer_on() -> None:
    table = Table()
    answered(table)
    sales_answers(table, through_a_local_channel(table))
    transfer(table)
    table.wait(TALKS_S)
    everybody_leaves(table, (CALLER, "b"), (ONE, "b"), (TWO, "s"), (COLLEAGUE, "s"))
    assert callers(table) == [(CALLER.uniqueid, "8012"), (CALLER.uniqueid, "8013")]
    _, talk = table.kept.talk_records
    assert (talk.agent, talk.call_id, talk.talk_ms) == ("8013", CALLER.uniqueid, round(TALKS_S * 1000))
    _, stay = table.kept.stays
    assert (stay.call_id, stay.talk_ms) == (CALLER.uniqueid, round((CONSULTS_S + TALKS_S) * 1000))


def transfer(table: Table, bridge: str = "b") -> None:
    """The agent hangs up. Asterisk does not name the target."""
    table.tell(facts.BridgeLeft, PHONE.uniqueid, "consulted")
    table.tell(facts.BridgeLeft, ONE.uniqueid, "consulted")
    table.tell(facts.BridgeEntered, ONE, bridge)
    table.tell(facts.Transferred, (PHONE.uniqueid, PHONE.uniqueid), CALLER.uniqueid, attended=True)
    table.tell(facts.ChannelEnded, PHONE.uniqueid)


def test_a_caller_who_comes_in_by_the_trunk_to_another_agent_talks() -> None:
    """The agent is reached through a trunk: another caller of that trunk may be anybody."""
    table = Table()
    answered(table, dial_string="13855550100@carrier")
    sales_answers(table, by_a_second_call(table))
    assert callers(table) == [(CALLER.uniqueid, "8012"), (SECOND_CALL.uniqueid, "8013")]


def test_a_customer_whom_asterisk_has_called_through_a_local_channel_is_a_caller() -> None:
    table = Table()
    for party in (ONE, TWO, CUSTOMER):
        table.tell(facts.ChannelBegan, party)
    table.tell(facts.DialBegan, facts.Party(""), ONE)
    table.tell(facts.DialBegan, TWO, CUSTOMER, dial_string="13855550100@carrier")
    table.tell(facts.ChannelUp, CUSTOMER, after_s=3)
    table.tell(facts.DialEnded, CUSTOMER, "ANSWER", "", TWO)
    for party in (CUSTOMER, TWO):
        table.tell(facts.BridgeEntered, party, "customer")
    sales_answers(table, ONE)
    assert callers(table) == [(CUSTOMER.uniqueid, "8013")]


# -- a late start -----------------------------------------------------------------------------------------------------


def start_late(*seen: tuple[facts.Party, str, str] | tuple[facts.Party, str, str, str]) -> Table:
    """A snapshot shows these channels, each with its bridge, its application, and the arguments of that."""
    table = Table()
    table.link(events.LinkUp(0))
    channels = tuple(facts.ChannelSeen(one[0], one[1], True, *one[2:]) for one in seen)
    uniqueids = frozenset(one.party.uniqueid for one in channels)
    when = facts.When(table.now_ms, stamped=False)
    snapshot = facts.SnapshotTaken(when, table.now_ms, uniqueids, (MEMBER, SALES), (), channels)
    table.take(table.tracker.receive(snapshot, table.now_ms))
    return table


CONSULTING = ((CALLER, "b", "Queue"), (PHONE, "consulted", "AppQueue"), (ONE, "consulted", ""), (TWO, "", "Playback"))


def test_a_late_start_in_a_consultation_by_feature_code_reports_the_transferred_caller_alone() -> None:
    table = start_late(*CONSULTING)
    sales_answers(table, TWO)
    assert callers(table) == []
    transfer(table)
    table.wait(TALKS_S)
    everybody_leaves(table, (CALLER, "b"), (ONE, "b"), (TWO, "s"), (COLLEAGUE, "s"))
    assert callers(table) == [(CALLER.uniqueid, "8013")]
    (talk,) = table.kept.talk_records
    assert (talk.agent, talk.call_id, talk.talk_ms, talk.partial) == ("8013", CALLER.uniqueid, 20_000, True)
    (stay,) = table.kept.stays
    assert (stay.call_id, stay.outcome, stay.marks, stay.partial) == (
        CALLER.uniqueid,
        Outcome.ANSWERED,
        ("transferred",),
        True,
    )


def test_a_late_start_in_a_consultation_by_a_second_call_of_a_member_reports_no_talk() -> None:
    table = start_late((CALLER, "b", "Queue"), (PHONE, "b", "AppQueue"), (SECOND_CALL, "", "Answer"))
    sales_answers(table, SECOND_CALL)
    assert callers(table) == []


@pytest.mark.parametrize(
    "seen",
    [
        ((PHONE, "consulted", "AppDial"), (ONE, "consulted", "Dial"), (TWO, "", "Answer")),
        ((CALLER, "consulted", "FollowMe"), (ONE, "consulted", ""), (TWO, "", "Answer")),
    ],
    ids=["dialled-by-the-other-half", "not-dialled"],
)
def test_a_caller_behind_a_local_channel_is_no_consulting_agent(seen: Any) -> None:
    """Asterisk placed the call, and one half dials the customer; or the party behind it came in as a caller."""
    table = start_late(*seen)
    sales_answers(table, TWO)
    assert callers(table) == [(seen[0][0].uniqueid, "8013")]


def test_a_late_start_takes_a_second_caller_of_a_trunk_for_a_caller() -> None:
    """The phone is no member: it may be a trunk, by which an agent was called, too."""
    trunk = facts.Party("1.7", "PJSIP/carrier-00000007", "1.1")
    caller = facts.Party("1.8", "PJSIP/carrier-00000008", "1.8")
    table = start_late((CALLER, "b", "Queue"), (trunk, "b", "AppQueue"), (caller, "", "Answer"))
    sales_answers(table, caller)
    assert callers(table) == [(caller.uniqueid, "8013")]


DIRECT = facts.Party("1.7", "PJSIP/8019-00000007", "1.1")
"""An agent who is no member of a queue, called by the direct line."""
DIRECT_AGAIN = facts.Party("1.8", "PJSIP/8019-00000008", "1.8")


@pytest.mark.parametrize(
    ("dialled", "told"),
    [("PJSIP/8019,20,tT", []), ("PJSIP/8018&PJSIP/8019,20", []), ("PJSIP/13855550100@8019", ["8013"])],
    ids=["by its name", "as one of several", "a trunk"],
)
def test_a_late_start_knows_a_phone_from_a_trunk_by_how_it_was_dialled(dialled: str, told: list[str]) -> None:
    channels = ((CALLER, "b", "Dial", dialled), (DIRECT, "b", "AppDial", ""), (DIRECT_AGAIN, "", "Answer", ""))
    table = start_late(*channels)
    sales_answers(table, DIRECT_AGAIN)
    assert [agent for _, agent in callers(table)] == told


def test_a_consultation_that_a_snapshot_shows_is_a_talk_from_the_transfer_on() -> None:
    channels = (
        (CALLER, "b", "Queue", "support,t"), (PHONE, "consulted", "AppQueue", ""), (ONE, "consulted", "", ""),
        (TWO, "s", "Queue", "sales,,,,20"), (COLLEAGUE, "s", "AppQueue", ""),
    )  # fmt: skip
    table = start_late(*channels)
    assert table.tracker.is_no_talk(TWO.uniqueid)
    assert callers(table) == []
    table.wait(CONSULTS_S)
    transfer(table)
    assert not table.tracker.is_no_talk(TWO.uniqueid)
    (parties,) = table.tracker.talks_under_way
    assert (parties.caller_uniqueid, parties.agent, parties.queue) == (CALLER.uniqueid, "8013", "sales")
    table.wait(TALKS_S)
    everybody_leaves(table, (CALLER, "b"), (ONE, "b"), (TWO, "s"), (COLLEAGUE, "s"))
    (talk,) = table.kept.talk_records
    assert (talk.agent, talk.talk_ms, talk.partial) == ("8013", 20_000, True)


@pytest.mark.parametrize(("exten", "told"), [("8012", ["8012"]), ("s", ["8012"]), ("s-customer", [])])
def test_who_rings_at_a_late_start_talks_once_picked_up(exten: str, told: list[str]) -> None:
    """A caller of a direct line; an agent who calls out is none."""
    phone = PHONE if told else facts.Party("1.2", "PJSIP/carrier-00000002", "1.1")
    caller = CALLER._replace(exten=exten)
    table = start_late((caller, "", "Dial", "PJSIP/8012,20"), (phone, "", "AppDial", ""))
    for party in (phone, caller):
        table.tell(facts.BridgeEntered, party, "b", after_s=1)
    assert [agent for _, agent in callers(table)] == told
    table.wait(2)
    assert len(table.tracker.talks_under_way) == len(told)
