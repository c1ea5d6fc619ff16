"""The records of talks and of the holds in them: how many, how long, by whom; and what a lost link makes of them."""

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import HeldBy, Talk
from tests.core.rings.test_tracker import BEGIN_MS, CALLER, PHONE, Table


def talking() -> Table:
    """A caller of the queue talks to an agent; the clock stands at the beginning of the talk."""
    table = Table()
    table.join()
    table.ring()
    table.answer()
    return table


def hold(table: Table, after_s: float, for_s: float, party: facts.Party = PHONE) -> None:
    table.tell(facts.ChannelHeld, party.uniqueid, after_s=after_s)
    table.tell(facts.ChannelHeld, party.uniqueid, held=False, after_s=for_s)


def one_talk(table: Table) -> Talk:
    (talk,) = table.kept.talk_records
    return talk


def test_a_talk_is_recorded_with_number_total_and_longest_of_its_holds() -> None:
    table = talking()
    hold(table, after_s=2, for_s=3)
    hold(table, after_s=1, for_s=20)
    table.hang_up(after_s=4)
    talk = one_talk(table)
    assert (talk.call_id, talk.agent, talk.queue, talk.line) == ("1.1", "8012", "support", "")
    assert (talk.began_ms - BEGIN_MS, talk.talk_ms) == (8_000, 30_000)
    assert (talk.hold_count, talk.hold_ms, talk.longest_hold_ms) == (2, 23_000, 20_000)
    assert [(each.began_ms - talk.began_ms, each.hold_ms) for each in table.kept.holds] == [
        (2_000, 3_000),
        (6_000, 20_000),
    ]
    assert set(table.kept.finals.values()) == {1}
    table.wait(600)
    assert set(table.tracker.memory.values()) == {0}


def test_a_hold_that_the_caller_begins_is_recorded_but_is_none_of_the_agent_s() -> None:
    table = talking()
    hold(table, after_s=2, for_s=3, party=CALLER)
    table.hang_up(after_s=1)
    assert (one_talk(table).hold_count, one_talk(table).hold_ms) == (0, 0)
    (found,) = table.kept.holds
    assert (found.held_by, found.hold_ms, found.talk_id) == (HeldBy.CALLER, 3_000, one_talk(table).talk_id)


@pytest.mark.parametrize("first", [PHONE, CALLER], ids=["agent first", "caller first"])
@pytest.mark.parametrize("back", [PHONE, CALLER], ids=["agent back first", "caller back first"])
def test_each_hold_of_two_at_once_is_as_long_as_its_own_party_holds(first: facts.Party, back: facts.Party) -> None:
    table = talking()
    seconds = {PHONE: 0.0, CALLER: 0.0}
    holding: set[facts.Party] = set()
    for party in (first, CALLER if first is PHONE else PHONE, back, CALLER if back is PHONE else PHONE):
        for holder in holding:
            seconds[holder] += 3
        table.tell(facts.ChannelHeld, party.uniqueid, held=party not in holding, after_s=3)
        holding ^= {party}
    table.hang_up(after_s=1)
    assert {hold.held_by: hold.hold_ms for hold in table.kept.holds} == {
        HeldBy.AGENT: seconds[PHONE] * 1000,
        HeldBy.CALLER: seconds[CALLER] * 1000,
    }
    assert (one_talk(table).hold_count, one_talk(table).hold_ms) == (1, seconds[PHONE] * 1000)


def test_a_talk_that_ends_on_hold_ends_the_hold() -> None:
    table = talking()
    table.tell(facts.ChannelHeld, PHONE.uniqueid, after_s=2)
    assert (one_talk(table).hold_count, one_talk(table).hold_ms) == (1, 0)
    table.hang_up(after_s=7)
    assert (one_talk(table).hold_count, one_talk(table).hold_ms) == (1, 7_000)
    assert table.kept.holds[0].ended_ms == one_talk(table).ended_ms


def test_what_a_lost_link_cuts_is_partial() -> None:
    table = talking()
    table.tell(facts.ChannelHeld, PHONE.uniqueid, after_s=2)
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=5)
    table.see(channels=set())
    assert one_talk(table).partial
    assert table.kept.holds[0].partial
    assert table.kept.finals[("talk", one_talk(table).talk_id)] == 1


def test_every_saved_version_has_a_higher_revision() -> None:
    table = talking()
    revisions = [one_talk(table).revision]
    for held in (True, False):
        table.tell(facts.ChannelHeld, PHONE.uniqueid, held=held, after_s=2)
        revisions.append(one_talk(table).revision)
    table.hang_up(after_s=4)
    assert [*revisions, one_talk(table).revision] == [1, 2, 3, 4]
    assert [each.revision for each in table.kept.holds] == [2]
