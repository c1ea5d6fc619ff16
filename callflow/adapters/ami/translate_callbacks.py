"""AMI events to what a call-back's attempt is told: pure functions."""

from callflow.adapters.ami.translate import AmiEvent, first
from callflow.core.callbacks import signals
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.signals import Signal

CALLBACK_EVENT, PLACE_EVENT = "CallflowCallback", "CallflowKeepPlace"
"""UserEvents of dialplan/callflow.conf."""

CALLBACKS_WANTED = frozenset((b"OriginateResponse",))
"""Beyond what screening and rings read."""


def signal_of(event: AmiEvent) -> tuple[str, Signal] | None:
    """(id of the attempt, what it is told); None for an event that means nothing here."""
    name, uniqueid, linkedid = event.get("Event", ""), first(event, "Uniqueid"), first(event, "Linkedid")
    match name:
        case "UserEvent" if first(event, "UserEvent") == CALLBACK_EVENT:
            return first(event, "Id"), _reported(event)
        case "OriginateResponse":
            return uniqueid, signals.OriginateEnded(first(event, "Response") == "Success")
        case "Newstate" if first(event, "ChannelStateDesc") == "Ringing":
            return linkedid, signals.LegRang(uniqueid == linkedid)
        case "Newstate" if first(event, "ChannelStateDesc") == "Up" and uniqueid == linkedid:
            return linkedid, signals.LegAnswered()
        case "DialEnd":
            dest = first(event, "DestUniqueid")
            return dest, signals.LegDialEnded(first(event, "DialStatus"))
        case "Hangup" if uniqueid == linkedid or not linkedid:
            return uniqueid, signals.CallEnded(first(event, "Cause"))
    return None


def _reported(event: AmiEvent) -> signals.CallReported:
    return signals.CallReported(
        step=first(event, "Step"),
        accepted=first(event, "Accepted") == "1",
        reached=first(event, "Reached") == "1",
        status=first(event, "Status"),
        gosub_result=first(event, "Gosub"),
        cause=first(event, "Cause"),
    )


def kept_place(event: AmiEvent, now_ms: int) -> tuple[str, Wanted] | None:
    """(Uniqueid, entry wanted) of a caller who asks to keep their place in a queue; None for any other event."""
    if first(event, "UserEvent") != PLACE_EVENT or not (uniqueid := first(event, "Uniqueid")):
        return None
    place, queue = first(event, "Place"), first(event, "Queue")
    wanted = Wanted(
        number=first(event, "Number"),
        profile=first(event, "Profile") or "default",
        reason=Reason.PLACE,
        at_ms=now_ms,
        why=f"call {uniqueid} kept place {place or '?'} in queue {queue or '?'}",
        queue=queue[:128],
        place=int(place) if place.isascii() and place.isdigit() and len(place) < 6 else 1,
        due_ms=now_ms,
    )
    return uniqueid, wanted
