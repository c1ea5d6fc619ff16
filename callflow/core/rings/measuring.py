"""Makes records of legs, offers and stays as they are known now."""

from callflow.core.rings.cadence import Cadence
from callflow.core.rings.channels import Channel
from callflow.core.rings.live import LiveLeg, LiveOffer, LiveStay
from callflow.core.rings.marks import TIME_BACKWARDS
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import AnswerClass, Leg, LegEnd, Offer, Outcome, RingSource, Stay, TargetType, Timing

REAL_RINGING = (RingSource.RINGING, RingSource.DIAL_STATE)


def span_ms(since_ms: int | None, until_ms: int | None, marks: set[str]) -> int | None:
    """A duration, never negative: if time ran backwards, it is 0 and marked."""
    if since_ms is None or until_ms is None:
        return None
    if until_ms < since_ms:
        marks.add(TIME_BACKWARDS)
    return max(0, until_ms - since_ms)


def leg_timing(leg: LiveLeg) -> Timing:
    """Stamped only if every event it is measured by was."""
    return Timing.STAMPED if leg.stamped and all(c.stamped for c in leg.ringers) else Timing.ARRIVAL


def leg_ring(leg: LiveLeg) -> tuple[int, RingSource] | None:
    """When the leg began to ring; one that was picked up without any sign of ringing counts from DialBegin."""
    ring = leg.ring_start()
    if ring is None and leg.pickup_ms() is not None:
        return leg.dialled_ms(), RingSource.DIAL_BEGIN
    return ring


def is_automatic(leg: LiveLeg, auto_answer_ms: int) -> bool:
    """Picked up sooner than a person can."""
    pickup, ring = leg.pickup_ms(), leg_ring(leg)
    return pickup is not None and ring is not None and pickup - ring[0] < auto_answer_ms


def leg_record(leg: LiveLeg, offer_id: str, bell: Cadence, auto_answer_ms: int) -> Leg:
    """The leg as it is known now."""
    ring, pickup = leg_ring(leg), leg.pickup_ms()
    for channel in leg.ringers:
        leg.marks |= channel.anomalies
    until = next((at for at in (pickup, leg.up_ms(), leg.ended_ms) if at is not None), None)
    ring_ms = span_ms(ring[0], until, leg.marks) if ring else None
    automatic = is_automatic(leg, auto_answer_ms)
    return Leg(
        leg_id=leg.leg_id,
        offer_id=offer_id,
        call_id=leg.call_id,
        revision=leg.revision,
        interface=leg.interface,
        agent=leg.agent,
        queue=leg.queue,
        began_ms=leg.began_ms,
        ring_start_ms=ring[0] if ring else None,
        ring_source=ring[1] if ring else None,
        pickup_ms=pickup,
        connect_ms=leg.connect_ms,
        ended_ms=leg.ended_ms,
        end=leg.end,
        ring_ms=ring_ms,
        rings=bell.rings(ring_ms) if ring_ms is not None else None,
        answer_class=_class(ring_ms, pickup is not None, automatic, leg, bell) if leg.end is not None else None,
        auto_answer=automatic,
        timing=leg_timing(leg),
        partial=leg.partial,
        marks=tuple(sorted(leg.marks)),
    )


def _class(ring_ms: int | None, picked_up: bool, automatic: bool, leg: LiveLeg, bell: Cadence) -> AnswerClass | None:
    """None if it is not known: the leg ended while callflow was not connected."""
    if leg.end is LegEnd.UNKNOWN:
        return None
    if ring_ms is None or automatic:
        return AnswerClass.EXCLUDED
    return bell.judge(ring_ms) if picked_up else AnswerClass.UNANSWERED


def offer_ring(offer: LiveOffer) -> tuple[int, RingSource] | None:
    """The group's clock: the first leg that rang; if none did, the best substitute of a leg."""
    rings = [ring for leg in offer.legs if (ring := leg_ring(leg)) is not None]
    real = [ring for ring in rings if ring[1] in REAL_RINGING]
    return min(real or rings, default=None)


def offer_pickup_ms(offer: LiveOffer) -> int | None:
    """When somebody took the call: the colleague who picked it up, the connected leg, else the first leg answered."""
    if offer.picked_at is not None:
        return offer.picked_at
    return offer.winner.pickup_ms() if offer.winner is not None else None


def offer_record(offer: LiveOffer, bell: Cadence, auto_answer_ms: int) -> Offer:
    """The offer as it is known now."""
    ring, pickup = offer_ring(offer), offer_pickup_ms(offer)
    offer.marks |= {mark for leg in offer.legs for mark in leg.marks}
    until = pickup if pickup is not None else offer.ended_ms
    ring_ms = span_ms(ring[0], until, offer.marks) if ring else None
    stamped = offer.stamped and all(leg_timing(leg) is Timing.STAMPED for leg in offer.legs)
    return Offer(
        offer_id=offer.offer_id,
        call_id=offer.call_id,
        revision=offer.revision,
        target_type=offer.target_type,
        target=offer.target,
        agent=offer.picked_by or (offer.winner.agent if offer.winner else ""),
        began_ms=offer.began_ms,
        ring_start_ms=ring[0] if ring else None,
        ring_source=ring[1] if ring else None,
        pickup_ms=pickup,
        connect_ms=offer.connect_ms,
        ended_ms=offer.ended_ms,
        legs=len(offer.legs),
        ring_ms=ring_ms,
        rings=bell.rings(ring_ms) if ring_ms is not None else None,
        answer_class=_offer_class(offer, ring_ms, pickup, bell, auto_answer_ms) if offer.final else None,
        picked_up=offer.picker is not None,
        cadence=offer.cadence,
        timing=Timing.STAMPED if stamped else Timing.ARRIVAL,
        partial=offer.partial,
        marks=tuple(sorted(offer.marks)),
    )


def _offer_class(
    offer: LiveOffer, ring_ms: int | None, pickup: int | None, bell: Cadence, auto_answer_ms: int
) -> AnswerClass | None:
    if pickup is None and any(leg.end is LegEnd.UNKNOWN for leg in offer.legs):
        return None
    if ring_ms is None:
        return AnswerClass.EXCLUDED
    if pickup is None:
        return AnswerClass.UNANSWERED
    if offer.picker is None and offer.winner is not None and is_automatic(offer.winner, auto_answer_ms):
        return AnswerClass.EXCLUDED
    return bell.judge(ring_ms)


def stay_record(stay: LiveStay) -> Stay:
    """The stay as it is known now."""
    caller, party = stay.caller, stay.party
    stay.marks |= caller.anomalies
    connect = stay.connect_ms if stay.connect_ms is not None else stay.agent_connect_ms
    until = connect if connect is not None else stay.left_ms
    return Stay(
        entry_id=stay.entry_id,
        call_id=stay.call_id,
        revision=stay.revision,
        queue=stay.queue,
        caller_number=party.number,
        caller_name=party.caller_name,
        dialled=party.exten,
        trunk=trunk_of(party.name),
        joined_ms=stay.joined_ms,
        left_ms=stay.left_ms,
        outcome=stay.outcome,
        wait_ms=span_ms(stay.joined_ms, until, stay.marks),
        offers=stay.offers_before + len(stay.offers),
        agent=stay.agent if stay.outcome in (None, Outcome.ANSWERED) else "",
        connect_ms=connect,
        talk_end_ms=stay.talk_end_ms,
        talk_ms=span_ms(connect, stay.talk_end_ms, stay.marks),
        timing=Timing.STAMPED if stay.stamped and caller.stamped else Timing.ARRIVAL,
        partial=stay.partial,
        marks=tuple(sorted(stay.marks)),
    )


def resumed_stay(record: Stay, caller: Channel) -> LiveStay:
    """The stay of a saved record, as far as the record shows it; what happened since was not seen."""
    caller.name, caller.is_recorded, caller.exten = record.trunk, True, record.dialled
    caller.number, caller.caller_name = record.caller_number, record.caller_name
    return LiveStay(
        call_id=record.call_id,
        entry_id=record.entry_id,
        revision=record.revision,
        caller=caller,
        party=caller,
        queue=record.queue,
        raw_queue=record.queue,
        joined_ms=record.joined_ms,
        left_ms=record.left_ms,
        offers_before=record.offers,
        connect_ms=record.connect_ms,
        talk_end_ms=record.talk_end_ms,
        agent=record.agent,
        stamped=record.timing is Timing.STAMPED,
        marks=set(record.marks),
        partial=True,
        unseen=True,
    )


def target_type(stay: LiveStay | None) -> TargetType:
    return TargetType.QUEUE if stay is not None else TargetType.LINE
