"""Anonymizes a capture: numbers, names and addresses become stand-ins, the same value always the same stand-in.

A long number becomes a number of the range that is set aside for fiction (+1-555-01xx), a short one an extension from
1001 on, a name `Caller 1`, an account `account-1`, a phone `phone-1`, a machine 192.0.2.1 or host-1.example, and the
values of a site's own events and variables an `x`. Kept as they are: contexts, queues, channel technologies, uniqueids.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import count

from callflow.captures.capture_file import Block

SECRET = re.compile(r"^(Secret|Key|Challenge): .*", re.IGNORECASE)
OURS = ("CallflowCheck", "CallflowPromptMissing")
_EMPTY = frozenset({"", "<unknown>", "unknown", "<none>", "Anonymous", "anonymous"})
_EXTENSIONS = frozenset({"s", "h", "t", "i", "o", "a", "e", "fax", "failed", "hang", "T", "tone", "prompt"})
_NUMBERS = re.compile(
    r"(?:CallerIDNum|ConnectedLineNum|Exten|Extension|ANI|DNID|RDNIS)$|^agi_(?:callerid|dnid|rdnis|extension)$"
)
_NAMES = re.compile(r"(?:CallerIDName|ConnectedLineName|MemberName|AgentName|Agent)$|^agi_calleridname$")
_ACCOUNTS = re.compile(r"(?:AccountCode|PeerAccount)$|^agi_accountcode$")
_KEPT = re.compile(
    r"(?:Uniqueid|Linkedid|UniqueID)$|^(?:Timestamp|ActionID|Event|agi_uniqueid|agi_threadid|agi_arg_3)$|(?:Duration\w*|Time|LastCall|LastPause)$"
)
_VARIABLE = re.compile(r"^(?:Dest)?ChanVariable|^Variable$|^agi_arg_\d+$")
_TECHNOLOGIES = "PJSIP|SIP|IAX2|DAHDI|Local|Agent|SCCP|Skinny|MGCP|Motif|OOH323|H323|USTM|Console|Dongle|Quectel|Custom"
_PEER = re.compile(rf"\b((?:{_TECHNOLOGIES})/)((?:(?!-[0-9a-f]{{8}}\b)[^@,;|&\s/])+)")
_LONG = re.compile(r"(?<![\w.:-])\+?\d{5,18}(?![\w.]|:\d)")
_IPV4 = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?![\w.]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:])((?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:)+:[0-9A-Fa-f:]*)(?![\w:])"
)
_URI = re.compile(r"(sips?:)([^@;>\s\"]+)@([^:;>\s\"]+)")
_ANSWER = re.compile(r"200 result=-?\d+(?: endpos=\d+)?|HANGUP")
_AGI = re.compile(r"(agi://)[^/\s,]+(?:/\S*)?")


def _none(_: str) -> bool:
    return False


class Anonymizer:
    """Gives stand-ins; `known` tells which values are made up already, `open_events` which UserEvents to keep."""

    def __init__(self, known: Callable[[str], bool] = _none, open_events: Collection[str] = ()) -> None:
        self._known = known
        self._open_events = {*OURS, *open_events}
        self._made: set[str] = set()
        """Stand-ins given so far: what is replaced once is not replaced again."""
        self._given: dict[tuple[str, str], str] = {}
        self._counts: dict[str, count[int]] = {}

    def block(self, block: Block) -> Block:
        """The block without personal data."""
        own, event = len(block.lines), block.headers.get("UserEvent") if block.name == "UserEvent" else None
        if event is not None and event not in self._open_events:
            own = block.lines.index(f"UserEvent: {event}") + 1
        if event in OURS:
            kept = block.lines.index(f"UserEvent: {event}")
            return replace(block, lines=(*map(self.line, block.lines[:kept]), *block.lines[kept:]))
        lines = [self.line(line) for line in block.lines[:own]]
        lines += [f"{line.partition(':')[0]}: x" for line in block.lines[own:]]
        return Block(block.at_s, block.wire, block.what, tuple(lines))

    def line(self, line: str) -> str:
        """One header, AGI variable, AGI command or answer."""
        if _ANSWER.fullmatch(line):
            return line
        if SECRET.match(line):
            return f"{line.partition(':')[0]}: ***"
        name, colon, value = line.partition(": ")
        if not colon:
            return self._text(line)
        if _KEPT.search(name):
            return line
        return f"{name}: {self._value(name, value)}"

    def _value(self, name: str, value: str) -> str:
        if value in _EMPTY or self._known(value):
            return value
        if name in ("agi_request", "agi_network_script"):
            return "agi://127.0.0.1:4573/screen" if name == "agi_request" else "screen"  # a token may stand in it
        if _NUMBERS.search(name):
            return value if value in _EXTENSIONS else self.number(value)
        if _NAMES.search(name) and not _PEER.match(value):
            return self._stand_in("name", value, lambda n: f"Caller {n}")
        if name == "DialString":
            return self._dialled(value)
        if name == "Digit":
            return "5"  # what a caller types may be a secret
        if _ACCOUNTS.search(name):
            return self._stand_in("account", value, lambda n: f"account-{n}")
        if _VARIABLE.match(name) and not name.startswith("agi_"):
            return self._variable(value)
        return self._text(value)

    def _dialled(self, value: str) -> str:
        """`PJSIP/204`, `204/sip:204@host`, `204@from-queue/n`."""
        head = re.split("[/@]", value, maxsplit=1)[0]
        if head in _TECHNOLOGIES.split("|") or head in _EXTENSIONS:
            return self._text(value)
        return self.number(head) + self._text(value[len(head) :])

    def _variable(self, value: str) -> str:
        """Our own variables stay; the values of a site's are replaced."""
        variable, equals, text = value.partition("=")
        ours = "CALLFLOW" in variable or "TALK_DETECT" in variable
        return value if ours or not equals or not text else f"{variable}=x"

    def number(self, value: str) -> str:
        """The stand-in of a number, with a + if it had one; of any other text that of a phone."""
        if self._known(value) or value in self._made:
            return value
        plus, digits = ("+", value[1:]) if value.startswith("+") else ("", value)
        if not digits.isdigit():
            return self._stand_in("phone", value, lambda n: f"phone-{n}")
        if len(digits) < 5:
            return plus + self._stand_in("extension", digits, lambda n: str(1000 + n))
        return plus + self._stand_in("number", digits, _fictional)

    def _text(self, text: str) -> str:
        """Free text: phones in channel names, addresses, long numbers."""
        text = _AGI.sub(r"\g<1>127.0.0.1:4573/screen", text)
        text = _URI.sub(lambda found: f"{found[1]}{self.number(found[2])}@{self._host(found[3])}", text)
        text = _PEER.sub(lambda found: found[1] + self._peer(found[2]), text)
        text = _IPV4.sub(lambda found: self._host(found[1]), text)
        text = _IPV6.sub(lambda found: self._host(found[1]), text)
        return _LONG.sub(lambda found: self.number(found[0]), text)

    def _peer(self, peer: str) -> str:
        return peer if peer in _EXTENSIONS or peer.startswith("sip:") else self.number(peer)

    def _host(self, host: str) -> str:
        if host in ("127.0.0.1", "::1", "localhost") or host.startswith("192.0.2.") or host.endswith(".example"):
            return host
        if _IPV4.fullmatch(host) or _IPV6.fullmatch(host):
            return self._stand_in("address", host, lambda n: f"192.0.2.{(n - 1) % 254 + 1}")
        return self._stand_in("host", host, lambda n: f"host-{n}.example")

    def _stand_in(self, kind: str, value: str, make: Callable[[int], str]) -> str:
        if self._known(value):
            return value
        given = self._given.get((kind, value))
        if given is None:
            numbers = self._counts.setdefault(kind, count(1))
            given = next(name for n in numbers if not self._known(name := make(n)) or kind == "address")
            self._given[kind, value] = given
            self._made.add(given)
        return given


def _fictional(number: int) -> str:
    """The n-th number set aside for fiction: 1-AAA-555-01xx, a hundred in each area."""
    area, line = divmod(number - 1, 100)
    return f"1{'' if not area else 200 + area}55501{line:02}" if area < 800 else f"1999555{number:07}"
