"""A talk outlives a move of its channels between bridges, in whatever order Asterisk's threads report the move."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, permutations
from typing import Any

import pytest

from callflow.core import events
from callflow.core.rings import facts
from callflow.core.rings.records import Talk, Transfer, TransferKind
from callflow.core.rings.talk_events import TalkBegan, TalkEnded
from tests.core.rings.test_talks import CUSTOMER
from tests.core.rings.test_tracker import CALLER, MEMBER, PHONE, Table

ONE = facts.Party("1.3", "Local/8003@phones-00000001;1", "1.1", exten="8003")
TWO = facts.Party("1.4", "Local/8003@phones-00000001;2", "1.1", exten="8003")
SUPERVISOR = facts.Party("1.5", "PJSIP/8003-00000003", "1.1")
CALL, CONSULTED, BEHIND = "b", "consulted", "behind"
"""The bridges of caller and agent, of agent and Local channel, of Local channel and supervisor."""
CONSULTS_S, TALKS_S = 12.0, 30.0
Step = Callable[[Table], None]
Happening = dict[str, Step]


def told(make: Any, *arguments: Any, **more: Any) -> Step:
    return lambda table: table.tell(make, *arguments, **more)


def leaves(party: facts.Party, bridge: str) -> Step:
    return told(facts.BridgeLeft, party.uniqueid, bridge)


def enters(party: facts.Party, bridge: str) -> Step:
    return told(facts.BridgeEntered, party, bridge)


def ends(party: facts.Party) -> Step:
    return told(facts.ChannelEnded, party.uniqueid)


def orders(happening: Happening, *chains: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every order of these events in which each chain, which one thread reports or one event causes, keeps its own."""
    for order in permutations(happening):
        places = {name: place for place, name in enumerate(order)}
        if all(places[one] < places[other] for chain in chains for one, other in pairwise(chain)):
            yield order


def consults(table: Table) -> None:
    """The agent, who talks to a caller, has begun an attended transfer and talks to the supervisor."""
    table.join()
    table.ring()
    table.answer()
    table.tell(facts.ChannelHeld, PHONE.uniqueid, after_s=5)
    for party in (ONE, TWO, SUPERVISOR):
        table.tell(facts.ChannelBegan, party)
    enters(ONE, CONSULTED)(table)
    leaves(PHONE, CALL)(table)
    enters(PHONE, CONSULTED)(table)
    table.tell(facts.DialBegan, TWO, SUPERVISOR, dial_string="8003")
    table.tell(facts.ChannelRang, SUPERVISOR)
    table.tell(facts.ChannelUp, SUPERVISOR, after_s=3)
    table.tell(facts.DialEnded, SUPERVISOR, "ANSWER", "", TWO)
    enters(SUPERVISOR, BEHIND)(table)
    enters(TWO, BEHIND)(table)
    table.wait(CONSULTS_S)


def transfer(target: str) -> Happening:
    transferers = (PHONE.uniqueid, PHONE.uniqueid)
    return {
        "the agent leaves": leaves(PHONE, CONSULTED),
        "the agent's channel ends": ends(PHONE),
        "Queue is done": told(facts.AgentCompleted, CALLER.uniqueid),
        "the Local channel leaves": leaves(ONE, CONSULTED),
        "the Local channel comes": enters(ONE, CALL),
        "it is told": told(facts.Transferred, transferers, CALLER.uniqueid, target, attended=True),
    }


BY_THE_AGENT = ("the agent leaves", "the agent's channel ends")
BY_QUEUE = ("the agent leaves", "Queue is done")
BY_THE_BRIDGE = ("the agent leaves", "the Local channel leaves", "the Local channel comes", "it is told")
TRANSFERS = list(orders(transfer(""), BY_THE_AGENT, BY_QUEUE, BY_THE_BRIDGE))

OPTIMISED: Happening = {
    "the supervisor leaves": leaves(SUPERVISOR, BEHIND),
    "the one half leaves": leaves(ONE, CALL),
    "the supervisor comes": enters(SUPERVISOR, CALL),
    "the one half ends": ends(ONE),
    "the other half leaves": leaves(TWO, BEHIND),
    "the other half ends": ends(TWO),
}
SUPERVISOR_MOVES = list(
    orders(
        OPTIMISED,
        ("the supervisor leaves", "the one half leaves", "the supervisor comes"),
        ("the one half leaves", "the one half ends"),
        ("the supervisor leaves", "the other half leaves", "the other half ends"),
    )
)
OTHER_WAY: Happening = {
    "the caller leaves": leaves(CALLER, CALL),
    "the other half leaves": leaves(TWO, BEHIND),
    "the caller comes": enters(CALLER, BEHIND),
    "the other half ends": ends(TWO),
    "the one half leaves": leaves(ONE, CALL),
    "the one half ends": ends(ONE),
}
CALLER_MOVES = list(
    orders(
        OTHER_WAY,
        ("the caller leaves", "the other half leaves", "the caller comes"),
        ("the other half leaves", "the other half ends"),
        ("the caller leaves", "the one half leaves", "the one half ends"),
    )
)


def do(table: Table, happening: Happening, order: Sequence[str]) -> None:
    """All of it in one millisecond."""
    for name in order:
        happening[name](table)


def transferred(order: Sequence[str] = TRANSFERS[0], target: str = ONE.uniqueid) -> Table:
    table = Table()
    consults(table)
    do(table, transfer(target), order)
    return table


def hangs_up(table: Table, first: facts.Party, bridge: str) -> None:
    """Caller and supervisor part, and everything is over."""
    other = CALLER if first is SUPERVISOR else SUPERVISOR
    table.tell(facts.HangupRequested, first.uniqueid, soft=False, cause=16)
    for party in (first, other):
        leaves(party, bridge)(table)
    for party in (first, other):
        ends(party)(table)
    table.wait(600)


def check(table: Table, note: object) -> None:
    """The agent's talk, the transfer and the supervisor's talk, each once and as long as it was."""
    first, second = table.kept.talk_records
    assert (first.agent, first.queue, first.talk_ms) == ("8012", "support", round((5 + 3 + CONSULTS_S) * 1000)), note
    assert (first.hold_count, first.ended_ms) == (1, second.began_ms), note
    assert (second.agent, second.call_id, second.talk_ms) == ("8003", "1.1", round(TALKS_S * 1000)), note
    reported = [type(talk) for talk in table.kept.talks if talk.parties.agent == "8003"]
    assert (reported[0], reported[-1], reported.count(TalkBegan)) == (TalkBegan, TalkEnded, 1), note
    (kept,) = (record for record in table.kept.records.values() if isinstance(record, Transfer))
    assert (kept.agent, kept.target, kept.kind) == ("8012", "8003", TransferKind.ATTENDED), note
    assert (table.stay.talk_ms, table.stay.agent) == (first.talk_ms, "8012"), note
    assert len(table.kept.offers) == len(table.kept.legs) == 1, note
    assert set(table.kept.finals.values()) == {1}, note
    assert set(table.tracker.memory.values()) == {0}, note


@pytest.mark.parametrize("target", [ONE.uniqueid, ""], ids=["named", "not-named"])
@pytest.mark.parametrize("order", TRANSFERS, ids=", ".join)
def test_a_transfer_is_recorded_in_whatever_order_it_is_told(order: tuple[str, ...], target: str) -> None:
    table = transferred(order, target)
    table.wait(0.44)
    do(table, OPTIMISED, SUPERVISOR_MOVES[0])
    table.wait(TALKS_S - 0.44)
    hangs_up(table, SUPERVISOR, CALL)
    check(table, order)


@pytest.mark.parametrize("first", [CALLER, SUPERVISOR], ids=["caller", "supervisor"])
@pytest.mark.parametrize("after_s", [0.0, 0.44, 5.0])
def test_a_talk_goes_on_when_the_local_channel_between_the_two_is_removed(first: facts.Party, after_s: float) -> None:
    moves = [(OPTIMISED, order, CALL) for order in SUPERVISOR_MOVES] + [
        (OTHER_WAY, order, BEHIND) for order in CALLER_MOVES
    ]
    assert len(moves) > 20
    for happening, order, bridge in moves:
        table = transferred()
        table.wait(after_s)
        do(table, happening, order)
        table.wait(TALKS_S - after_s)
        hangs_up(table, first, bridge)
        check(table, order)


def test_a_local_channel_that_goes_at_the_end_of_the_call_ends_the_talk_with_it() -> None:
    """Nothing was removed before: the caller hangs up, and its end comes through the Local channel."""
    over: Happening = {
        "the caller leaves": leaves(CALLER, CALL),
        "the caller's channel ends": ends(CALLER),
        "the one half leaves": leaves(ONE, CALL),
        "the one half ends": ends(ONE),
        "the other half leaves": leaves(TWO, BEHIND),
        "the other half ends": ends(TWO),
        "the supervisor's channel ends": ends(SUPERVISOR),
    }
    found = list(
        orders(
            over,
            ("the caller leaves", "the caller's channel ends"),
            ("the caller leaves", "the one half leaves", "the one half ends"),
            ("the caller leaves", "the other half leaves", "the other half ends"),
            ("the other half leaves", "the supervisor's channel ends"),
        )
    )
    for order in found:
        table = transferred()
        table.wait(TALKS_S)
        do(table, over, order)
        table.wait(600)
        check(table, order)


def test_a_talk_whose_two_are_not_joined_again_has_ended_when_the_local_channel_went() -> None:
    """The caller is redirected, and the supervisor's phone stays off the hook."""
    table = transferred()
    table.wait(TALKS_S)
    for step in (leaves(CALLER, CALL), leaves(ONE, CALL), ends(ONE), leaves(TWO, BEHIND), ends(TWO)):
        step(table)
    table.wait(60)
    for party in (SUPERVISOR, CALLER):
        ends(party)(table)
    table.wait(600)
    check(table, "redirected")


def test_the_supervisor_s_holds_count_after_the_move() -> None:
    table = transferred()
    table.wait(0.44)
    do(table, OPTIMISED, SUPERVISOR_MOVES[-1])
    table.tell(facts.ChannelHeld, SUPERVISOR.uniqueid, after_s=4)
    table.tell(facts.ChannelHeld, SUPERVISOR.uniqueid, held=False, after_s=6)
    table.tell(facts.ChannelHeld, CALLER.uniqueid, after_s=1)
    table.tell(facts.ChannelHeld, CALLER.uniqueid, held=False, after_s=2)
    table.wait(TALKS_S - 13.44)
    hangs_up(table, CALLER, CALL)
    check(table, "held")
    second = table.kept.talk_records[1]
    assert (second.hold_count, second.hold_ms) == (1, 6_000)
    assert [hold.hold_ms for hold in table.kept.holds if hold.talk_id == second.talk_id] == [6_000, 2_000]


@pytest.mark.parametrize("order", SUPERVISOR_MOVES, ids=", ".join)
def test_a_move_that_nobody_saw_ends_no_talk(order: tuple[str, ...]) -> None:
    """The link is lost at any point of it; the snapshot shows both in one bridge."""
    for lost_at in range(len(order) + 1):
        table = transferred()
        table.wait(0.44)
        do(table, OPTIMISED, order[:lost_at])
        table.link(events.LinkLost(0, "cut"))
        table.link(events.LinkUp(0), after_s=2)
        see_joined(table)
        table.wait(TALKS_S - 2.44)
        hangs_up(table, CALLER, CALL)
        assert one_talk(table, "8003").talk_ms == round(TALKS_S * 1000), lost_at
        assert one_talk(table, "8003").partial, lost_at


def see_joined(table: Table) -> None:
    when = facts.When(table.now_ms, stamped=False)
    seen = tuple(facts.ChannelSeen(party, CALL, up=True) for party in (CALLER, SUPERVISOR))
    snapshot = facts.SnapshotTaken(when, table.now_ms - 5, frozenset(one.party.uniqueid for one in seen), (), (), seen)
    table.take(table.tracker.receive(snapshot, table.now_ms))


def one_talk(table: Table, agent: str) -> Talk:
    (talk,) = (talk for talk in table.kept.talk_records if talk.agent == agent)
    return talk


def test_a_call_back_goes_on_when_the_local_channel_of_its_agent_is_removed() -> None:
    one = facts.Party("cb-1", "Local/8012@cb-member-00000001;1", "cb-1")
    two = facts.Party("cb-1;2", "Local/8012@cb-member-00000001;2", "cb-1")
    phone = facts.Party("cb-1.7", "PJSIP/8012-00000007", "cb-1")
    move: Happening = {
        "the agent leaves": leaves(phone, "a"),
        "the one half leaves": leaves(one, "b"),
        "the agent comes": enters(phone, "b"),
        "the one half ends": ends(one),
        "the other half leaves": leaves(two, "a"),
        "the other half ends": ends(two),
    }
    found = orders(
        move,
        ("the agent leaves", "the one half leaves", "the agent comes"),
        ("the one half leaves", "the one half ends"),
        ("the agent leaves", "the other half leaves", "the other half ends"),
    )
    for order in found:
        table = Table()
        table.tell(facts.MemberChanged, MEMBER)
        for party in (one, two, phone, CUSTOMER):
            table.tell(facts.ChannelBegan, party)
        table.tell(facts.DialBegan, facts.Party(""), one)
        table.tell(facts.DialBegan, two._replace(exten="8012"), phone, dial_string="8012")
        table.tell(facts.ChannelUp, phone, after_s=2)
        table.tell(facts.DialEnded, phone, "ANSWER", "", two)
        table.tell(facts.DialEnded, one, "ANSWER", "")
        enters(phone, "a")(table)
        enters(two, "a")(table)
        dialler = one._replace(exten="1002")
        table.tell(facts.DialBegan, dialler, CUSTOMER, dial_string="13855550100@carrier")
        table.tell(facts.ChannelUp, CUSTOMER, after_s=3)
        table.tell(facts.DialEnded, CUSTOMER, "ANSWER", "", dialler)
        enters(CUSTOMER, "b")(table)
        enters(dialler, "b")(table)
        table.wait(0.5)
        do(table, move, order)
        table.wait(TALKS_S - 0.5)
        for step in (leaves(phone, "b"), leaves(CUSTOMER, "b"), ends(phone), ends(CUSTOMER)):
            step(table)
        table.wait(600)
        began, ended = table.kept.talks
        assert ended.at_ms - began.at_ms == round(TALKS_S * 1000), order
        assert (began.parties.originated, began.parties.agent_channel) == (True, phone.channel), order
        assert set(table.tracker.memory.values()) == {0}, order
