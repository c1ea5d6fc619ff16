"""The ring tracker: a second pure core beside the engine. Facts in, records to save out; it never acts on a call."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from callflow.core import commands, events
from callflow.core.rings import facts
from callflow.core.rings.agents import AgentBoard
from callflow.core.rings.channels import Channel
from callflow.core.rings.dialling import Dialling
from callflow.core.rings.live import LiveOffer, LiveStay, LiveTalk, Purpose
from callflow.core.rings.names import interface_of
from callflow.core.rings.open_offers import OpenOffers
from callflow.core.rings.queueing import Queueing
from callflow.core.rings.records import AgentState, LineState, QueueState, RingSource, TargetType
from callflow.core.rings.rules import RingRules
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import TrackerState
from callflow.core.rings.transfers import Transfers
from callflow.core.service.targets import Targets

Input = facts.Fact | events.LinkUp | events.LinkLost


class Tracker:
    """Counts rings. `receive` and `expire` return what is to be saved and reported; no event makes them raise."""

    def __init__(self, rules: RingRules, targets: Targets) -> None:
        state = self._state = TrackerState(rules, targets)
        self._board = AgentBoard(state)
        talks = self._talks = Talks(state)
        queueing = self._queueing = Queueing(state, talks, self._board.is_empty)
        self._offers = OpenOffers(state, talks)
        dialling = self._dialling = Dialling(
            state, self._offers, talks, queueing.waiting_stay, self._moved, self._agent_called_first
        )
        self._transfers = Transfers(state, self._offers, dialling, queueing, talks)
        talks.on_stay_began, talks.on_stay_ended = queueing.talk_began, queueing.talk_ended
        talks.on_originated = lambda phone, at_ms: self._board.end_calling(phone.uniqueid, at_ms)
        self._handlers = self._handlers_by_type()
        self.rules = rules
        self.unexpected: Counter[str] = state.unexpected
        """Events that fit nowhere, by name."""
        self.unresolved: Counter[str] = state.unresolved
        """Legs and stays that ended while nobody was looking."""
        self.timing_source: Counter[str] = state.timing_source
        """Legs that rang, by what showed it."""

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
            facts.Transferred: self._transfers.transferred,
            facts.CallerJoined: queueing.joined,
            facts.CallerAbandoned: queueing.abandoned,
            facts.CallerLeft: queueing.left,
            facts.QueueStatusReported: queueing.status_reported,
            facts.AgentCalled: self._agent_called,
            facts.AgentConnected: self._agent_connected,
            facts.AgentDumped: self._agent_dumped,
            facts.AgentCompleted: queueing.agent_done,
            facts.MemberChanged: lambda fact: board.member_changed(fact.when, fact.member),
            facts.MemberRemoved: lambda fact: board.member_removed(fact.when, fact.member),
        }

    @property
    def live(self) -> int:
        """Stays, offers and who talks: nothing is under way when it is 0."""
        return len(self._queueing.stays) + len(self._offers.live) + len(self._talks)

    @property
    def channels(self) -> int:
        """Channels known of."""
        return len(self._state.channels)

    @property
    def memory(self) -> dict[str, int]:
        """How much is remembered of channels and calls, by name: all 0 some minutes after the last channel has gone."""
        return {
            **self._state.sizes,
            **self._offers.sizes,
            "stays": len(self._queueing.stays),
            "talks": self._talks.size,
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
            case facts.QueuesSeen():
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
                self._queueing.finish(live)
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
        for stay in self._queueing.stays.values():
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
        """Every direct line that rings or talks, and those with names of their own."""
        ringing = Counter(
            offer.target
            for offer in self._offers.live
            if offer.target_type is TargetType.LINE
            and offer.purpose is Purpose.CALLER
            and offer.open
            and not offer.taken
        )
        talking = self._talks.by_line
        names = sorted({*ringing, *talking, *self._state.names.own_lines})
        return [LineState(name, now_ms, ringing[name], talking[name]) for name in names]

    def agent_at(self, interface: str) -> str:
        """Work number of who is at a phone."""
        return self._state.names.agent(interface)

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
        self._dialling.bridge_entered(channel, fact.when)

    def _bridge_left(self, fact: facts.BridgeLeft) -> None:
        channel = self._state.channels.known(fact.uniqueid)
        if channel is not None and channel.bridge == fact.bridge:
            self._state.channels.enter(channel, "")
            channel.left_bridge_at = fact.when.at_ms

    def _hangup_requested(self, fact: facts.HangupRequested) -> None:
        """The far end's wish counts always; Asterisk's own only while the queue has not let the caller go."""
        channel = self._state.channels.known(fact.uniqueid)
        stay = self._queueing.stays.get(fact.uniqueid)
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
        self._queueing.agent_connected(fact, self._dialling.who_answered(fact))

    def _picked_up(self, fact: facts.PickedUp) -> None:
        offer = self._dialling.picked_up(fact)
        stay = self._queueing.stays.get(offer.caller.uniqueid) if offer is not None else None
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
        self._queueing.link_lost()
        self._talks.link_lost()
        self._board.link_lost(at_ms)

    def _seen(self, fact: facts.QueuesSeen) -> None:
        """A snapshot after the link came up: what is gone has ended unseen, what waits is counted from here."""
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
        self._queueing.doubt()
        self._offers.doubt()
        for one in fact.channels:  # who was connected unseen
            channel = channels.known(one.party.uniqueid)
            if channel is not None and channel.bridge:
                self._dialling.bridge_entered(channel, fact.when)
        self._queueing.seen(fact)
        self._board.seen(fact)
