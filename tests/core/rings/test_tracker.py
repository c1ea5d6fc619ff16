"""The tracker when the link is lost, when it starts beside a living PBX, and when events are odd."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from callflow.adapters.ami.translate_rings import RingTranslator
from callflow.captures.ring_replay import KeptRings
from callflow.core import commands, events
from callflow.core.rings import facts
from callflow.core.rings.records import AgentWork, AnswerClass, Leg, LegEnd, Outcome, Stay, Timing
from callflow.core.rings.rules import RingRules
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets

BEGIN_MS = 1_800_000_000_000
CALLER = facts.Party("1.1", "PJSIP/trunk-00000001", "1.1", "13855550100", "", "4000")
PHONE = facts.Party("1.2", "PJSIP/8012-00000002", "1.1")
MEMBER = facts.Member("support", "PJSIP/8012", "PJSIP/8012", 1)


@dataclass
class Table:
    """A tracker with a clock; `after` seconds pass before each fact."""

    tracker: Tracker = field(default_factory=lambda: Tracker(RingRules(), Targets(queues={"default": QueueTarget()})))
    kept: KeptRings = field(default_factory=KeptRings)
    warnings: list[str] = field(default_factory=list)
    now_ms: int = BEGIN_MS

    def tell(self, make: Any, *arguments: Any, after_s: float = 0.0, **more: Any) -> None:
        self.wait(after_s)
        self.take(self.tracker.receive(make(facts.When(self.now_ms), *arguments, **more), self.now_ms))

    def link(self, event: events.LinkUp | events.LinkLost, after_s: float = 0.0) -> None:
        self.wait(after_s)
        self.take(self.tracker.receive(replace(event, at_ms=self.now_ms), self.now_ms))

    def see(
        self, *, channels: set[str], members: tuple[facts.Member, ...] = (), waiting: tuple[facts.Waiting, ...] = ()
    ) -> None:
        when = facts.When(self.now_ms, stamped=False)
        seen = facts.SnapshotTaken(when, self.now_ms - 5, frozenset(channels), members, waiting)
        self.take(self.tracker.receive(seen, self.now_ms))

    def wait(self, seconds: float) -> None:
        until_ms = self.now_ms + round(seconds * 1000)
        while (due := self.tracker.next_deadline()) is not None and due <= until_ms:
            self.take(self.tracker.expire(due))
        self.now_ms = until_ms

    def take(self, issued: list[commands.Command]) -> None:
        self.kept.take(issued)
        self.warnings += [command.text for command in issued if isinstance(command, commands.Warn)]

    def join(self) -> None:
        self.tell(facts.ChannelBegan, CALLER)
        self.tell(facts.CallerJoined, CALLER, "support", after_s=1)

    def ring(self) -> None:
        self.tell(facts.AgentCalled, CALLER, PHONE.uniqueid, MEMBER)
        self.tell(facts.DialBegan, CALLER, PHONE)
        self.tell(facts.ChannelRang, PHONE)

    def answer(self, after_s: float = 7.0) -> None:
        self.tell(facts.ChannelUp, PHONE, after_s=after_s)
        self.tell(facts.DialEnded, PHONE, "ANSWER", "")
        self.tell(facts.CallerLeft, CALLER.uniqueid, "support")
        self.tell(facts.AgentConnected, CALLER.uniqueid, PHONE.uniqueid, MEMBER)
        self.tell(facts.BridgeEntered, PHONE, "b")
        self.tell(facts.BridgeEntered, CALLER, "b")

    def hang_up(self, after_s: float = 10.0) -> None:
        self.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=after_s)
        for party in (CALLER, PHONE):
            self.tell(facts.BridgeLeft, party.uniqueid, "b")
            self.tell(facts.ChannelEnded, party.uniqueid)
        self.wait(5)

    @property
    def stay(self) -> Stay:
        (stay,) = self.kept.stays
        return stay

    @property
    def leg(self) -> Leg:
        (leg,) = self.kept.legs
        return leg


@pytest.fixture
def table() -> Table:
    return Table()


def test_a_whole_call(table: Table) -> None:
    table.join()
    assert [(q.queue, q.waiting, q.oldest_joined_ms) for q in table.tracker.queues(table.now_ms)] == [
        ("support", 1, table.now_ms)
    ]
    table.ring()
    table.answer()
    table.hang_up()
    assert (table.stay.outcome, table.stay.wait_ms, table.stay.talk_ms) == (Outcome.ANSWERED, 7000, 10_000)
    assert (table.leg.ring_ms, table.leg.rings, table.leg.answer_class) == (7000, 2, AnswerClass.IDEAL)
    assert (table.leg.agent, table.leg.timing, table.leg.partial) == ("8012", Timing.STAMPED, False)
    assert table.tracker.live == table.tracker.channels == 0


def test_what_goes_on_through_a_lost_link_is_partial(table: Table) -> None:
    table.join()
    table.ring()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=2)
    table.see(channels={"1.1", "1.2"}, waiting=(facts.Waiting(CALLER, "support", 2000),))
    table.answer()
    table.hang_up()
    assert (table.stay.outcome, table.stay.partial) == (Outcome.ANSWERED, True)
    assert (table.leg.end, table.leg.partial) == (LegEnd.ANSWERED, True)
    assert table.kept.finals["stay", table.stay.entry_id] == 1


def test_what_ended_unseen_is_never_given_an_outcome(table: Table) -> None:
    table.join()
    table.ring()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=60)
    table.see(channels=set())
    table.wait(5)
    assert (table.stay.outcome, table.stay.partial, table.stay.marks) == (None, True, ("unresolved",))
    assert (table.leg.end, table.leg.answer_class) == (LegEnd.UNKNOWN, None)
    assert dict(table.tracker.unresolved) == {"stay": 1, "leg": 1}
    assert table.tracker.live == 0


def test_a_caller_who_hangs_up_right_after_a_cut_may_have_been_answered_in_it(table: Table) -> None:
    table.join()
    table.ring()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=6)
    table.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=0.1)
    table.tell(facts.ChannelEnded, CALLER.uniqueid)
    table.see(channels=set())
    table.wait(5)
    assert (table.stay.outcome, table.stay.partial, table.stay.marks) == (None, True, ("unresolved",))


@pytest.mark.parametrize("seen", [True, False])
def test_a_caller_who_still_waited_after_a_cut_has_abandoned(table: Table, seen: bool) -> None:
    table.join()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=10)
    if seen:
        table.see(channels={"1.1"}, waiting=(facts.Waiting(CALLER, "support", 10_000),))
    table.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=0.1)
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, "support")
    table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
    table.tell(facts.ChannelEnded, CALLER.uniqueid)
    table.wait(5)
    assert (table.stay.outcome, table.stay.partial) == (Outcome.ABANDONED_QUEUE, True)


def test_a_leg_that_was_answered_unseen_has_no_class(table: Table) -> None:
    table.join()
    table.ring()
    table.link(events.LinkLost(0, "cut"))
    table.link(events.LinkUp(0), after_s=3)
    table.see(channels={"1.1", "1.2"})
    table.tell(facts.ChannelEnded, PHONE.uniqueid, after_s=30)
    table.wait(5)
    assert (table.leg.end, table.leg.answer_class) == (LegEnd.UNKNOWN, None)


def test_a_living_pbx_is_joined_in_the_middle(table: Table) -> None:
    table.link(events.LinkUp(0))
    table.see(channels={"1.1"}, members=(MEMBER,), waiting=(facts.Waiting(CALLER, "support", 30_000),))
    (queue,) = table.tracker.queues(table.now_ms)
    assert (queue.waiting, queue.oldest_joined_ms) == (1, BEGIN_MS - 30_000)
    assert queue.members == {AgentWork.AVAILABLE: 1}
    table.ring()
    table.answer()
    table.hang_up()
    assert (table.stay.outcome, table.stay.partial, table.stay.wait_ms) == (Outcome.ANSWERED, True, 37_000)


def test_a_snapshot_that_comes_late_begins_nothing_anew(table: Table) -> None:
    table.join()
    table.tell(facts.HangupRequested, CALLER.uniqueid, soft=False, after_s=9)
    table.tell(facts.CallerAbandoned, CALLER.uniqueid, "support")
    table.tell(facts.CallerLeft, CALLER.uniqueid, "support")
    table.tell(facts.ChannelEnded, CALLER.uniqueid)
    table.wait(2)
    table.see(channels={"1.1"}, waiting=(facts.Waiting(CALLER, "support", 8000),))
    assert table.stay.outcome is Outcome.ABANDONED_QUEUE
    assert table.tracker.live == 0


def event(name: str, **headers: str) -> dict[str, str]:
    return {"Event": name, "Uniqueid": "1.1", "Channel": CALLER.channel, "Linkedid": "1.1", **headers}


def test_odd_events_are_marked_counted_and_said_once(table: Table) -> None:
    translate = RingTranslator()
    stamp = f"{BEGIN_MS / 1000:.6f}"
    for _ in range(3):
        for odd in (
            event("Newstate", ChannelStateDesc="Ringing", Timestamp=stamp),
            event("Newstate", ChannelStateDesc="Ringing\nUp", Timestamp=stamp),
            event("QueueCallerJoin", Queue="a/b#c", Timestamp="99999999999.0"),
            event("QueueCallerJoin", Queue="", Timestamp="nan"),
        ):
            if (fact := translate(odd, table.now_ms)) is not None:
                table.take(table.tracker.receive(fact, table.now_ms))
    assert table.tracker.unexpected["absurd_time"] == 3
    assert table.tracker.unexpected["repeated_header"] == 3
    assert len(table.warnings) == len(set(table.warnings)) >= 2
    assert table.stay.timing is Timing.ARRIVAL
    assert {"absurd_time", "repeated_header"} <= set(table.stay.marks)
    assert not set(table.stay.queue) & set("/#+")


def test_time_that_runs_backwards_is_marked(table: Table) -> None:
    table.join()
    table.ring()
    table.now_ms -= 3000
    table.answer(after_s=0)
    table.hang_up()
    assert table.leg.ring_ms == 0
    assert "time_backwards" in table.leg.marks


def test_without_stamps_the_record_says_so() -> None:
    fact = RingTranslator()(event("Newchannel"), BEGIN_MS)
    assert isinstance(fact, facts.ChannelBegan)
    assert fact.when == facts.When(BEGIN_MS, False)


def test_of_two_who_answer_the_bridge_decides(table: Table) -> None:
    other = facts.Party("1.3", "PJSIP/8013-00000003", "1.1")
    table.join()
    table.ring()
    table.tell(facts.DialBegan, CALLER, other)
    table.tell(facts.ChannelRang, other)
    table.wait(6.5)
    for phone in (PHONE, other):
        table.tell(facts.ChannelUp, phone)
        table.tell(facts.DialEnded, phone, "ANSWER", "")
    table.tell(facts.BridgeEntered, other, "b")
    table.tell(facts.BridgeEntered, CALLER, "b")
    table.tell(facts.ChannelEnded, PHONE.uniqueid)
    table.tell(facts.ChannelEnded, other.uniqueid, after_s=5)
    table.hang_up()
    assert [(leg.agent, leg.end) for leg in table.kept.legs] == [("8012", LegEnd.ELSEWHERE), ("8013", LegEnd.ANSWERED)]
    assert [(offer.agent, offer.legs, offer.answer_class) for offer in table.kept.offers] == [
        ("8013", 2, AnswerClass.IDEAL)
    ]
    assert (table.stay.agent, table.stay.talk_ms) == ("8013", 5000)
