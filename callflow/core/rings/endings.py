"""How a leg ended, and what became of a stay: the closed sets, decided once and at the end, from all that was told."""

from callflow.core.rings.live import LiveLeg, LiveOffer, LiveStay
from callflow.core.rings.records import LegEnd, Outcome

TOGETHER_MS = 50
"""Events of one hang-up are stamped by different threads; so far apart they still are one happening."""
USER_BUSY, CALL_REJECTED = 17, 21
"""Causes of ITU-T Q.850."""
GUESSED = "outcome_guessed"
UNRESOLVED = "unresolved"

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
    """What QUEUESTATUS says became of a caller; None for CONTINUE and what Asterisk may add one day."""
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


def leg_end(leg: LiveLeg, offer: LiveOffer) -> LegEnd:
    """How a leg ended; decided when the whole offer has."""
    if leg is offer.winner:
        return LegEnd.ANSWERED
    if leg.forwarded:
        return LegEnd.FORWARDED
    if leg.lost or (leg.partial and not leg.status):
        return LegEnd.UNKNOWN
    if leg.answered or leg is offer.picked_leg:
        return LegEnd.ELSEWHERE
    if (refused := _refused(leg)) is not None:
        return refused
    if leg.status == "NOANSWER":
        return LegEnd.NO_ANSWER
    if offer.taken:
        return LegEnd.ELSEWHERE
    return LegEnd.ABANDONED if leg.status or _caller_gone(leg, offer) else LegEnd.NO_ANSWER


def _refused(leg: LiveLeg) -> LegEnd | None:
    """What the phone itself answered. Queue says NOANSWER of a busy phone: the cause of its hang-up tells the truth."""
    rang = leg.ring_start() is not None
    causes = {c.cause for c in leg.ringers if c.hangup_asked_at is not None and c.up_at is None}
    if causes & {CALL_REJECTED, USER_BUSY} or leg.status == "BUSY":
        return LegEnd.REJECTED if rang or CALL_REJECTED in causes else LegEnd.BUSY
    if leg.status in ("CHANUNAVAIL", "CONGESTION") or (causes - {0} and not rang):
        return LegEnd.FAILED
    return None


def _caller_gone(leg: LiveLeg, offer: LiveOffer) -> bool:
    caller = offer.caller
    asked = [at for at in (caller.hangup_asked_at, caller.soft_hangup_at, caller.ended_at) if at is not None]
    return bool(asked) and (leg.ended_ms is None or min(asked) <= leg.ended_ms + TOGETHER_MS)


def stay_outcome(stay: LiveStay, short_abandon_ms: int) -> Outcome:
    """What became of a caller in a queue; adds the mark of a guess where Asterisk's events alone cannot tell."""
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
    stay.marks.add(GUESSED)
    return Outcome.LEAVE_EMPTY if stay.empty_at_leave else Outcome.TIMEOUT


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
