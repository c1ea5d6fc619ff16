"""Fields that the events of several kinds have."""

from typing import Any

from callflow.core.call_record import CallRecord
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.rings.records import Leg, Offer, Stay


def caller_of(record: CallRecord | Stay, names: Pseudonymizer) -> dict[str, str | None]:
    """`caller_name` only where numbers are shown too."""
    return {
        "caller": names.caller(record.caller_number),
        "caller_name": record.caller_name if names.plain and record.caller_name else None,
    }


def ringing(record: Leg | Offer) -> dict[str, Any]:
    """When it rang, and how it was answered."""
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


def quality(record: Leg | Offer | Stay) -> dict[str, Any]:
    """How far the figures can be trusted."""
    return {"timing": record.timing.value, "partial": record.partial, "marks": list(record.marks)}


def last_of(began_ms: int, *later_ms: int | None) -> int:
    """The last of the times that are known."""
    return max(at for at in (began_ms, *later_ms) if at is not None)
