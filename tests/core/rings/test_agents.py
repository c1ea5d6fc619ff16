"""What agents were doing, from what Asterisk tells of the members of queues."""

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import AgentInterval, AgentWork
from tests.core.rings.test_tracker import MEMBER, Table


@pytest.fixture
def table() -> Table:
    return Table()


def spells(table: Table) -> list[AgentInterval]:
    return [record for record in table.kept.records.values() if isinstance(record, AgentInterval)]


def test_agents_spells(table: Table) -> None:
    for status, paused, after_s in ((1, False, 0), (6, False, 5), (2, False, 3), (1, False, 60), (1, True, 10)):
        table.tell(facts.MemberChanged, MEMBER._replace(status=status, paused=paused, reason="tea"), after_s=after_s)
    table.tell(facts.MemberRemoved, MEMBER, after_s=20)
    assert [(spell.work, (spell.ended_ms or 0) - spell.began_ms, spell.reason) for spell in spells(table)] == [
        (AgentWork.AVAILABLE, 5000, ""),
        (AgentWork.RINGING, 3000, ""),
        (AgentWork.TALKING, 60_000, ""),
        (AgentWork.AVAILABLE, 10_000, ""),
        (AgentWork.PAUSED, 20_000, "tea"),
    ]
    assert [(agent.agent, agent.work) for agent in table.tracker.agents(table.now_ms)] == [("8012", None)]


def test_a_spell_ends_with_the_link(table: Table) -> None:
    table.tell(facts.MemberChanged, MEMBER)
    table.link(events.LinkLost(0, "cut"), after_s=4)
    (spell,) = spells(table)
    assert (spell.ended_ms, spell.partial) == (table.now_ms, True)
    assert table.tracker.agents(table.now_ms) == []


@pytest.mark.parametrize("late_s", [0, -0.5, 0.001], ids=["same moment", "stamped earlier", "later"])
def test_a_log_off_right_after_a_change_ends_the_spell(table: Table, late_s: float) -> None:
    table.tell(facts.MemberChanged, MEMBER._replace(paused=True))
    table.tell(facts.MemberChanged, MEMBER, after_s=600)
    table.tell(facts.MemberRemoved, MEMBER, after_s=late_s)
    assert [(spell.work, (spell.ended_ms or 0) - spell.began_ms) for spell in spells(table)] == [
        (AgentWork.PAUSED, 600_000),
        (AgentWork.AVAILABLE, 1),
    ]
    assert set(table.kept.finals.values()) == {1}


def test_who_logs_off_and_on_in_one_millisecond_has_a_spell_that_lasts(table: Table) -> None:
    table.tell(facts.MemberChanged, MEMBER._replace(paused=True))
    table.tell(facts.MemberRemoved, MEMBER)
    table.tell(facts.MemberChanged, MEMBER)
    assert [(spell.work, spell.ended_ms is None) for spell in spells(table)] == [
        (AgentWork.PAUSED, False),
        (AgentWork.AVAILABLE, True),
    ]


def test_of_changes_in_one_millisecond_the_last_counts(table: Table) -> None:
    for paused in (True, False):
        table.tell(facts.MemberChanged, MEMBER._replace(paused=paused))
    (spell,) = spells(table)
    assert (spell.work, spell.ended_ms) == (AgentWork.AVAILABLE, None)


def test_a_spell_ends_with_the_link_even_if_asterisks_clock_is_ahead(table: Table) -> None:
    ahead = facts.When(table.now_ms + 2000)
    table.take(table.tracker.receive(facts.MemberChanged(ahead, MEMBER), table.now_ms))
    table.link(events.LinkLost(0, "cut"), after_s=1)
    (spell,) = spells(table)
    assert (spell.ended_ms, spell.partial) == (ahead.at_ms + 1, True)


@pytest.mark.parametrize(
    ("phone", "called", "agent"),
    [
        ("PJSIP/8012", "Local/8012@agents", "8012"),
        ("PJSIP/desk7", "Local/8012@agents", "8012"),
        ("PJSIP/8013", "Local/8012@agents", "8013"),
        ("PJSIP/desk7", "Local/_attended@transfer", "desk7"),
        ("PJSIP/8012", "PJSIP/8012", "8012"),
    ],
    ids=["own phone", "another desk", "picked up by a colleague", "a transfer's own", "no Local channel"],
)
def test_whose_phone_a_caller_is_connected_to(table: Table, phone: str, called: str, agent: str) -> None:
    table.tell(facts.MemberChanged, MEMBER._replace(interface="Local/8012@agents/n", name="Local/8012@agents/n"))
    table.tell(facts.MemberChanged, MEMBER._replace(interface="PJSIP/8013", name=""))
    assert table.tracker.agent_at(phone, called) == agent


def test_whether_a_phone_may_be_paused_for_a_reason(table: Table) -> None:
    paused_for = table.tracker.may_be_paused_for
    assert paused_for(MEMBER.interface, "wrapup"), "nothing is known of it"
    table.tell(facts.MemberChanged, MEMBER._replace(paused=True, reason="lunch"))
    assert not paused_for(MEMBER.interface, "wrapup")
    table.tell(facts.MemberChanged, MEMBER._replace(queue="sales", paused=True, reason="wrapup"))
    assert paused_for(MEMBER.interface, "wrapup")


def test_events_that_came_while_a_snapshot_was_under_way_are_newer(table: Table) -> None:
    logged_on = MEMBER._replace(interface="PJSIP/8013", name="8013")
    logged_off = MEMBER._replace(interface="PJSIP/8014", name="8014")
    unavailable = MEMBER._replace(status=5)
    table.link(events.LinkUp(0))
    for make, member in (
        (facts.MemberChanged, MEMBER),
        (facts.MemberChanged, logged_on),
        (facts.MemberRemoved, logged_off),
    ):
        table.tell(make, member, after_s=0.001)
    table.see(channels=set(), members=(unavailable, logged_off))
    now = {agent.agent: agent.work for agent in table.tracker.agents(table.now_ms)}
    assert now == {"8012": AgentWork.AVAILABLE, "8013": AgentWork.AVAILABLE}
    table.wait(1)
    table.see(channels=set(), members=(unavailable, logged_off))
    now = {agent.agent: agent.work for agent in table.tracker.agents(table.now_ms)}
    assert now == {"8012": AgentWork.UNAVAILABLE, "8013": None, "8014": AgentWork.AVAILABLE}
