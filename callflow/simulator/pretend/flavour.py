"""What differs between the measured releases of Asterisk, and what they share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flavour:
    """One release, as AMI shows it."""

    version: str
    ami_version: str
    tech_cause: bool
    """Hangup and HangupRequest name the SIP code."""
    bye_sets_cause: bool
    """A caller's BYE before any bridge leaves cause 16 (else 0), and HangupRequest says so."""
    dialled_bye_has_cause: bool
    """HangupRequest of a party that Dial has bridged names a cause."""
    counts_calls: bool
    """CoreStatus and CoreSettings have the newer lines."""
    audio_socket: bool
    """There is app_audiosocket (from 18 on)."""
    drops_late_frames: bool
    """TALK_DETECT and taps go deaf when RTP sequence numbers jump back (measured)."""
    redirected_cause: int
    """Hang-up cause of an agent's phone that answers 302 to a context without extensions."""
    unanswered_cause: int
    """Hang-up cause of an originated phone that nobody answers in time."""


ASTERISK_22 = Flavour("22.10.1+dfsg+~cs6.17.60671434-1", "11.0.0", True, False, True, True, True, True, 23, 19)
ASTERISK_16 = Flavour("16.28.0~dfsg-0+deb11u4", "5.0.4", False, True, False, False, False, False, 127, 0)
FLAVOURS = {"22": ASTERISK_22, "16": ASTERISK_16}

CAUSES = {
    0: "Unknown",
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    21: "Call Rejected",
    23: "Redirected to new destination",
    32: "Unknown",
    34: "Circuit/channel congestion",
    127: "Interworking, unspecified",
}
SIP_CODES = {1: 404, 17: 486, 19: 480, 21: 403, 23: 302, 34: 503}
STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
DOWN, RING, RINGING, UP = STATES
