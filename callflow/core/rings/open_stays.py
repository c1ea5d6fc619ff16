"""Stays in progress: found by caller, handed over, saved, and finished when all is known."""

from callflow.core.rings.channels import Channel
from callflow.core.rings.endings import gone_ms, reported_outcome, stay_outcome
from callflow.core.rings.facts import When
from callflow.core.rings.live import LiveStay
from callflow.core.rings.marks import ORIGINATED, TRANSFERRED, UNRESOLVED
from callflow.core.rings.measuring import stay_record
from callflow.core.rings.open_talks import OpenTalks
from callflow.core.rings.records import Outcome
from callflow.core.rings.talking import Talks
from callflow.core.rings.tracker_state import LONGEST_CALL_MS, SETTLE_MS, TrackerState


class OpenStays:
    """Every stay that has had no final record."""

    def __init__(self, state: TrackerState, open_talks: OpenTalks, talks: Talks) -> None:
        self._state = state
        self._open_talks = open_talks
        self._talks = talks
        self.by_caller: dict[str, LiveStay] = {}
        """Stays by the Uniqueid of the channel that runs Queue: it is in one queue at a time."""

    def of(self, uniqueid: str) -> LiveStay | None:
        """The stay of the caller with this channel."""
        return self.by_caller.get(uniqueid)

    def waiting(self, uniqueid: str) -> LiveStay | None:
        """The stay of a caller who has neither left nor been answered."""
        stay = self.of(uniqueid)
        if stay is None or stay.left_ms is not None or stay.answered or stay.caller.ended_at is not None:
            return None
        return stay

    # -- the beginning --------------------------------------------------------------------------------------------

    def begin(self, caller: Channel, queue: str, when: When, *, found: bool = False) -> LiveStay:
        """A caller is in a queue; `found`: the join was not seen."""
        stay = LiveStay(
            call_id=self._state.call_of(caller),
            entry_id=caller.next_entry_id(when.at_ms),
            caller=caller,
            party=self._state.channels.party_behind(caller) or caller,
            queue=self._state.names.queue(queue),
            raw_queue=queue,
            joined_ms=when.at_ms,
            stamped=when.stamped,
            partial=found or self._open_talks.may_consult(caller),
        )
        if self._state.channels.is_originated(caller):
            stay.marks.add(ORIGINATED)
        self.enter(stay)
        return stay

    def enter(self, stay: LiveStay) -> None:
        """The caller is in this stay from here; an earlier stay of the same caller is over."""
        self._finish_earlier(stay.caller, stay.joined_ms)
        self.by_caller[stay.caller.uniqueid] = stay
        self._state.due(stay, LONGEST_CALL_MS)
        self.save(stay)

    def _finish_earlier(self, caller: Channel, at_ms: int) -> None:
        earlier = self.of(caller.uniqueid)
        if earlier is None:
            return
        if earlier.talk is not None:  # for a moment it is still known: Asterisk may tell of the transfer afterwards
            self._talks.end(earlier.talk, at_ms)
            self._talks.on_stay_ended(earlier, earlier.talk, earlier.talk.end_ms())
        self.finish(earlier)

    def move(self, old: str, new: Channel, call_id: str, at_ms: int) -> None:
        """The agent who waited transfers the caller into this stay: it is the caller's from here."""
        stay = self.of(old)
        if stay is None or stay.final:
            return
        if stay.talk is not None and stay.talk.caller.uniqueid != old:
            return  # the talk that this stay led to is over
        del self.by_caller[old]
        self._finish_earlier(new, at_ms)
        stay.caller, stay.call_id = new, call_id
        stay.party = self._state.channels.party_behind(new) or new
        stay.marks.add(TRANSFERRED)
        self.by_caller[new.uniqueid] = stay
        self._release_offers(stay)
        for offer in stay.offers:
            offer.call_id = call_id
            for leg in offer.legs:
                leg.call_id = call_id
        self._state.put_off(stay, LONGEST_CALL_MS)
        self.save(stay)

    def _release_offers(self, stay: LiveStay) -> None:
        """Offers that have ended, and only waited for the end of the stay, are final soon."""
        for offer in stay.offers:
            if not offer.final and not offer.open and (offer.connect_ms is not None or not offer.taken):
                self._state.due(offer, SETTLE_MS)

    # -- the end --------------------------------------------------------------------------------------------------

    def finish(self, stay: LiveStay) -> None:
        """The final record of a stay; if its end is not known, it has no outcome and is counted as unresolved."""
        if stay.final:
            return
        self._state.done(stay)
        self._release_offers(stay)
        if self.of(stay.caller.uniqueid) is stay:
            del self.by_caller[stay.caller.uniqueid]
        self._state.remember(join_key(stay.caller.uniqueid, stay.raw_queue, stay.joined_ms))
        if stay.left_ms is None:
            stay.left_ms = stay.caller.ended_at
        stay.caller.left_queue_at = stay.left_ms if stay.left_ms is not None else self._state.now_ms
        self._decide_outcome(stay)
        if stay.left_ms is None and stay.answered:
            stay.left_ms = stay.connect_ms if stay.connect_ms is not None else stay.agent_connect_ms
        if stay.outcome is Outcome.ANSWERED and stay.talk_end_ms is None:
            stay.partial = True
        self.save(stay)

    def _decide_outcome(self, stay: LiveStay) -> None:
        if stay.unseen and reported_outcome(stay.queue_status) is None:
            stay.left_ms = None  # the caller may have been answered meanwhile
        asked = None if stay.unseen and stay.left_ms is None else gone_ms(stay)
        if stay.left_ms is None and asked is None and not stay.answered:
            stay.partial = True
            stay.marks.add(UNRESOLVED)
            self._state.unresolved["stay"] += 1
            return
        stay.outcome = stay_outcome(stay, 1000 * self._state.targets.of(stay.raw_queue).short_abandon_s)
        if asked is not None and not stay.answered:
            stay.left_ms = asked

    def save(self, stay: LiveStay) -> None:
        """Save the stay as it is known now."""
        stay.revision += 1
        self._state.save(stay_record(stay), final=stay.final)

    # -- while callflow was not connected -------------------------------------------------------------------------

    def link_lost(self) -> None:
        """What is in progress may go on unseen from here."""
        for stay in self.by_caller.values():
            stay.partial = stay.unseen = True
            self.save(stay)

    def doubt(self) -> None:
        """A snapshot has shown talks whose beginning was not seen: their agents may wait here for their callers."""
        for stay in self.by_caller.values():
            if not stay.partial and self._open_talks.may_consult(stay.caller):
                stay.partial = True
                for offer in stay.offers:
                    offer.partial = True
                self.save(stay)


def join_key(uniqueid: str, queue: str, at_ms: int) -> str:
    """What a QueueCallerJoin is remembered by, to know it again when it is repeated."""
    return f"{uniqueid} {queue} {at_ms}"
