"""AMI events to the ring tracker's facts. What is missing, repeated or absurd in one is marked, never fatal."""

from collections.abc import Callable

from callflow.adapters.ami.translate import AmiEvent, stamped_ms
from callflow.core.rings import facts
from callflow.core.rings.names import safe_name

QUEUE_EVENT = "CallflowQueue"
"""UserEvent of the dialplan line behind Queue(): tells QUEUESTATUS."""

MISSING_TIME, ABSURD_TIME, REPEATED_HEADER, ODD_ID = "missing_time", "absurd_time", "repeated_header", "odd_id"
ABSURD_MS = 600_000
LONGEST_VALUE = 256
_ABSENT = ("", "<unknown>", "<none>")


class RingTranslator:
    """Translates one link's events; knows how far Asterisk's clock and ours were apart, to notice an absurd stamp."""

    def __init__(self) -> None:
        self._skew_ms: int | None = None
        self._other_ms: int | None = None
        """A skew that was told once: told twice in a row, it is a clock that was set."""

    def __call__(self, event: AmiEvent, arrived_ms: int) -> facts.Fact | None:
        """The tracker's fact for one of AMI's events; None for one that means nothing to it."""
        make = _MAKERS.get(event.get("Event", ""))
        return make(event, self._when(event, arrived_ms)) if make else None

    def _when(self, event: AmiEvent, arrived_ms: int) -> facts.When:
        odd = [REPEATED_HEADER] if "\n" in "".join(event.values()) else []
        at_ms = stamped_ms(event)
        if at_ms is None:
            odd += [ABSURD_TIME] if event.get("Timestamp") else []
            return facts.When(arrived_ms, False, tuple(odd))
        if not self._is_credible(arrived_ms - at_ms):
            return facts.When(arrived_ms, False, (*odd, ABSURD_TIME))
        return facts.When(at_ms, True, tuple(odd))

    def _is_credible(self, skew_ms: int) -> bool:
        known = [skew for skew in (self._skew_ms, self._other_ms) if skew is not None]
        if not known or any(abs(skew_ms - skew) <= ABSURD_MS for skew in known):
            self._skew_ms, self._other_ms = skew_ms, None
            return True
        self._other_ms = skew_ms
        return False


def _first(event: AmiEvent, name: str) -> str:
    """The value of a header, the first one where it is repeated, cut to a length that makes sense."""
    return event.get(name, "").partition("\n")[0][:LONGEST_VALUE]


def _text(event: AmiEvent, name: str) -> str:
    value = _first(event, name)
    return "" if value in _ABSENT else value


def _id(event: AmiEvent, name: str) -> str:
    """A Uniqueid that can stand in any topic and label."""
    value = _first(event, name)
    return safe_name(value) if value else ""


def _number(event: AmiEvent, name: str, default: int) -> int:
    text = _first(event, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else default


def _party(event: AmiEvent, prefix: str = "") -> facts.Party:
    return facts.Party(
        uniqueid=_id(event, f"{prefix}Uniqueid"),
        channel=_first(event, f"{prefix}Channel"),
        linkedid=_id(event, f"{prefix}Linkedid"),
        number=_text(event, f"{prefix}CallerIDNum"),
        name=_text(event, f"{prefix}CallerIDName"),
        exten=_text(event, f"{prefix}Exten"),
    )


def _member(event: AmiEvent) -> facts.Member:
    return facts.Member(
        queue=_first(event, "Queue"),
        interface=_first(event, "Interface") or _first(event, "Location"),
        name=_first(event, "MemberName") or _first(event, "Name"),
        status=_number(event, "Status", -1),
        paused=_first(event, "Paused") == "1",
        reason=_first(event, "PausedReason"),
    )


def member_of(entry: AmiEvent) -> facts.Member:
    """A member from one QueueMember entry of a QueueStatus list."""
    return _member(entry)


def waiting_of(entry: AmiEvent) -> facts.Waiting:
    """A caller from one QueueEntry of a QueueStatus list."""
    return facts.Waiting(_party(entry), _first(entry, "Queue"), _number(entry, "Wait", 0) * 1000)


def _new_channel(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    party = _party(event)
    return facts.ChannelBegan(when, party) if party.uniqueid else None


def _new_state(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    state, uniqueid = _first(event, "ChannelStateDesc"), _first(event, "Uniqueid")
    if not uniqueid:
        return None
    if state == "Ringing":
        return facts.ChannelRang(when, _party(event))
    return facts.ChannelUp(when, _party(event)) if state == "Up" else None


def _hangup_requested(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid = _id(event, "Uniqueid")
    soft = event["Event"] == "SoftHangupRequest"
    return facts.HangupRequested(when, uniqueid, soft, _number(event, "Cause", 0)) if uniqueid else None


def _hangup(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid = _id(event, "Uniqueid")
    return facts.ChannelEnded(when, uniqueid) if uniqueid else None


def _dial_begin(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, "Dest")
    ringing = _first(event, "DestChannelStateDesc") == "Ringing"
    return facts.DialBegan(when, _party(event), dest, ringing) if dest.uniqueid else None


def _dial_state(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, "Dest")
    return facts.DialProgressed(when, dest, _first(event, "DialStatus")) if dest.uniqueid else None


def _dial_end(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, "Dest")
    status, forward = _first(event, "DialStatus"), _first(event, "Forward")
    return facts.DialEnded(when, dest, status, forward) if dest.uniqueid else None


def _bridge_enter(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    party, bridge = _party(event), _first(event, "BridgeUniqueid")
    return facts.BridgeEntered(when, party, bridge) if party.uniqueid and bridge else None


def _bridge_leave(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid, bridge = _id(event, "Uniqueid"), _first(event, "BridgeUniqueid")
    return facts.BridgeLeft(when, uniqueid, bridge) if uniqueid and bridge else None


def _pickup(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    picker, target = _party(event), _id(event, "TargetUniqueid")
    return facts.PickedUp(when, picker, target) if picker.uniqueid and target else None


def _transfer(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    names = ("TransfererUniqueid", "OrigTransfererUniqueid", "SecondTransfererUniqueid")
    found = tuple(uniqueid for name in names if (uniqueid := _id(event, name)))
    return facts.Transferred(when, found) if found and _first(event, "Result") in ("Success", "") else None


def _caller_fact(
    make: Callable[[facts.When, str, str], facts.Fact],
) -> Callable[[AmiEvent, facts.When], facts.Fact | None]:
    def fact(event: AmiEvent, when: facts.When) -> facts.Fact | None:
        uniqueid, queue = _id(event, "Uniqueid"), _first(event, "Queue")
        return make(when, uniqueid, queue) if uniqueid and queue else None

    return fact


def _joined(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, queue = _party(event), _first(event, "Queue")
    return facts.CallerJoined(when, caller, queue) if caller.uniqueid and queue else None


def _user_event(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    if event.get("UserEvent") != QUEUE_EVENT:
        return None
    caller, queue = _party(event), _first(event, "Queue")
    return (
        facts.QueueStatusReported(when, caller, queue, _first(event, "Status")) if caller.uniqueid and queue else None
    )


def _agent_called(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest, member = _party(event), _id(event, "DestUniqueid"), _member(event)
    return facts.AgentCalled(when, caller, dest, member) if caller.uniqueid and dest and member.queue else None


def _agent_connect(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest = _id(event, "Uniqueid"), _id(event, "DestUniqueid")
    return facts.AgentConnected(when, caller, dest, _member(event)) if caller else None


def _agent_dump(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest = _id(event, "Uniqueid"), _id(event, "DestUniqueid")
    return facts.AgentDumped(when, caller, dest) if caller and dest else None


def _agent_complete(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller = _id(event, "Uniqueid")
    return facts.AgentCompleted(when, caller) if caller else None


def _member_changed(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    member = _member(event)
    return facts.MemberChanged(when, member) if member.queue and member.interface else None


def _member_removed(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    member = _member(event)
    return facts.MemberRemoved(when, member) if member.queue and member.interface else None


_MAKERS: dict[str, Callable[[AmiEvent, facts.When], facts.Fact | None]] = {
    "Newchannel": _new_channel,
    "Newstate": _new_state,
    "HangupRequest": _hangup_requested,
    "SoftHangupRequest": _hangup_requested,
    "Hangup": _hangup,
    "DialBegin": _dial_begin,
    "DialState": _dial_state,
    "DialEnd": _dial_end,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "Pickup": _pickup,
    "BlindTransfer": _transfer,
    "AttendedTransfer": _transfer,
    "QueueCallerJoin": _joined,
    "QueueCallerLeave": _caller_fact(facts.CallerLeft),
    "QueueCallerAbandon": _caller_fact(facts.CallerAbandoned),
    "UserEvent": _user_event,
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connect,
    "AgentDump": _agent_dump,
    "AgentComplete": _agent_complete,
    "QueueMemberStatus": _member_changed,
    "QueueMemberAdded": _member_changed,
    "QueueMemberPause": _member_changed,
    "QueueMemberRemoved": _member_removed,
}

RINGS_WANTED: frozenset[bytes] = frozenset(name.encode() for name in _MAKERS)
"""Names of the events that the ring tracker is told of; classes call, agent and user."""
