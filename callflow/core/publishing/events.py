"""Records as events: what is told of a call once nothing more will follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callflow.core.call_record import CallRecord
from callflow.core.publishing.envelope import Envelope, event_id, utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import AgentInterval, Leg, Measured, Offer, Stay


@dataclass(frozen=True, slots=True)
class EventMaker:
    """Makes the events of one daemon, `node`, at one site."""

    topics: Topics
    node: str
    pseudonymizer: Pseudonymizer

    def event_of(self, record: CallRecord | Measured) -> Envelope | None:
        """The event of an ended record; None for a spell, which is told as an agent's state."""
        match record:
            case CallRecord():
                return self._screened(record)
            case Stay():
                return self._stay(record)
            case Offer():
                return self._offer(record)
            case Leg():
                return self._leg(record)
            case AgentInterval():
                return None

    def _make(
        self, kind: str, name: str, call_id: str, occurred_ms: int, revision: int, data: Mapping[str, Any]
    ) -> Envelope:
        return Envelope(
            topic=self.topics.call(kind),
            event_id=event_id(self.topics.site, self.node, kind, name),
            schema=f"callflow.call.{kind}/1",
            call_id=call_id,
            occurred_ms=occurred_ms,
            revision=revision,
            data={"node": self.node, **data},
        )

    def _screened(self, call: CallRecord) -> Envelope:
        data = {
            "screening_id": call.call_id,
            "profile": call.profile,
            "mode": call.mode.value,
            "ladder": call.ladder,
            "ear": call.ear,
            "language": call.language,
            **self._caller(call.caller_number, call.caller_name),
            "dialled": self.pseudonymizer.name(call.dialled),
            "trunk": self.pseudonymizer.name(trunk_of(call.channel)),
            "arrived_at": utc(call.arrived_ms),
            "ended_at": utc(call.ended_ms),
            "result": call.result and call.result.value,
            "would": call.would and call.would.value,
            "rung": call.rung,
            "heard_at": utc(call.heard_at_ms),
            "heard_after_would": call.heard_after_would,
            "heard": call.heard and call.heard.value,
            "level_dbov": call.level_dbov,
            "gain_db": call.gain_db,
            "partial": call.partial,
        }
        occurred_ms = call.arrived_ms if call.ended_ms is None else call.ended_ms
        return self._make("screened", call.call_id, call.uniqueid, occurred_ms, 1, data)

    def _stay(self, stay: Stay) -> Envelope:
        data = {
            "entry_id": stay.entry_id,
            "queue": self.pseudonymizer.name(stay.queue),
            **self._caller(stay.caller_number, stay.caller_name),
            "dialled": self.pseudonymizer.name(stay.dialled),
            "trunk": self.pseudonymizer.name(stay.trunk),
            "joined_at": utc(stay.joined_ms),
            "left_at": utc(stay.left_ms),
            "outcome": stay.outcome and stay.outcome.value,
            "wait_ms": stay.wait_ms,
            "offers": stay.offers,
            "agent": self.pseudonymizer.name(stay.agent),
            "connected_at": utc(stay.connect_ms),
            "talk_ended_at": utc(stay.talk_end_ms),
            "talk_ms": stay.talk_ms,
            **_quality(stay),
        }
        occurred_ms = _last(stay.joined_ms, stay.left_ms, stay.talk_end_ms)
        return self._make("stay", stay.entry_id, stay.call_id, occurred_ms, stay.revision, data)

    def _offer(self, offer: Offer) -> Envelope:
        data = {
            "offer_id": offer.offer_id,
            "target_type": offer.target_type.value,
            "target": self.pseudonymizer.name(offer.target),
            "agent": self.pseudonymizer.name(offer.agent),
            **_ringing(offer),
            "legs": offer.legs,
            "picked_up": offer.picked_up,
            "cadence": offer.cadence,
            **_quality(offer),
        }
        occurred_ms = _last(offer.began_ms, offer.connect_ms, offer.ended_ms)
        return self._make("offer", offer.offer_id, offer.call_id, occurred_ms, offer.revision, data)

    def _leg(self, leg: Leg) -> Envelope:
        """Without `interface`, which often is a person's name."""
        data = {
            "leg_id": leg.leg_id,
            "offer_id": leg.offer_id,
            "agent": self.pseudonymizer.name(leg.agent),
            "queue": self.pseudonymizer.name(leg.queue),
            **_ringing(leg),
            "end": leg.end and leg.end.value,
            "auto_answer": leg.auto_answer,
            **_quality(leg),
        }
        occurred_ms = _last(leg.began_ms, leg.connect_ms, leg.ended_ms)
        return self._make("leg", leg.leg_id, leg.call_id, occurred_ms, leg.revision, data)

    def _caller(self, number: str, name: str) -> dict[str, str | None]:
        """`caller_name` only where numbers are shown too."""
        return {
            "caller": self.pseudonymizer.caller(number),
            "caller_name": name if self.pseudonymizer.plain and name else None,
        }


def _ringing(record: Leg | Offer) -> dict[str, Any]:
    return {
        "began_at": utc(record.began_ms),
        "ring_started_at": utc(record.ring_start_ms),
        "ring_source": record.ring_source and record.ring_source.value,
        "picked_up_at": utc(record.pickup_ms),
        "connected_at": utc(record.connect_ms),
        "ended_at": utc(record.ended_ms),
        "ring_ms": record.ring_ms,
        "rings": record.rings,
        "answer_class": record.answer_class and record.answer_class.value,
    }


def _quality(record: Leg | Offer | Stay) -> dict[str, Any]:
    return {"timing": record.timing.value, "partial": record.partial, "marks": list(record.marks)}


def _last(began_ms: int, *later_ms: int | None) -> int:
    return max(at for at in (began_ms, *later_ms) if at is not None)
