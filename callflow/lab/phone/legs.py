"""What phones did with the calls that came to them, read from their log of SIP messages (epoch seconds)."""

from collections.abc import Iterable
from dataclasses import dataclass

from callflow.lab.phone.messages import Message, user_of
from callflow.lab.phone.phone import Logged


@dataclass
class PhoneLeg:
    """One INVITE that came to a phone: when each event that followed first occurred, None if it did not."""

    number: str
    call_id: str
    invited_at: float
    ringing_at: float | None = None
    progress_at: float | None = None
    answered_at: float | None = None
    refused_at: float | None = None
    cancelled_at: float | None = None
    referred_at: float | None = None
    """The phone asked for a transfer of this call (REFER)."""
    bye_at: float | None = None

    @property
    def ring_s(self) -> float | None:
        """From the 180 to the 200: what this project calls ringing."""
        return None if self.ringing_at is None or self.answered_at is None else self.answered_at - self.ringing_at


def phone_legs(log: Iterable[Logged]) -> list[PhoneLeg]:
    """Every call that came in, in order."""
    legs: dict[str, PhoneLeg] = {}
    for logged in log:
        message = logged.message
        if leg := legs.get(message.call_id):
            _note(leg, message, logged)
        elif message.method == "INVITE" and not message.status and not logged.sent:
            legs[message.call_id] = PhoneLeg(user_of(message.uri), message.call_id, logged.at)
    return list(legs.values())


def _note(leg: PhoneLeg, message: Message, logged: Logged) -> None:
    name = None
    if message.status and message.method == "INVITE" and logged.sent:
        name = {180: "ringing_at", 183: "progress_at", 200: "answered_at"}.get(message.status)
        name = name or ("refused_at" if message.status >= 300 else None)
    elif not message.status:
        name = {"CANCEL": "cancelled_at", "BYE": "bye_at", "REFER": "referred_at"}.get(message.method)
    if name and getattr(leg, name) is None:
        setattr(leg, name, logged.at)
