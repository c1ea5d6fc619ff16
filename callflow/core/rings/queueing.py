"""Queueing: what Queue and a snapshot report of callers who wait."""

from collections.abc import Callable

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.endings import NEVER_JOINED, gone_ms, reported_outcome
from callflow.core.rings.live import LiveStay, LiveTalk
from callflow.core.rings.marks import TRANSFERRED
from callflow.core.rings.measuring import resumed_stay
from callflow.core.rings.open_stays import OpenStays, join_key
from callflow.core.rings.records import Stay
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState

SNAPSHOT_MS = 1_000
"""A snapshot gives waiting times in whole seconds."""
REJOINED_MS = 5_000
"""A stay that began this much later than the known one is another stay; a snapshot may arrive late."""


class Queueing:
    """Takes the events of queues. `is_empty` knows whether a queue has no member who could answer."""

    def __init__(self, state: TrackerState, stays: OpenStays, talks: Talks, is_empty: Callable[[str], bool]) -> None:
        self._state = state
        self._stays = stays
        self._talks = talks
        self._is_empty = is_empty

    # -- the queue ------------------------------------------------------------------------------------------------

    def joined(self, fact: facts.CallerJoined) -> None:
        """A stay begins."""
        state, at_ms = self._state, fact.when.at_ms
        caller = state.channels.note(fact.when, fact.caller, state.now_ms)
        key = join_key(caller.uniqueid, fact.queue, at_ms)
        before = self._stays.of(caller.uniqueid)
        if state.is_past(key) or (before and (before.raw_queue, before.joined_ms) == (fact.queue, at_ms)):
            state.anomaly("QueueCallerJoin repeated")
            return
        self._stays.begin(caller, fact.queue, fact.when).place = fact.place

    def found(self, fact: facts.AgentCalled) -> None:
        """A member is called for a caller whose join was not seen: the stay is counted from here, as partial."""
        uniqueid, state = fact.caller.uniqueid, self._state
        if self._stays.of(uniqueid) is not None or self._is_over(uniqueid, fact.when.at_ms):
            return
        caller = state.channels.note(fact.when, fact.caller, state.now_ms)
        self._stays.begin(caller, fact.member.queue, fact.when, found=True)

    def abandoned(self, fact: facts.CallerAbandoned) -> None:
        """Abandoned, timed out or removed: which one is decided when the stay ends."""
        if (stay := self._stays.of(fact.uniqueid)) is not None:
            stay.abandoned = True
            stay.moved = stay.moved or _is_elsewhere(stay, fact.place)
            stay.stamped = stay.stamped and fact.when.stamped

    def left(self, fact: facts.CallerLeft) -> None:
        """The caller has left the queue: to an agent, or for a reason that a later event may show."""
        stay = self._stays.of(fact.uniqueid)
        if stay is None:
            self._is_out(fact.uniqueid, fact.when)
        if stay is None or stay.left_ms is not None or stay.raw_queue != fact.queue:
            return
        stay.left_ms = fact.when.at_ms
        stay.moved = stay.moved or _is_elsewhere(stay, fact.place)
        stay.unseen = False
        stay.stamped = stay.stamped and fact.when.stamped
        stay.empty_at_leave = self._is_empty(stay.queue)
        picked_up = bool(stay.offers) and stay.offers[-1].taken and not stay.abandoned
        if not stay.answered and not (picked_up and gone_ms(stay) is None):
            self._state.put_off(stay, 2 * SETTLE_MS)

    def status_reported(self, fact: facts.QueueStatusReported) -> None:
        """QUEUESTATUS: of the stay that ends, or of a caller who could not join, not even once more."""
        stay = self._stays.of(fact.caller.uniqueid)
        has_not_joined = reported_outcome(fact.status) in NEVER_JOINED
        if stay is not None and stay.raw_queue == fact.queue:
            if not has_not_joined:
                stay.queue_status = fact.status
                return
            if stay.left_ms is None and not stay.answered and not stay.unseen:
                return  # who is in a queue cannot have been kept out of it
        key = join_key(fact.caller.uniqueid, fact.queue, fact.when.at_ms)
        if has_not_joined and not self._state.is_past(key):
            caller = self._state.channels.note(fact.when, fact.caller, self._state.now_ms)
            stay = self._stays.begin(caller, fact.queue, fact.when)
            stay.queue_status, stay.left_ms = fact.status, fact.when.at_ms
            self._stays.finish(stay)

    def agent_connected(self, fact: facts.AgentConnected, agent: str) -> None:
        """Queue reports that an agent is connected; the bridge gives the time."""
        stay = self._stays.of(fact.caller)
        if stay is None:
            self._is_out(fact.caller, fact.when)
        if stay is None or stay.answered:
            return
        stay.agent_connect_ms = fact.when.at_ms
        stay.stamped = stay.stamped and fact.when.stamped
        stay.agent = stay.agent or agent
        self._state.put_off(stay, LONGEST_CALL_MS)
        self._stays.save(stay)

    def _is_out(self, uniqueid: str, when: facts.When) -> None:
        """A caller whose stay is not known has left it: a snapshot that shows them waiting is older."""
        self._state.channels.touch(uniqueid, self._state.now_ms).left_queue_at = when.at_ms

    def agent_done(self, fact: facts.AgentCompleted) -> None:
        """AgentComplete: the talk is over. After a transfer into this stay, it may be about the talk before."""
        stay = self._stays.of(fact.caller)
        if stay is not None and TRANSFERRED in stay.marks and not _has_called(stay, fact.dest):
            return
        if stay is not None and stay.talk is not None:
            self._talks.end(stay.talk, fact.when.at_ms)
        elif stay is not None and stay.answered:
            stay.talk_end_ms = fact.when.at_ms
            self._state.put_off(stay, 2 * SETTLE_MS)

    def talk_began(self, stay: LiveStay, talk: LiveTalk, at_ms: int) -> None:
        """The caller and an agent are in the bridge."""
        if not stay.final:
            stay.connect_ms, stay.talk, stay.agent = at_ms, talk, talk.agent or stay.agent
            self._state.put_off(stay, LONGEST_CALL_MS)
            self._stays.save(stay)

    def talk_ended(self, stay: LiveStay, talk: LiveTalk, end_ms: int | None) -> None:
        """The talk is over, with all its events; so is the stay."""
        if not stay.final:
            stay.talk_end_ms = end_ms
            stay.partial = stay.partial or talk.partial or end_ms is None
            self._stays.finish(stay)

    def channel_ended(self, channel: Channel, when: facts.When) -> None:
        """A Hangup ends the stay of a caller who has not been answered."""
        stay = self._stays.of(channel.uniqueid)
        if stay is not None and stay.talk is None:
            if stay.answered and stay.talk_end_ms is None:
                stay.talk_end_ms = when.at_ms
            self._state.put_off(stay, 2 * SETTLE_MS)

    def dumped(self, uniqueid: str) -> None:
        """AgentDump: the caller waits on."""
        stay = self._stays.of(uniqueid)
        if stay is not None and not stay.answered and stay.left_ms is not None:
            self._state.put_off(stay, 2 * SETTLE_MS)

    # -- while callflow was not connected -------------------------------------------------------------------------

    def resume(self, record: Stay) -> None:
        """A stay that was in progress when the daemon was last stopped: like a lost link."""
        uniqueid, _, _ = record.entry_id.rpartition("-")
        caller = self._state.channels.touch(uniqueid, self._state.now_ms)
        self._stays.enter(resumed_stay(record, caller))

    def channel_lost(self, channel: Channel, when: facts.When) -> None:
        """A snapshot does not show the channel any more: when and how it ended is not known."""
        stay = self._stays.of(channel.uniqueid)
        if stay is not None and stay.talk is None:
            self._stays.finish(stay)

    def seen(self, fact: facts.SnapshotTaken) -> None:
        """A snapshot: finds callers who wait, again or for the first time; the stays of others are finished."""
        if fact.waiting is None:
            return
        waiting = {one.caller.uniqueid for one in fact.waiting}
        for stay in list(self._stays.by_caller.values()):
            seen_before = stay.caller.touched_ms < fact.asked_ms
            if stay.partial and seen_before and not stay.answered and stay.caller.uniqueid not in waiting:
                self._stays.finish(stay)
        for one in fact.waiting:
            self._seen_waiting(one, fact)

    def _seen_waiting(self, one: facts.Waiting, fact: facts.SnapshotTaken) -> None:
        uniqueid, state = one.caller.uniqueid, self._state
        joined = facts.When(fact.when.at_ms - one.waited_ms, fact.when.stamped, fact.when.anomalies)
        stay = self._stays.of(uniqueid)
        if stay is not None and self._is_same(stay, one.queue, joined.at_ms):
            stay.unseen, stay.raw_queue = False, one.queue
        elif uniqueid in fact.uniqueids and (stay.unseen if stay else not self._is_over(uniqueid, joined.at_ms)):
            caller = state.channels.note(fact.when, one.caller, state.now_ms)
            self._stays.begin(caller, one.queue, joined, found=True)

    def _is_over(self, uniqueid: str, at_ms: int) -> bool:
        """A report that the caller was in a queue at `at_ms`, to a second, is late: that stay has ended since."""
        caller = self._state.channels.known(uniqueid)
        left_at = caller.left_queue_at if caller is not None else None
        return self._state.is_past(uniqueid) or (left_at is not None and at_ms + SNAPSHOT_MS < left_at)

    def _is_same(self, stay: LiveStay, queue: str, joined_ms: int) -> bool:
        """The caller in the snapshot is still in this stay, and has not joined again."""
        return stay.queue == self._state.names.queue(queue) and joined_ms <= stay.joined_ms + REJOINED_MS


def _is_elsewhere(stay: LiveStay, place: str) -> bool:
    """The caller is at another place of the dialplan than at Queue: a key or a redirect has moved them."""
    return bool(stay.place and place) and place != stay.place


def _has_called(stay: LiveStay, uniqueid: str) -> bool:
    """The channel was called, or has picked up, for this stay; Asterisk names no channel that has ended."""
    if not uniqueid:
        return stay.talk is None or not any(channel.bridge for channel in stay.talk.answerers)
    return any(uniqueid in leg.channels for offer in stay.offers for leg in offer.legs)
