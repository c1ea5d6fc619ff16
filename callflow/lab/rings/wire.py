"""What the agents' phones did, read from the wire: INVITE, 180, 183, 200, CANCEL, BYE. In the capture's seconds."""

import re
from dataclasses import dataclass
from pathlib import Path

from callflow.lab.wire import datagrams, sip_header


@dataclass
class PhoneLeg:
    """One INVITE that Asterisk sent to a phone."""

    number: str
    invited_at: float
    ringing_at: float | None = None
    progress_at: float | None = None
    answered_at: float | None = None
    refused_at: float | None = None
    cancelled_at: float | None = None
    bye_at: float | None = None

    @property
    def ring_s(self) -> float | None:
        """From the 180 to the 200: what this project calls ringing."""
        return None if None in (self.ringing_at, self.answered_at) else self.answered_at - self.ringing_at  # type: ignore[operator]


def read_phone_legs(path: Path, asterisk_sip_port: int, phones_port: int) -> list[PhoneLeg]:
    """Every INVITE to the phones on `phones_port`, in order."""
    legs: dict[str, PhoneLeg] = {}
    for at, source, target, payload in datagrams(path):
        if {source[1], target[1]} != {asterisk_sip_port, phones_port}:
            continue
        message = payload.decode(errors="replace")
        call_id = sip_header(message, "Call-ID")
        if (found := re.match(r"INVITE sip:(\w+)@", message)) and target[1] == phones_port and call_id not in legs:
            legs[call_id] = PhoneLeg(found[1], at)
        elif call_id in legs:
            _note(legs[call_id], message, at)
    return list(legs.values())


def _note(leg: PhoneLeg, message: str, at: float) -> None:
    """Keep the first time of each kind of message."""
    status = re.match(r"SIP/2\.0 (\d+)", message)
    name = None
    if status and sip_header(message, "CSeq").endswith("INVITE"):
        name = {"180": "ringing_at", "183": "progress_at", "200": "answered_at"}.get(status[1])
        name = name or ("refused_at" if status[1] >= "300" else None)
    elif not status:
        name = {"CANCEL": "cancelled_at", "BYE": "bye_at"}.get(message.split(" ", 1)[0])
    if name and getattr(leg, name) is None:
        setattr(leg, name, at)
