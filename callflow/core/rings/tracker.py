"""The ring tracker: a second pure core beside the engine. Facts in, records to keep out; it never acts on a call."""

from collections import Counter

from callflow.core import commands, events
from callflow.core.rings import facts
from callflow.core.rings.agents import AgentBoard
from callflow.core.rings.dialling import Dialling
from callflow.core.rings.live import LiveOffer, LiveStay, Talk
from callflow.core.rings.queueing import Queueing
from callflow.core.rings.records import AgentState, LineState, QueueState, RingSource, TargetType
from callflow.core.rings.rules import RingRules
from callflow.core.rings.tracker_state import TrackerState
from callflow.core.service.targets import Targets

Input = facts.Fact | events.LinkUp | events.LinkLost


class Tracker:
    """Counts rings. `receive` and `expire` return records to keep; neither ever raises for an event."""

    def __init__(self, rules: RingRules, targets: Targets) -> None:
        self._state = TrackerState(rules, targets)
        self._board = AgentBoard(self._state)
        self._queueing = Queueing(self._state, self._board.is_empty)
        self._dialling = Dialling(self._state, self._queueing.waiting_stay, self._queueing.connected)
        self.rules = rules
        self.unexpected: Counter[str] = self._state.unexpected
        """What fitted nowhere, by name."""
        self.unresolved: Counter[str] = self._state.unresolved
        """Legs and stays that ended while nobody was looking."""
        self.timing_source: Counter[str] = self._state.timing_source
        """Legs that rang, by what told so."""

    @property
    def live(self) -> int:
        """Stays, offers and who talks: nothing is under way, and nothing due, when it is 0."""
        return len(self._queueing.stays) + len(self._dialling.live) + self._queueing.talking

    @property
    def channels(self) -> int:
        """Channels known of."""
        return len(self._state.channels)

    # -- the core's three calls -----------------------------------------------------------------------------------

    def receive(self, event: Input, now_ms: int) -> list[commands.Command]:
        """Take in one fact."""
        self._state.set_clock(now_ms)
        match event:
            case events.LinkUp():
                pass
            case events.LinkLost(at_ms):
                self._link_lost(at_ms)
            case facts.QueuesSeen():
                self._seen(event)
            case facts.StaysLeftOpen(stays):
                for stay in stays:
                    self._queueing.resume(stay)
            case facts.MemberChanged(when, member):
                self._mark(when)
                self._board.member_changed(when, member)
            case facts.MemberRemoved(when, member):
                self._board.member_removed(when, member)
            case _:
                self._mark(event.when)
                self._call_fact(event)
        return self._state.take_commands()

    def expire(self, now_ms: int) -> list[commands.Command]:
        """End what is due by now."""
        self._state.set_clock(now_ms)
        for live in self._state.all_due():
            if isinstance(live, LiveOffer):
                self._dialling.finish(live)
            elif isinstance(live, LiveStay):
                self._queueing.finish(live)
            elif isinstance(live, Talk):
                self._queueing.finish_talk(live)
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
            for offer in self._dialling.live
            if offer.target_type is TargetType.LINE and offer.open and not offer.taken
        )
        talking = self._queueing.line_talks
        names = sorted({*ringing, *talking, *self._state.names.own_lines})
        return [LineState(name, now_ms, ringing[name], talking[name]) for name in names]

    # -- facts ----------------------------------------------------------------------------------------------------

    def _mark(self, when: facts.When) -> None:
        for anomaly in when.anomalies:
            self._state.anomaly(anomaly)

    def _call_fact(self, event: facts.Fact) -> None:
        dialling, queueing = self._dialling, self._queueing
        match event:
            case facts.DialBegan():
                dialling.dial_began(event)
            case facts.DialProgressed():
                dialling.dial_progressed(event)
            case facts.DialEnded():
                dialling.dial_ended(event)
            case facts.PickedUp():
                dialling.picked_up(event)
            case facts.Transferred():
                queueing.transferred(event)
            case facts.CallerJoined():
                queueing.joined(event)
            case facts.CallerAbandoned():
                queueing.abandoned(event)
            case facts.CallerLeft():
                queueing.left(event)
            case facts.QueueStatusReported():
                queueing.status_reported(event)
            case facts.AgentCalled():
                queueing.found(event)
                dialling.agent_called(event)
            case facts.AgentConnected(_, _, _, member):
                queueing.agent_connected(event, self._state.names.agent(member.interface, member.name))
            case facts.AgentDumped(_, caller, dest):
                if (leg := dialling.leg(dest)) is not None:
                    leg.dumped = True
                queueing.dumped(caller)
            case facts.AgentCompleted():
                queueing.agent_done(event)
            case _:
                self._channel_fact(event)

    def _channel_fact(self, event: facts.Fact) -> None:
        """What a channel tells of itself; kept even before anybody knows whose it is."""
        channels, now_ms = self._state.channels, self._state.now_ms
        match event:
            case facts.ChannelBegan(when, party):
                channel = channels.get(party.uniqueid, now_ms)
                channel.note(when, party)
                channel.began_here = True
            case facts.ChannelRang(when, party):
                channel = channels.get(party.uniqueid, now_ms)
                channel.note(when, party)
                channel.rang(when.at_ms, RingSource.RINGING)
            case facts.ChannelUp(when, party):
                channel = channels.get(party.uniqueid, now_ms)
                channel.note(when, party)
                if channel.up_at is None:
                    channel.up_at = when.at_ms
            case facts.HangupRequested():
                self._hangup_requested(event)
            case facts.BridgeEntered(when, party, bridge):
                channel = channels.get(party.uniqueid, now_ms)
                channel.note(when, party)
                channels.enter(channel, bridge)
                channel.left_bridge_at = None
                self._dialling.bridge_entered(channel, when)
            case facts.BridgeLeft(when, uniqueid, bridge):
                known = channels.known(uniqueid)
                if known is not None and known.bridge == bridge:
                    channels.enter(known, "")
                    known.left_bridge_at = when.at_ms
            case facts.ChannelEnded(when, uniqueid):
                self._state.remember(f"gone {uniqueid}")
                ended = channels.forget(uniqueid)
                if ended is not None:
                    ended.note(when)
                    ended.ended_at = when.at_ms
                    self._dialling.channel_ended(ended, when)
                    self._queueing.channel_ended(ended, when)

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

    # -- the link -------------------------------------------------------------------------------------------------

    def _link_lost(self, at_ms: int) -> None:
        self._dialling.link_lost()
        self._queueing.link_lost()
        self._board.link_lost(at_ms)

    def _seen(self, fact: facts.QueuesSeen) -> None:
        """A snapshot after the link came up: what is gone has ended unseen, what waits is counted from here."""
        channels = self._state.channels
        for uniqueid in channels.prune(fact.uniqueids, fact.asked_ms):
            lost = channels.forget(uniqueid)
            if lost is not None:
                self._dialling.channel_lost(lost, fact.when)
                self._queueing.channel_lost(lost, fact.when)
        self._queueing.seen(fact)
        self._board.seen(fact)
