"""How a leg ended, and the outcome of a stay: decided once, at the end, from all events."""

from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveLeg, LiveOffer, LiveStay
from callflow.core.rings.marks import OUTCOME_GUESSED, UNRESOLVED
from callflow.core.rings.records import LegEnd, Outcome

TOGETHER_MS = 50
"""Different threads of Asterisk stamp the events of one hang-up, up to this far apart."""
USER_BUSY, CALL_REJECTED = 17, 21
"""Causes of ITU-T Q.850."""
_REFUSALS = (USER_BUSY, CALL_REJECTED)

_REPORTED = {
    "TIMEOUT": Outcome.TIMEOUT,
    "FULL": Outcome.FULL,
    "JOINEMPTY": Outcome.JOIN_EMPTY,
    "JOINUNAVAIL": Outcome.JOIN_EMPTY,
    "LEAVEEMPTY": Outcome.LEAVE_EMPTY,
    "LEAVEUNAVAIL": Outcome.LEAVE_EMPTY,
    "WITHDRAW": Outcome.WITHDRAWN,
}
NEVER_JOINED = (Outcome.FULL, Outcome.JOIN_EMPTY)


def reported_outcome(status: str) -> Outcome | None:
    """The outcome that QUEUESTATUS reports; None for CONTINUE and unknown values."""
    return _REPORTED.get(status)


def gone_ms(stay: LiveStay) -> int | None:
    """When the caller hung up, if that is why the stay ended; None when the queue let them go."""
    caller, left_ms = stay.caller, stay.left_ms
    asked = [at for at in (caller.hangup_asked_at, caller.soft_hangup_at) if at is not None]
    if asked and (left_ms is None or min(asked) <= left_ms):
        return min(asked)
    if caller.hangup_asked_at is not None and left_ms is not None and caller.hangup_asked_at <= left_ms + TOGETHER_MS:
        return left_ms
    return None


def judge_legs(offer: LiveOffer, now_ms: int) -> None:
    """Decide how every leg of an offer ended, once all its events are there."""
    for leg in offer.legs:
        _close_unseen(leg, offer, now_ms)
        leg.declined = _is_declined(leg, offer)
        if leg.declined and offer.winner is leg:
            offer.winner = None
    for leg in offer.legs:
        if leg.answered and leg is not offer.picked_leg and all(c.up_at is None for c in leg.ringers):
            leg.lost = leg.partial and bool(leg.phones) and leg.connect_ms is None
            leg.partial = True
            if leg.lost and offer.winner is leg:  # some other phone may have been picked up
                offer.winner, leg.answered = None, False
        leg.end = _leg_end(leg, offer)
        if leg.end is LegEnd.UNKNOWN:
            leg.marks.add(UNRESOLVED)


def _close_unseen(leg: LiveLeg, offer: LiveOffer, now_ms: int) -> None:
    if leg.ended_ms is None:
        ends = (offer.connect_ms, offer.picked_at, offer.caller.hangup_asked_at, offer.caller.ended_at)
        leg.ended_ms = next((at for at in ends if at is not None), None)
    if leg.ended_ms is None:
        leg.lost = leg.partial = True
        leg.ended_ms = max(leg.began_ms, now_ms)


def _is_declined(leg: LiveLeg, offer: LiveOffer) -> bool:
    """A phone was picked up, and nobody accepted the call: no confirmation came, or somebody else was connected."""
    if leg.up_ms() is None or leg.connect_ms is not None or leg.dumped or leg.lost:
        return False
    if leg is offer.picked_leg:
        return True
    if leg.answered:  # by Dial: the phone went away from a caller who was still there
        return offer.stay is None and offer.connect_ms is None and not _outlasted(leg, offer)
    return bool(leg.status) or not leg.partial


def _outlasted(leg: LiveLeg, offer: LiveOffer) -> bool:
    """The phone was still there when the caller went."""
    caller = offer.caller
    asked = [at for at in (caller.hangup_asked_at, caller.soft_hangup_at, caller.ended_at) if at is not None]
    ended = [c.ended_at for c in leg.ringers if c.ended_at is not None]
    return bool(asked) and (not ended or min(asked) <= min(ended) + TOGETHER_MS)


def _leg_end(leg: LiveLeg, offer: LiveOffer) -> LegEnd:
    if leg is offer.picked_leg:
        return LegEnd.ELSEWHERE
    if leg is offer.winner:
        return LegEnd.ANSWERED
    if leg.forwarded:
        return LegEnd.FORWARDED
    if leg.lost or (leg.partial and not leg.status):
        return LegEnd.UNKNOWN
    if leg.declined and not offer.taken:
        return _declined_end(leg, offer)
    if leg.answered:
        return LegEnd.ELSEWHERE
    if (refused := _refused(leg)) is not None:
        return refused
    if leg.status == "NOANSWER":
        return LegEnd.NO_ANSWER
    if offer.taken:
        return LegEnd.ELSEWHERE
    return LegEnd.ABANDONED if leg.status or _caller_gone(leg, offer) else LegEnd.NO_ANSWER


def _declined_end(leg: LiveLeg, offer: LiveOffer) -> LegEnd:
    """`rejected` if the phone hung up; if a machine or a person only listened, `no_answer`."""
    if _caller_gone(leg, offer):
        return LegEnd.ABANDONED
    hung_up = any(c.up_at is not None and c.hangup_asked_at is not None for c in leg.ringers)
    return LegEnd.REJECTED if hung_up else LegEnd.NO_ANSWER


def _refused(leg: LiveLeg) -> LegEnd | None:
    """What the phones themselves answered: Queue reports NOANSWER for a busy phone, also behind a Local channel."""
    answers = [_own_answer(channel) for channel in leg.ringers]
    rang = leg.ring_start() is not None
    if leg.status == "BUSY" or (answers and all(answer in _REFUSALS for answer in answers)):
        return LegEnd.REJECTED if rang or CALL_REJECTED in answers else LegEnd.BUSY
    if leg.status in ("CHANUNAVAIL", "CONGESTION") or (not rang and any(answers)):
        return LegEnd.FAILED
    return None


def _own_answer(channel: Channel) -> int:
    """Why a phone that was not picked up ended the call itself (ITU-T Q.850); 0 if it did not."""
    if channel.up_at is not None:
        return 0
    if channel.dial_status == "BUSY" and channel.cause != CALL_REJECTED:
        return USER_BUSY
    return channel.cause if channel.hangup_asked_at is not None or channel.cause in _REFUSALS else 0


def _caller_gone(leg: LiveLeg, offer: LiveOffer) -> bool:
    caller = offer.caller
    asked = [at for at in (caller.hangup_asked_at, caller.soft_hangup_at, caller.ended_at) if at is not None]
    return bool(asked) and (leg.ended_ms is None or min(asked) <= leg.ended_ms + TOGETHER_MS)


def stay_outcome(stay: LiveStay, short_abandon_ms: int) -> Outcome:
    """The outcome of a stay; marks it as guessed if Asterisk's events do not show it."""
    if stay.answered:
        return Outcome.ANSWERED
    reported = reported_outcome(stay.queue_status)
    gone = gone_ms(stay)
    if gone is None and reported is not None:
        return reported
    if stay.offers and stay.offers[-1].winner is not None and stay.offers[-1].winner.dumped:
        return Outcome.AGENT_DUMP_RETRY
    if gone is not None:
        return _abandoned(stay, gone, short_abandon_ms)
    if not stay.abandoned:
        return Outcome.EXIT_KEY
    if stay.moved:
        return Outcome.REDIRECTED
    stay.marks.add(OUTCOME_GUESSED)
    if _is_cut_short(stay):
        return Outcome.REDIRECTED
    return Outcome.LEAVE_EMPTY if stay.empty_at_leave else Outcome.TIMEOUT


def _is_cut_short(stay: LiveStay) -> bool:
    """The phones were cancelled as the caller left; at a time-out, Queue reports NOANSWER for them first."""
    last, left_ms = stay.offers[-1] if stay.offers else None, stay.left_ms
    if last is None or last.taken or left_ms is None:
        return False
    ringing = [leg for leg in last.legs if leg.ended_ms is not None and abs(leg.ended_ms - left_ms) <= TOGETHER_MS]
    return bool(ringing) and all(leg.status == "CANCEL" for leg in ringing)


def _abandoned(stay: LiveStay, gone: int, short_abandon_ms: int) -> Outcome:
    last = stay.offers[-1] if stay.offers else None
    if last is not None and last.winner is not None:
        return Outcome.ABANDONED_POST_PICKUP
    if gone - stay.joined_ms <= short_abandon_ms:
        return Outcome.SHORT_ABANDON
    if last is not None and any(_was_ringing(leg, gone) for leg in last.legs):
        return Outcome.ABANDONED_RINGING
    return Outcome.ABANDONED_QUEUE


def _was_ringing(leg: LiveLeg, at_ms: int) -> bool:
    ring = leg.ring_start()
    return ring is not None and (leg.ended_ms is None or leg.ended_ms >= at_ms - TOGETHER_MS)
