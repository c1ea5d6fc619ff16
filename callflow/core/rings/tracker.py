"""The ring tracker: a second pure core beside the engine. Takes facts, returns records; never acts on a call."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from callflow.core import commands, events
from callflow.core.rings import facts
from callflow.core.rings.agents import AgentBoard
from callflow.core.rings.channels import Channel
from callflow.core.rings.connecting import Connecting
from callflow.core.rings.current_states import AgentState, LineState, QueueState
from callflow.core.rings.dialling import Dialling
from callflow.core.rings.live import LiveOffer, LiveStay, LiveTalk, Purpose
from callflow.core.rings.names import destinations_of, interface_of
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.open_stays import OpenStays
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.queueing import Queueing
from callflow.core.rings.records import RingSource, TargetType
from callflow.core.rings.rules import RingRules
from callflow.core.rings.talk_events import TalkParties
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import TrackerState
from callflow.core.rings.transfers import Transfers
from callflow.core.rings.under_way import UnderWay
from callflow.core.service.targets import Targets

Input = facts.Fact | events.LinkUp | events.LinkLost


class Tracker:
    """Counts rings. `receive` and `expire` return what to save and report; no event makes them raise."""

    def __init__(self, rules: RingRules, targets: Targets) -> None:
        state = self._state = TrackerState(rules, targets)
        self._board = AgentBoard(state)
        open_talks = self._open_talks = OpenTalks(state)
        talks = self._talks = Talks(state, open_talks)
        stays = self._stays = OpenStays(state, open_talks, talks)
        queueing = self._queueing = Queueing(state, stays, talks, self._board.is_empty)
        offers = self._offers = OpenOffers(state, open_talks)
        dialling = self._dialling = Dialling(
            state, offers, open_talks, stays.waiting, self._moved, self._agent_called_first
        )
        self._connecting = Connecting(state, offers, talks)
        self._transfers = Transfers(state, offers, dialling, stays, open_talks, talks)
        self._under_way = UnderWay(state, offers, open_talks, talks)
        talks.on_stay_began, talks.on_stay_ended = queueing.talk_began, queueing.talk_ended
        talks.on_originated = lambda phone, at_ms: self._board.end_calling(phone.uniqueid, at_ms)
        self._handlers = self._handlers_by_type()
        self.rules = rules
        self.unexpected: Counter[str] = state.unexpected
        """Anomalous events, by name."""
        self.unresolved: Counter[str] = state.unresolved
        """Legs and stays that ended while callflow was not connected."""
        self.timing_source: Counter[str] = state.timing_source
        """Legs that rang, by the event that showed it."""

    def _handlers_by_type(self) -> dict[type, Callable[[Any], None]]:
        dialling, queueing, talks, board = self._dialling, self._queueing, self._talks, self._board
        return {
            facts.ChannelBegan: self._channel_began,
            facts.ChannelRang: self._channel_rang,
            facts.ChannelUp: self._channel_up,
            facts.ChannelHeld: talks.held,
            facts.HangupRequested: self._hangup_requested,
            facts.ChannelEnded: self._channel_ended,
            facts.BridgeEntered: self._bridge_entered,
            facts.BridgeLeft: self._bridge_left,
            facts.DialBegan: dialling.dial_began,
            facts.DialProgressed: dialling.dial_progressed,
            facts.DialEnded: dialling.dial_ended,
            facts.PickedUp: self._picked_up,
            facts.Transferred: self._transferred,
            facts.CallerJoined: queueing.joined,
            facts.CallerAbandoned: queueing.abandoned,
            facts.CallerLeft: queueing.left,
            facts.QueueStatusReported: queueing.status_reported,
            facts.AgentCalled: self._agent_called,
            facts.AgentConnected: self._agent_connected,
            facts.AgentDumped: self._agent_dumped,
            facts.AgentCompleted: queueing.agent_done,
            facts.MemberChanged: board.changed,
            facts.MemberRemoved: board.removed,
        }

    @property
    def live(self) -> int:
        """Number of stays, offers and channels in talks; 0 if nothing is in progress."""
        return len(self._stays.by_caller) + len(self._offers.live) + len(self._open_talks)

    @property
    def channels(self) -> int:
        """Number of known channels."""
        return len(self._state.channels)

    @property
    def memory(self) -> dict[str, int]:
        """How much is remembered of channels and calls, by name: all 0 some minutes after the last Hangup."""
        return {
            **self._state.sizes,
            **self._offers.sizes,
            **self._talks.sizes,
            "stays": len(self._stays.by_caller),
            "calling": self._board.calling,
        }

    # -- the core's three calls -----------------------------------------------------------------------------------

    def receive(self, event: Input, now_ms: int) -> list[commands.Command]:
        """Take in one fact."""
        self._state.set_clock(now_ms)
        handler = self._handlers.get(type(event))
        if handler is not None:
            for anomaly in event.when.anomalies:  # type: ignore[union-attr]  # what has a handler has a time
                self._state.anomaly(anomaly)
            handler(event)
        else:
            self._link_fact(event)
        return self._state.take_commands()

    def _link_fact(self, event: Input) -> None:
        match event:
            case events.LinkLost(at_ms):
                self._link_lost(at_ms)
            case facts.SnapshotTaken():
                self._seen(event)
            case facts.StaysLeftOpen(stays):
                for stay in stays:
                    self._queueing.resume(stay)

    def expire(self, now_ms: int) -> list[commands.Command]:
        """End what is due by now."""
        self._state.set_clock(now_ms)
        for live in self._state.all_due():
            if isinstance(live, LiveOffer):
                self._offers.finish(live)
            elif isinstance(live, LiveStay):
                self._stays.finish(live)
            elif isinstance(live, LiveTalk):
                self._talks.finish(live)
        return self._state.take_commands()

    def next_deadline(self) -> int | None:
        """When to call `expire` next, epoch ms of our own clock."""
        return self._state.next_deadline()

    # -- the state as it is now -----------------------------------------------------------------------------------

    def queues(self, now_ms: int) -> list[QueueState]:
        """Every queue that has members or callers."""
        waiting: dict[str, list[int]] = {queue: [] for queue in self._board.queues}
        for stay in self._stays.by_caller.values():
            callers = waiting.setdefault(stay.queue, [])
            if stay.left_ms is None and not stay.answered:
                callers.append(stay.joined_ms)
        return [
            QueueState(queue, now_ms, len(joined), min(joined, default=None), dict(self._board.members(queue)))
            for queue, joined in sorted(waiting.items())
        ]

    def agents(self, now_ms: int) -> list[AgentState]:
        """Every agent, by work number."""
        return self._board.states(now_ms)

    def lines(self, now_ms: int) -> list[LineState]:
        """Every direct line that rings or is in a talk, and those with their own names."""
        ringing = Counter(
            offer.target
            for offer in self._offers.live
            if offer.target_type is TargetType.LINE
            and offer.purpose is Purpose.CALLER
            and offer.open
            and not offer.taken
        )
        talking = self._open_talks.by_line
        names = sorted({*ringing, *talking, *self._state.names.own_lines})
        return [LineState(name, now_ms, ringing[name], talking[name]) for name in names]

    def agent_at(self, phone: str, called: str = "") -> str:
        """Work number of the agent at a phone. `called`: what Queue or Dial called to reach it, if that is known.

        A Local channel may lead a member's calls to any desk, and a colleague may have picked the call up at theirs.
        """
        names = self._state.names
        own, member = names.agent(phone), names.member_at(called)
        return own if self._board.knows(own) or not names.is_member(member) else names.agent(member)

    def may_be_paused_for(self, interface: str, reason: str) -> bool:
        """False if this phone is known to be a member, and nowhere paused for this reason."""
        return self._board.may_be_paused_for(interface, reason)

    def line_at(self, exten: str, interface: str) -> str:
        """The direct line of a caller who has dialled this extension and is connected to this phone; "" for none."""
        return self._state.names.line_dialled(exten, exten, interface)

    def is_no_talk(self, uniqueid: str) -> bool:
        """What this channel has reached is no talk with a caller: an agent consults, or nobody can tell."""
        channel = self._state.channels.known(uniqueid)
        return channel is not None and self._open_talks.is_no_talk(channel)

    @property
    def talks_under_way(self) -> list[TalkParties]:
        """The parties of every talk that was reported and goes on."""
        talks = {talk: talk.parties for talk in self._open_talks.all if talk.under_way}
        return [parties for parties in talks.values() if parties is not None]

    # -- events of one channel; kept even before its call is known ---------------------------------------------------

    def _channel_began(self, fact: facts.ChannelBegan) -> None:
        self._state.channels.note(fact.when, fact.party, self._state.now_ms).began_here = True

    def _channel_rang(self, fact: facts.ChannelRang) -> None:
        channel = self._state.channels.note(fact.when, fact.party, self._state.now_ms)
        channel.rang(fact.when.at_ms, RingSource.RINGING)

    def _channel_up(self, fact: facts.ChannelUp) -> None:
        channel = self._state.channels.note(fact.when, fact.party, self._state.now_ms)
        if channel.up_at is None:
            channel.up_at = fact.when.at_ms

    def _bridge_entered(self, fact: facts.BridgeEntered) -> None:
        channels = self._state.channels
        channel = channels.note(fact.when, fact.party, self._state.now_ms)
        channels.enter(channel, fact.bridge)
        channel.left_bridge_at = None
        if channel.is_local:
            self._transfers.bridge_entered(channel, fact.when.at_ms)
        self._connecting.bridge_entered(channel, fact.when)
        self._under_way.bridge_entered(channel, fact.when.at_ms)

    def _bridge_left(self, fact: facts.BridgeLeft) -> None:
        channel = self._state.channels.known(fact.uniqueid)
        if channel is not None and channel.bridge == fact.bridge:
            self._state.channels.enter(channel, "")
            channel.left_bridge_at = fact.when.at_ms

    def _transferred(self, fact: facts.Transferred) -> None:
        self._transfers.transferred(fact)
        self._under_way.transferred(fact)

    def _hangup_requested(self, fact: facts.HangupRequested) -> None:
        """A request of the far end always counts; one of Asterisk only before the caller has left the queue."""
        channel = self._state.channels.known(fact.uniqueid)
        stay = self._stays.of(fact.uniqueid)
        if channel is None:
            return
        if not fact.soft and channel.hangup_asked_at is None:
            channel.hangup_asked_at, channel.cause = fact.when.at_ms, fact.cause
        if fact.soft and channel.soft_hangup_at is None and (stay is None or stay.left_ms is None):
            channel.soft_hangup_at = fact.when.at_ms

    def _channel_ended(self, fact: facts.ChannelEnded) -> None:
        when, channel = fact.when, self._state.channels.forget(fact.uniqueid, self._state.now_ms)
        if channel is None:
            return
        channel.stamped = channel.stamped and when.stamped
        channel.anomalies.update(when.anomalies)
        channel.ended_at, channel.cause = when.at_ms, channel.cause or fact.cause
        self._dialling.channel_ended(channel, when)
        self._talks.channel_ended(channel, when.at_ms)
        self._queueing.channel_ended(channel, when)
        self._board.end_calling(channel.uniqueid, when.at_ms)

    # -- facts that concern several parts -------------------------------------------------------------------------

    def _agent_called(self, fact: facts.AgentCalled) -> None:
        self._queueing.found(fact)
        self._dialling.agent_called(fact)

    def _agent_connected(self, fact: facts.AgentConnected) -> None:
        self._queueing.agent_connected(fact, self._connecting.who_answered(fact))

    def _picked_up(self, fact: facts.PickedUp) -> None:
        offer = self._connecting.picked_up(fact)
        stay = self._stays.of(offer.caller.uniqueid) if offer is not None else None
        if offer is not None and stay is not None and stay.agent:  # AgentConnect came first, and named the member
            stay.agent = offer.picked_by

    def _agent_dumped(self, fact: facts.AgentDumped) -> None:
        if (leg := self._offers.leg(fact.dest)) is not None:
            leg.dumped = True
        self._queueing.dumped(fact.caller)

    def _moved(self, old: str, new: Channel, at_ms: int) -> None:
        self._transfers.move(old, new, at_ms)

    def _agent_called_first(self, phone: Channel, at_ms: int) -> None:
        """Asterisk places a call, and calls this phone first."""
        if not phone.is_local:
            self._board.begin_calling(self._state.names.agent(interface_of(phone.name)), phone.uniqueid, at_ms)

    # -- the link -------------------------------------------------------------------------------------------------

    def _link_lost(self, at_ms: int) -> None:
        self._state.channels.link_lost()
        self._offers.link_lost()
        self._stays.link_lost()
        self._talks.link_lost()
        self._board.link_lost(at_ms)

    def _seen(self, fact: facts.SnapshotTaken) -> None:
        """A snapshot: what it does not show has ended unseen; what it shows first is counted from here."""
        channels, now_ms = self._state.channels, self._state.now_ms
        for uniqueid in channels.prune(fact.uniqueids, fact.asked_ms):
            lost = channels.forget(uniqueid, now_ms)
            if lost is not None:
                self._dialling.channel_lost(lost, fact.when)
                self._talks.channel_ended(lost, fact.when.at_ms)
                self._queueing.channel_lost(lost, fact.when)
                self._board.end_calling(uniqueid, fact.when.at_ms)
        for one in fact.channels:
            channels.seen(fact.when, one, fact.asked_ms, now_ms)
        self._learn_names(fact)
        self._stays.doubt()
        self._offers.doubt()
        for one in fact.channels:  # some were connected unseen
            channel = channels.known(one.party.uniqueid)
            if channel is not None and channel.bridge:
                self._connecting.bridge_entered(channel, fact.when)
        self._queueing.seen(fact)
        self._board.seen(fact)
        self._under_way.seen(fact)

    def _learn_names(self, fact: facts.SnapshotTaken) -> None:
        """Who is a member, and what is a trunk."""
        names = self._state.names
        for member in fact.members or ():
            names.learn_member(member.interface, member.name)
        for one in fact.channels:
            if one.application == "Dial":
                for destination in destinations_of(one.data):
                    names.learn_dialled(destination)
