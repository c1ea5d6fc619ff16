"""AMI events to the ring tracker's facts. What is missing, repeated or absurd in one is marked, never fatal."""

import re
from collections.abc import Callable

from callflow.adapters.ami.translate import AmiEvent, stamped_ms
from callflow.core.rings import facts
from callflow.core.rings.marks import ABSURD_TIME, REPEATED_HEADER
from callflow.core.rings.names import safe_id

QUEUE_EVENT = "CallflowQueue"
"""UserEvent of the dialplan line behind Queue(): reports QUEUESTATUS."""

ABSURD_MS = 600_000
LONGEST_VALUE, LONGEST_EVENT = 256, 2_048
_ABSENT = frozenset({"<unknown>", "<none>"})
_ESCAPE = re.compile(r"\\([abfnrtv\\'\"?])")
_CONTROL = frozenset("abfnrtv")


class RingTranslator:
    """Translates one link's events; knows how far Asterisk's clock and ours were apart, to notice an absurd stamp."""

    def __init__(self) -> None:
        self._skew_ms: int | None = None
        self._other_ms: int | None = None
        """A skew that was seen once: seen twice in a row, it is a clock that was set."""

    def __call__(self, event: AmiEvent, arrived_ms: int) -> facts.Fact | None:
        """The tracker's fact for one of AMI's events; None for one that means nothing to it."""
        name = event.get("Event", "")
        make = _MAKERS.get(name)
        if make is None or (name in _SELDOM and not _SELDOM[name](event)):
            return None
        values = "".join(event.values())
        if "\n" in values or len(values) > LONGEST_EVENT:
            event = _without_variables(event)
            values = "".join(event.values())
        if "\n" in values or len(values) > LONGEST_EVENT:
            when = self._when(event, arrived_ms, (REPEATED_HEADER,) if "\n" in values else ())
            return make(_first_values(event), when)
        return make(event, self._when(event, arrived_ms, ()))

    def _when(self, event: AmiEvent, arrived_ms: int, anomalies: tuple[str, ...]) -> facts.When:
        at_ms, known = stamped_ms(event), self._skew_ms
        if at_ms is not None:
            skew_ms = arrived_ms - at_ms
            if known is not None and -ABSURD_MS <= skew_ms - known <= ABSURD_MS:
                self._skew_ms, self._other_ms = skew_ms, None
                return facts.When(at_ms, True, anomalies)
            if self._has_been_set(skew_ms):
                return facts.When(at_ms, True, anomalies)
        if event.get("Timestamp"):
            anomalies = (*anomalies, ABSURD_TIME)
        return facts.When(arrived_ms - (known or 0), False, anomalies)

    def _has_been_set(self, skew_ms: int) -> bool:
        """The first difference of all, or one that is seen for the second time in a row."""
        other_ms = self._other_ms
        if self._skew_ms is None or (other_ms is not None and abs(skew_ms - other_ms) <= ABSURD_MS):
            self._skew_ms, self._other_ms = skew_ms, None
            return True
        self._other_ms = skew_ms
        return False


def _without_variables(event: AmiEvent) -> AmiEvent:
    """Without the headers of `channelvars`, which Asterisk repeats for every variable and channel."""
    return {name: value for name, value in event.items() if not name.endswith("ChanVariable")}


def _first_values(event: AmiEvent) -> AmiEvent:
    """The first value of every header that is repeated, each cut to a length that makes sense."""
    return {name: value.partition("\n")[0][:LONGEST_VALUE] for name, value in event.items()}


def _id(event: AmiEvent, name: str) -> str:
    value = event.get(name, "")
    return safe_id(value) if value else ""


def _number(event: AmiEvent, name: str, default: int) -> int:
    text = event.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else default


def _unescaped(text: str) -> str:
    r"""A name without the C-style escapes that AMI writes in one: O\'Brien -> O'Brien; \n and its like are blanks."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: " " if found[1] in _CONTROL else found[1], text)


_PartyKeys = tuple[str, str, str, str, str, str]
_CALLER: _PartyKeys = ("Uniqueid", "Channel", "Linkedid", "CallerIDNum", "CallerIDName", "Exten")
_DEST: _PartyKeys = ("DestUniqueid", "DestChannel", "DestLinkedid", "DestCallerIDNum", "DestCallerIDName", "DestExten")


def _party(event: AmiEvent, keys: _PartyKeys = _CALLER) -> facts.Party:
    get = event.get
    uniqueid, linkedid = get(keys[0], ""), get(keys[2], "")
    number, name, exten = get(keys[3], ""), get(keys[4], ""), get(keys[5], "")
    return facts.Party(
        safe_id(uniqueid) if uniqueid else "",
        get(keys[1], ""),
        safe_id(linkedid) if linkedid else "",
        "" if number in _ABSENT else number[:LONGEST_VALUE],
        "" if name in _ABSENT else _unescaped(name)[:LONGEST_VALUE],
        "" if exten in _ABSENT else exten[:LONGEST_VALUE],
    )


def _place(event: AmiEvent) -> str:
    """Where in the dialplan a channel is; "" where unknown."""
    context = event.get("Context", "")
    return f"{context},{event.get('Exten', '')}" if context else ""


def member_of(entry: AmiEvent) -> facts.Member:
    """A member from an event, or from one QueueMember entry of a QueueStatus list."""
    get = entry.get
    return facts.Member(
        queue=get("Queue", ""),
        interface=get("Interface", "") or get("Location", ""),
        name=get("MemberName", "") or get("Name", ""),
        status=_number(entry, "Status", -1),
        paused=get("Paused") == "1",
        reason=get("PausedReason", ""),
    )


def channel_of(entry: AmiEvent) -> facts.ChannelSeen:
    """A channel from one entry of a CoreShowChannels list."""
    entry = _first_values(entry)
    is_up, application = entry.get("ChannelStateDesc") == "Up", entry.get("Application", "")
    data = entry.get("ApplicationData", "")
    return facts.ChannelSeen(_party(entry), entry.get("BridgeId", ""), is_up, application, data)


def waiting_of(entry: AmiEvent) -> facts.Waiting:
    """A caller from one QueueEntry of a QueueStatus list."""
    entry = _first_values(entry)
    return facts.Waiting(_party(entry), entry.get("Queue", ""), _number(entry, "Wait", 0) * 1000)


def _new_channel(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    party = _party(event)
    return facts.ChannelBegan(when, party) if party.uniqueid else None


def _new_state(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    state, party = event.get("ChannelStateDesc", ""), _party(event)
    if not party.uniqueid or state not in _STATES:
        return None
    return facts.ChannelUp(when, party) if state == "Up" else facts.ChannelRang(when, party)


def _hangup_requested(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid = _id(event, "Uniqueid")
    soft = event["Event"] == "SoftHangupRequest"
    return facts.HangupRequested(when, uniqueid, soft, _number(event, "Cause", 0)) if uniqueid else None


def _hangup(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid = _id(event, "Uniqueid")
    return facts.ChannelEnded(when, uniqueid, _number(event, "Cause", 0)) if uniqueid else None


def _dial_begin(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, _DEST)
    ringing = event.get("DestChannelStateDesc") == "Ringing"
    dial_string = event.get("DialString", "")
    return facts.DialBegan(when, _party(event), dest, ringing, dial_string) if dest.uniqueid else None


def _dial_state(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, _DEST)
    return facts.DialProgressed(when, dest, event.get("DialStatus", "")) if dest.uniqueid else None


def _dial_end(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    dest = _party(event, _DEST)
    status, forward = event.get("DialStatus", ""), event.get("Forward", "")
    return facts.DialEnded(when, dest, status, forward, _party(event)) if dest.uniqueid else None


def _bridge_enter(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    party, bridge = _party(event), event.get("BridgeUniqueid", "")
    return facts.BridgeEntered(when, party, bridge) if party.uniqueid and bridge else None


def _bridge_leave(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid, bridge = _id(event, "Uniqueid"), event.get("BridgeUniqueid", "")
    return facts.BridgeLeft(when, uniqueid, bridge) if uniqueid and bridge else None


def _pickup(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    picker, target = _party(event), _id(event, "TargetUniqueid")
    return facts.PickedUp(when, picker, target) if picker.uniqueid and target else None


def _transfer(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    names = ("TransfererUniqueid", "OrigTransfererUniqueid", "SecondTransfererUniqueid")
    found = tuple(uniqueid for name in names if (uniqueid := _id(event, name)))
    if not found or event.get("Result", "") not in ("Success", ""):
        return None
    transferee, target = _id(event, "TransfereeUniqueid"), _id(event, "TransferTargetUniqueid")
    attended = event["Event"] == "AttendedTransfer"
    exten = "" if attended else event.get("Extension", "")
    return facts.Transferred(when, found, transferee, target, exten, attended)


def _hold(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid = _id(event, "Uniqueid")
    return facts.ChannelHeld(when, uniqueid, event["Event"] == "Hold") if uniqueid else None


def _joined(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, queue = _party(event), event.get("Queue", "")
    return facts.CallerJoined(when, caller, queue, _place(event)) if caller.uniqueid and queue else None


def _left(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid, queue = _id(event, "Uniqueid"), event.get("Queue", "")
    return facts.CallerLeft(when, uniqueid, queue, _place(event)) if uniqueid and queue else None


def _abandoned(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    uniqueid, queue = _id(event, "Uniqueid"), event.get("Queue", "")
    return facts.CallerAbandoned(when, uniqueid, queue, _place(event)) if uniqueid and queue else None


def _queue_status(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, queue = _party(event), event.get("Queue", "")
    status = event.get("Status", "")
    return facts.QueueStatusReported(when, caller, queue, status) if caller.uniqueid and queue else None


def _agent_called(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest, member = _party(event), _id(event, "DestUniqueid"), member_of(event)
    return facts.AgentCalled(when, caller, dest, member) if caller.uniqueid and dest and member.queue else None


def _agent_connect(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest = _id(event, "Uniqueid"), _id(event, "DestUniqueid")
    return facts.AgentConnected(when, caller, dest, member_of(event), event.get("DestChannel", "")) if caller else None


def _agent_dump(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest = _id(event, "Uniqueid"), _id(event, "DestUniqueid")
    return facts.AgentDumped(when, caller, dest) if caller and dest else None


def _agent_complete(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    caller, dest = _id(event, "Uniqueid"), _id(event, "DestUniqueid")
    return facts.AgentCompleted(when, caller, dest) if caller else None


def _member_changed(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    member = member_of(event)
    return facts.MemberChanged(when, member) if member.queue and member.interface else None


def _member_removed(event: AmiEvent, when: facts.When) -> facts.Fact | None:
    member = member_of(event)
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
    "Hold": _hold,
    "Unhold": _hold,
    "QueueCallerJoin": _joined,
    "QueueCallerLeave": _left,
    "QueueCallerAbandon": _abandoned,
    "UserEvent": _queue_status,
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connect,
    "AgentDump": _agent_dump,
    "AgentComplete": _agent_complete,
    "QueueMemberStatus": _member_changed,
    "QueueMemberAdded": _member_changed,
    "QueueMemberPause": _member_changed,
    "QueueMemberRemoved": _member_removed,
}

_STATES = frozenset({"Ringing", "Up"})
_SELDOM: dict[str, Callable[[AmiEvent], bool]] = {
    "Newstate": lambda event: event.get("ChannelStateDesc", "").partition("\n")[0] in _STATES,
    "UserEvent": lambda event: event.get("UserEvent") == QUEUE_EVENT,
}
"""Most events of these names mean nothing here: whether one does is looked at before anything is made of it."""

RINGS_WANTED: frozenset[bytes] = frozenset(name.encode() for name in _MAKERS)
"""Names of the events that the ring tracker needs; classes call, agent and user."""
