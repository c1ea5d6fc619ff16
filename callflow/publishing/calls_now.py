"""The calls in progress, as the page shows them: the state, the prompt, and the last finding of each."""

from collections.abc import Mapping
from typing import Any

from callflow.core.call_record import CallRecord, Kind, TimelineEntry
from callflow.privacy import mask_number

SHOWN = {
    Kind.SAID: "saying",
    Kind.PROMPT_ENDED: "listening",
    Kind.PROMPT_STOPPED: "listening",
    Kind.SPEECH: "speech",
    Kind.CLICK: "click",
    Kind.SILENCE: "silent",
    Kind.PAUSE: "pausing",
    Kind.GAIN: "raising",
}
"""What an entry of the timeline says a call is doing now; every other kind changes nothing."""
ROOM = 10_000


class CallsNow:
    """Fed with what is saved anyway, so the core need not know of any page. Times are epoch ms."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, Any]] = {}

    def follow(self, record: object, final: bool) -> None:
        """A record was saved; the final one of a call ends it here. Records of other kinds change nothing."""
        if not isinstance(record, CallRecord):
            return
        if final:
            self._calls.pop(record.call_id, None)
            return
        if record.call_id not in self._calls and len(self._calls) >= ROOM:
            return
        before = self._calls.get(record.call_id, {"does": "arriving", "prompt": "", "since_ms": record.arrived_ms})
        self._calls[record.call_id] = before | {
            "call_id": record.call_id,
            "caller": mask_number(record.caller_number),
            "dialled": record.dialled,
            "profile": record.profile,
            "mode": record.mode.value,
            "arrived_ms": record.arrived_ms,
            "rung": record.rung,
            "ear": record.ear,
            "heard": before.get("heard"),
            "level_dbov": record.level_dbov,
            "gain_db": record.gain_db,
        }

    def follow_timeline(self, call_id: str, entry: TimelineEntry) -> None:
        """Something happened in a call."""
        call = self._calls.get(call_id)
        if call is None:
            return
        if entry.kind is Kind.HEARD:
            self._calls[call_id] = call | {"heard": entry.what}
        elif does := SHOWN.get(entry.kind):
            prompt = entry.what if entry.kind is Kind.SAID else ""
            self._calls[call_id] = call | {"does": does, "prompt": prompt, "since_ms": entry.at_ms}

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        """Every call under way, by id."""
        return self._calls
