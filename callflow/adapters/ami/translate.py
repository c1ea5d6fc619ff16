"""AMI events to the core's facts: pure functions."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from callflow.core import events

AmiEvent = Mapping[str, str]

LONGEST_TALK_MS = 24 * 3600 * 1000
"""A longer talk is a fault of Asterisk's clock."""

LATEST_S = 1e11
"""A stamp after the year 5138 is none."""

NEVER_DEAF = 5
"""AMI 5 is Asterisk 16, the last release that was seen never to go deaf; 22 (AMI 11) was seen to."""

AUDIO_SOCKET_FROM = 7
"""AMI 7 is Asterisk 18, the first release with AudioSocket."""

CHECK_EVENT = "CallflowCheck"


def translate(event: AmiEvent, arrived_ms: int) -> events.Event | None:
    """The core's event for one of AMI's; None for one that means nothing to the core or names no channel.

    Where a header is repeated, because a second message was torn into this one, its first value counts.
    """
    make = _TRANSLATORS.get(event.get("Event", ""))
    if make is None or not (uniqueid := first(event, "Uniqueid")):
        return None
    at_ms = stamped_ms(event)
    return make(event, uniqueid, arrived_ms if at_ms is None else at_ms)


def first(event: AmiEvent, name: str) -> str:
    """The value of a header, the first one where it is repeated; "" without it."""
    value = event.get(name, "")
    return value.partition("\n")[0] if "\n" in value else value


def stamped_ms(event: AmiEvent) -> int | None:
    """When Asterisk made the event, epoch ms; None without a usable stamp (`timestampevents=yes` is not set)."""
    return _stamp_ms(first(event, "Timestamp"))


@lru_cache(maxsize=16)
def _stamp_ms(text: str) -> int | None:
    """Every part of the daemon that takes in an event asks for its stamp."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(seconds * 1000) if 0 < seconds < LATEST_S else None


def may_go_deaf(protocol_version: str) -> bool:
    """Whether an Asterisk with this AMI version may stop hearing a caller whose RTP goes on; unknown: it may."""
    major = _major(protocol_version)
    return major is None or major > NEVER_DEAF


def has_audio_socket(protocol_version: str) -> bool:
    """Whether an Asterisk with this AMI version has AudioSocket; unknown: it has."""
    major = _major(protocol_version)
    return major is None or major >= AUDIO_SOCKET_FROM


def _major(protocol_version: str) -> int | None:
    major = protocol_version.partition(".")[0]
    return int(major) if major.isascii() and major.isdigit() else None


def check_outcome(event: AmiEvent) -> tuple[str, str, str] | None:
    """(check id, AGISTATUS, result) of a self-test call's closing UserEvent; None for any other event."""
    if event.get("Event") != "UserEvent" or event.get("UserEvent") != CHECK_EVENT:
        return None
    return event.get("Id", ""), event.get("Agi", ""), event.get("Result", "")


def _sound_started(event: AmiEvent, uniqueid: str, at_ms: int) -> events.Event:
    return events.SoundStarted(uniqueid, at_ms)


def _sound_ended(event: AmiEvent, uniqueid: str, at_ms: int) -> events.Event:
    return events.SoundEnded(uniqueid, at_ms, _duration_ms(first(event, "Duration")))


def _duration_ms(text: str) -> int | None:
    """Milliseconds; None for the negative or absurd values that Asterisk sometimes sends."""
    if not (text.isascii() and text.isdigit()):
        return None
    duration_ms = int(text) if len(text) < 12 else LONGEST_TALK_MS + 1
    return duration_ms if duration_ms <= LONGEST_TALK_MS else None


def _key_pressed(event: AmiEvent, uniqueid: str, at_ms: int) -> events.Event | None:
    """None for keys that Asterisk sends to the caller."""
    if first(event, "Direction") != "Received":
        return None
    return events.KeyPressed(uniqueid, first(event, "Digit"), at_ms, released=event["Event"] == "DTMFEnd")


def _hung_up(event: AmiEvent, uniqueid: str, at_ms: int) -> events.Event:
    return events.CallerHungUp(uniqueid, at_ms)


_TRANSLATORS: dict[str, Callable[[AmiEvent, str, int], events.Event | None]] = {
    "ChannelTalkingStart": _sound_started,
    "ChannelTalkingStop": _sound_ended,
    "DTMFBegin": _key_pressed,
    "DTMFEnd": _key_pressed,  # a key that comes by SIP INFO has no beginning
    "Hangup": _hung_up,
    # These come at once; Hangup only after the dialplan's h extension. A redirect or a fax tone makes none of them,
    # though FastAGI says HANGUP in all four cases.
    "HangupRequest": _hung_up,
    "SoftHangupRequest": _hung_up,
}

WANTED: frozenset[bytes] = frozenset(name.encode() for name in (*_TRANSLATORS, "UserEvent"))
"""Names of the events that the daemon reads; UserEvent ends a self-test call (`check_outcome`)."""
