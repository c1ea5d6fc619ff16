"""Stays: who waits in which queue, and with which outcome."""

from collections.abc import Callable

from callflow.core.rings import facts
from callflow.core.rings.channels import Channel
from callflow.core.rings.dialling import ORIGINATED, TRANSFERRED
from callflow.core.rings.endings import NEVER_JOINED, UNRESOLVED, gone_ms, reported_outcome, stay_outcome
from callflow.core.rings.live import LiveStay, LiveTalk
from callflow.core.rings.measuring import resumed_stay, stay_record
from callflow.core.rings.records import Outcome, Stay
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState

SNAPSHOT_MS = 1_000
"""A snapshot gives waiting times in whole seconds."""
REJOINED_MS = 5_000
"""A stay that began so much later than the known one is another stay; a snapshot may arrive late."""


class Queueing:
    """Every stay under way. `is_empty` knows whether a queue has nobody to answer."""

    def __init__(self, state: TrackerState, talks: Talks, is_empty: Callable[[str], bool]) -> None:
        self._state = state
        self._talks = talks
        self._is_empty = is_empty
        self.stays: dict[str, LiveStay] = {}
        """Stays by the Uniqueid of the channel that runs Queue: it is in one queue at a time."""

    def waiting_stay(self, uniqueid: str) -> LiveStay | None:
        """The stay of a caller who has neither left nor been answered."""
        stay = self.stays.get(uniqueid)
        if stay is None or stay.left_ms is not None or stay.answered or stay.caller.ended_at is not None:
            return None
        return stay

    # -- the queue ------------------------------------------------------------------------------------------------

    def joined(self, fact: facts.CallerJoined) -> None:
        """A stay begins."""
        state, at_ms = self._state, fact.when.at_ms
        caller = state.channels.note(fact.when, fact.caller, state.now_ms)
        key = f"{caller.uniqueid} {fact.queue} {at_ms}"
        before = self.stays.get(caller.uniqueid)
        if state.is_past(key) or (before and (before.raw_queue, before.joined_ms) == (fact.queue, at_ms)):
            state.anomaly("QueueCallerJoin repeated")
            return
        self._begin(caller, fact.queue, fact.when).place = fact.place

    def _begin(self, caller: Channel, queue: str, when: facts.When, *, found: bool = False) -> LiveStay:
        stay = LiveStay(
            call_id=self._state.call_of(caller),
            entry_id=caller.next_entry_id(when.at_ms),
            caller=caller,
            party=self._state.channels.party_behind(caller) or caller,
            queue=self._state.names.queue(queue),
            raw_queue=queue,
            joined_ms=when.at_ms,
            stamped=when.stamped,
            partial=found or self._talks.may_hide_one(caller),
        )
        if self._state.channels.is_originated(caller):
            stay.marks.add(ORIGINATED)
        self._go_on(stay)
        return stay

    def _go_on(self, stay: LiveStay) -> None:
        """The caller is in this stay from here: in any other, a talk that still waits for its last events has ended."""
        if (before := self.stays.get(stay.caller.uniqueid)) is not None:
            self._finish_before(before, stay.joined_ms)
        self.stays[stay.caller.uniqueid] = stay
        self._state.due(stay, LONGEST_CALL_MS)
        self._save(stay)

    def _finish_before(self, before: LiveStay, at_ms: int) -> None:
        if before.talk is not None:
            self._talks.end(before.talk, at_ms)
            self._talks.finish(before.talk)
        self.finish(before)

    def found(self, fact: facts.AgentCalled) -> None:
        """A member is called for a caller whose joining nobody saw: the stay is counted from here, as partial."""
        uniqueid, state = fact.caller.uniqueid, self._state
        if uniqueid in self.stays or self._is_over(uniqueid, fact.when.at_ms):
            return
        caller = state.channels.note(fact.when, fact.caller, state.now_ms)
        self._begin(caller, fact.member.queue, fact.when, found=True)

    def abandoned(self, fact: facts.CallerAbandoned) -> None:
        """Given up, timed out or put out: which one is decided when the stay ends."""
        if (stay := self.stays.get(fact.uniqueid)) is not None:
            stay.abandoned = True
            stay.moved = stay.moved or _is_elsewhere(stay, fact.place)
            stay.stamped = stay.stamped and fact.when.stamped

    def left(self, fact: facts.CallerLeft) -> None:
        """Out of the queue: to an agent, or for another reason that may still be on its way."""
        stay = self.stays.get(fact.uniqueid)
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
        """QUEUESTATUS: of the stay that ends, or of a caller who never got in."""
        stay = self.stays.get(fact.caller.uniqueid)
        if stay is not None and stay.raw_queue == fact.queue:
            stay.queue_status = fact.status
            return
        outcome = reported_outcome(fact.status)
        key = f"{fact.caller.uniqueid} {fact.queue} {fact.when.at_ms}"
        if outcome in NEVER_JOINED and not self._state.is_past(key):
            caller = self._state.channels.note(fact.when, fact.caller, self._state.now_ms)
            stay = self._begin(caller, fact.queue, fact.when)
            stay.queue_status, stay.left_ms = fact.status, fact.when.at_ms
            self.finish(stay)

    def agent_connected(self, fact: facts.AgentConnected, agent: str) -> None:
        """Queue reports the connection; the bridge gives its time."""
        stay = self.stays.get(fact.caller)
        if stay is None or stay.answered:
            return
        stay.agent_connect_ms = fact.when.at_ms
        stay.stamped = stay.stamped and fact.when.stamped
        stay.agent = stay.agent or agent
        self._state.put_off(stay, LONGEST_CALL_MS)
        self._save(stay)

    def agent_done(self, fact: facts.AgentCompleted) -> None:
        """AgentComplete: the talk is over, however it ended. After a transfer into this stay, it may be of the last."""
        stay = self.stays.get(fact.caller)
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
            self._save(stay)

    def talk_ended(self, stay: LiveStay, talk: LiveTalk, end_ms: int | None) -> None:
        """The talk is over, with all its events; so is the stay."""
        if not stay.final:
            stay.talk_end_ms = end_ms
            stay.partial = stay.partial or talk.partial or end_ms is None
            self.finish(stay)

    def channel_ended(self, channel: Channel, when: facts.When) -> None:
        """A Hangup ends the stay of a caller who has not been answered."""
        stay = self.stays.get(channel.uniqueid)
        if stay is not None and stay.talk is None:
            if stay.answered and stay.talk_end_ms is None:
                stay.talk_end_ms = when.at_ms
            self._state.put_off(stay, 2 * SETTLE_MS)

    def dumped(self, uniqueid: str) -> None:
        """AgentDump: the caller waits on."""
        stay = self.stays.get(uniqueid)
        if stay is not None and not stay.answered and stay.left_ms is not None:
            self._state.put_off(stay, 2 * SETTLE_MS)

    def move(self, old: str, new: Channel, call_id: str, at_ms: int) -> None:
        """Who waited in the place of a caller hands over to them: it is the caller's stay from here."""
        stay = self.stays.get(old)
        if stay is None or stay.final:
            return
        if stay.talk is not None and stay.talk.caller.uniqueid != old:
            return  # the talk that this stay came to is over
        del self.stays[old]
        if (before := self.stays.get(new.uniqueid)) is not None:
            self._finish_before(before, at_ms)
        stay.caller, stay.call_id = new, call_id
        stay.party = self._state.channels.party_behind(new) or new
        stay.marks.add(TRANSFERRED)
        self.stays[new.uniqueid] = stay
        self._release(stay)
        for offer in stay.offers:
            offer.call_id = call_id
            for leg in offer.legs:
                leg.call_id = call_id
        self._state.put_off(stay, LONGEST_CALL_MS)
        self._save(stay)

    def _release(self, stay: LiveStay) -> None:
        """Offers that had ended, and only waited for what would become of the stay, are final soon."""
        for offer in stay.offers:
            if not offer.final and not offer.open and (offer.connect_ms is not None or not offer.taken):
                self._state.due(offer, SETTLE_MS)

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(self, stay: LiveStay) -> None:
        """The final record of a stay; where nobody can know what became of it, it has no outcome, and is counted."""
        if stay.final:
            return
        self._state.done(stay)
        self._release(stay)
        if self.stays.get(stay.caller.uniqueid) is stay:
            del self.stays[stay.caller.uniqueid]
        self._state.remember(f"{stay.caller.uniqueid} {stay.raw_queue} {stay.joined_ms}")
        if stay.left_ms is None:
            stay.left_ms = stay.caller.ended_at
        stay.caller.left_queue_at = stay.left_ms if stay.left_ms is not None else self._state.now_ms
        if stay.unseen and reported_outcome(stay.queue_status) is None:
            stay.left_ms = None  # the caller may have been answered meanwhile
        asked = None if stay.unseen and stay.left_ms is None else gone_ms(stay)
        if stay.left_ms is None and asked is None and not stay.answered:
            stay.partial = True
            stay.marks.add(UNRESOLVED)
            self._state.unresolved["stay"] += 1
        else:
            stay.outcome = stay_outcome(stay, 1000 * self._state.targets.of(stay.raw_queue).short_abandon_s)
            if asked is not None and not stay.answered:
                stay.left_ms = asked
        if stay.left_ms is None and stay.answered:
            stay.left_ms = stay.connect_ms if stay.connect_ms is not None else stay.agent_connect_ms
        if stay.outcome is Outcome.ANSWERED and stay.talk_end_ms is None:
            stay.partial = True
        self._save(stay)

    def _save(self, stay: LiveStay) -> None:
        stay.revision += 1
        self._state.save(stay_record(stay), final=stay.final)

    # -- when nobody was looking ----------------------------------------------------------------------------------

    def link_lost(self) -> None:
        """What is under way may go on unseen from here."""
        for stay in self.stays.values():
            stay.partial = stay.unseen = True
            self._save(stay)

    def resume(self, record: Stay) -> None:
        """A stay that was under way when an earlier life of ours ended: that is like a lost link."""
        uniqueid, _, _ = record.entry_id.rpartition("-")
        caller = self._state.channels.touch(uniqueid, self._state.now_ms)
        self._go_on(resumed_stay(record, caller))

    def doubt(self) -> None:
        """A snapshot has shown talks that nobody saw begin: their agents may wait here for their callers."""
        for stay in self.stays.values():
            if not stay.partial and self._talks.may_hide_one(stay.caller):
                stay.partial = True
                for offer in stay.offers:
                    offer.partial = True
                self._save(stay)

    def channel_lost(self, channel: Channel, when: facts.When) -> None:
        """A snapshot does not show a channel any more: when and how it ended is not known."""
        stay = self.stays.get(channel.uniqueid)
        if stay is not None and stay.talk is None:
            self.finish(stay)

    def seen(self, fact: facts.QueuesSeen) -> None:
        """A snapshot: callers who wait are found again or for the first time; who does not wait any more is let go."""
        waiting = {one.caller.uniqueid for one in fact.waiting}
        for stay in list(self.stays.values()):
            seen_before = stay.caller.touched_ms < fact.asked_ms
            if stay.partial and seen_before and not stay.answered and stay.caller.uniqueid not in waiting:
                self.finish(stay)
        for one in fact.waiting:
            self._seen_waiting(one, fact)

    def _seen_waiting(self, one: facts.Waiting, fact: facts.QueuesSeen) -> None:
        uniqueid, state = one.caller.uniqueid, self._state
        joined = facts.When(fact.when.at_ms - one.waited_ms, fact.when.stamped, fact.when.anomalies)
        stay = self.stays.get(uniqueid)
        if stay is not None and self._is_same(stay, one.queue, joined.at_ms):
            stay.unseen, stay.raw_queue = False, one.queue
        elif uniqueid in fact.uniqueids and (stay.unseen if stay else not self._is_over(uniqueid, joined.at_ms)):
            caller = state.channels.note(fact.when, one.caller, state.now_ms)
            self._begin(caller, one.queue, joined, found=True)

    def _is_over(self, uniqueid: str, at_ms: int) -> bool:
        """What shows a caller in a queue at `at_ms`, give or take a second, is late: that stay has ended since."""
        caller = self._state.channels.known(uniqueid)
        left_at = caller.left_queue_at if caller is not None else None
        return self._state.is_past(uniqueid) or (left_at is not None and at_ms + SNAPSHOT_MS < left_at)

    def _is_same(self, stay: LiveStay, queue: str, joined_ms: int) -> bool:
        """Whoever joined then, as a snapshot has it, is still in this stay, and has not joined again since."""
        return stay.queue == self._state.names.queue(queue) and joined_ms <= stay.joined_ms + REJOINED_MS


def _is_elsewhere(stay: LiveStay, place: str) -> bool:
    """The caller is not where Queue was begun in the dialplan: a key or a redirect has moved them."""
    return bool(stay.place and place) and place != stay.place


def _has_called(stay: LiveStay, uniqueid: str) -> bool:
    """The channel was called, or has picked up, for this stay; Asterisk names none that is gone already."""
    if not uniqueid:
        return stay.talk is None or not any(channel.bridge for channel in stay.talk.answerers)
    return any(uniqueid in leg.channels for offer in stay.offers for leg in offer.legs)
