"""The calls of a capture, prepared for comparing a pretend Asterisk with a real one.

Compared are: the calls and their results; of each channel the events, in order; of each event
and FastAGI message the headers, in order, and the class of every value; of each answer its text. Classes are patterns
(numbers, ids, time stamps, channel names): a value without a pattern must be one that a real Asterisk uses there.
Times count from the beginning of the call.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from callflow.adapters.ami.translate import stamped_ms
from callflow.captures.capture_file import Block, Capture

CLASSES: tuple[tuple[str, str], ...] = (
    ("stamp", r"\d{10}\.\d{6}"),
    ("uniqueid", r"\d{10}\.\d+"),
    ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("channel id", r"cb-[a-z0-9-]+"),
    ("channel", r"PJSIP/(?:caller|fax-caller|agent|customers|8\d{3})-[0-9a-f]{8}"),
    ("local channel", r"Local/[\w-]+@(?:callflow-(?:check|tap|name-spy)|talk-\w+)-[0-9a-f]{8};[12]"),
    ("address", r"127\.0\.0\.1:\d{4,5}"),
    ("dial string", r"agent/sip:\d{4}@127\.0\.0\.1:\d{4,5}"),
    ("second", r"1[5-9]\d{8}"),
    ("FastAGI address", r"agi://127\.0\.0\.1:\d{4,5}/screen"),
    ("thread", r"\d{12,20}"),
    ("caller", r"10\d\d"),
    ("entry", r"(?:dial|deaf|queue)_[a-z]{2}_\w+"),
    ("check", r"\d{13}-\d+|check-[0-9a-f]{8}"),
    ("version", r"\d+\.\d+\.\d+\S*"),
)
_PATTERNS = [(name, re.compile(pattern)) for name, pattern in CLASSES]
NUMERIC = frozenset(
    {"Duration", "DurationMs", "HoldTime", "RingTime", "TalkTime", "LastCall", "LastPause", "CallsTaken", "ListItems"}
)
"""Headers whose value is a measurement: any number is of the right class."""
_AGENT = re.compile(r"8\d{3}")
_OWN_ID = re.compile(r"\d{10}\.\d+")
"""A uniqueid that Asterisk has made; others are ChannelIds of an Originate."""
_ROLE = re.compile(r"(?:PJSIP/(?:fax-)?(\w+)-[0-9a-f]{8}|Local/(\w+)@[\w-]+-[0-9a-f]+(;[12]))")


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """One event of one channel: which channel of the call, and when (seconds after the call's first event)."""

    role: str
    name: str
    at_s: float
    block: Block


@dataclass
class Call:
    """Everything that belongs to one caller."""

    number: str
    events: list[ChannelEvent] = field(default_factory=list)
    agi: list[Block] = field(default_factory=list)

    def of(self, role: str) -> list[ChannelEvent]:
        """The events of one of its channels, in order."""
        return [event for event in self.events if event.role == role]

    @property
    def roles(self) -> list[str]:
        """Its channels, in order of their first event."""
        return list(dict.fromkeys(event.role for event in self.events))

    @property
    def results(self) -> list[str]:
        """What the dialplan reported about it: UserEvents and their CALLFLOW_RESULT."""
        told = (event.block.headers for event in self.events if event.name == "UserEvent")
        return [f"{headers['UserEvent']} {headers.get('Result', '')}" for headers in told]


def calls_of(capture: Capture) -> dict[str, Call]:
    """The calls of a capture by caller's number; those that are originated by `check N` and `tap N`."""
    linked = _Links(capture)
    calls: dict[str, Call] = {}
    began: dict[str, int] = {}
    for block in capture.events:
        number = linked.number(block)
        at_ms = stamped_ms(block.headers)
        if number is None or at_ms is None or block.headers.get("ActionID"):
            continue
        call = calls.setdefault(number, Call(number))
        began.setdefault(number, at_ms)
        call.events += (
            ChannelEvent(role, block.name, (at_ms - began[number]) / 1000, block)
            for role in dict.fromkeys(_roles(block))
        )
    for block in capture.blocks:
        if block.wire.startswith("agi-") and (found := linked.of_wire(block)) in calls:
            calls[found].agi.append(block)
    return calls


def _roles(block: Block) -> Iterator[str]:
    """The channels that an event is about."""
    headers = block.headers
    # The pretend Asterisk does not tell of its taps by AudioSocket.
    tapped = "@callflow-tap-" in headers.get("SpyerChannel", "")
    spies = () if tapped else ("SpyerChannel",)
    for key in ("Channel", "DestChannel", "LocalOneChannel", "LocalTwoChannel", *spies):
        if found := _ROLE.match(headers.get(key, "")):
            role = found[1] or f"{found[2]}{found[3]}"
            yield "agent" if _AGENT.fullmatch(role) else role


class _Links:
    """Which call an event or a FastAGI connection belongs to."""

    def __init__(self, capture: Capture) -> None:
        self._numbers: dict[str, str] = {}
        self._linkedids: dict[str, str] = {}
        self._wires: dict[str, str] = {}
        originated: Counter[str] = Counter()
        for block in capture.events:
            headers = block.headers
            uniqueid, linkedid = headers.get("Uniqueid", ""), headers.get("Linkedid", "")
            if block.name == "Newchannel":
                self._linkedids[uniqueid] = linkedid
                if linkedid == uniqueid and not _OWN_ID.fullmatch(uniqueid):
                    self._numbers[linkedid] = uniqueid
                elif linkedid == uniqueid and headers["Channel"].startswith("Local/"):
                    kind = "tap" if "@callflow-tap-" in headers["Channel"] else "check"
                    originated[kind] += 1
                    self._numbers[linkedid] = f"{kind} {originated[kind]}"
                elif linkedid == uniqueid:
                    self._called(headers["CallerIDNum"], linkedid)
        for block in capture.blocks:
            if block.wire.startswith("agi-") and block.what == "<" and "agi_uniqueid" in block.environment:
                linkedid = self._linkedids.get(block.environment["agi_uniqueid"], "")
                self._wires[block.wire] = self._numbers.get(linkedid, "")

    def _called(self, number: str, linkedid: str) -> None:
        """A number that calls again repeats its call: the last one counts."""
        self._numbers = {key: value for key, value in self._numbers.items() if value != number} | {linkedid: number}

    def number(self, block: Block) -> str | None:
        headers = block.headers
        for key in ("Linkedid", "DestLinkedid", "LocalOneLinkedid", "SpyerLinkedid"):
            if headers.get(key) in self._numbers:
                return self._numbers[headers[key]]
        return self._numbers.get(self._linkedids.get(headers.get("Uniqueid", ""), ""))

    def of_wire(self, block: Block) -> str:
        return self._wires.get(block.wire, "")


def value_class(header: str, value: str) -> str:
    """The class of a header's value; the value itself when no pattern covers it."""
    if header in NUMERIC:
        return "number" if value.isdigit() else value
    return next((name for name, pattern in _PATTERNS if pattern.fullmatch(value)), value)
