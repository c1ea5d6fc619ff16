"""Names of queues, agents and lines that are safe in topics, labels and reports."""

import re
import zlib
from collections.abc import Iterable
from functools import lru_cache

from callflow.core.rings.rules import RingRules

OTHER = "other"
MAX_NAME, LONGEST_ID = 64, 48
_PHONE = re.compile(r"(?:IAX2|DAHDI|MGCP|Mobile|Motif|Skinny)/.+(?=-[0-9a-f]+$)|.+(?=-[0-9A-Fa-f]{8,}(?:;[12])?$)")
"""A channel without its serial, which these technologies write in fewer than eight digits; chan_sccp in capitals."""
_SPAN = re.compile(r"DAHDI/i[0-9]+(?=/)")
"""An ISDN channel is named after its span, and then after the other end's number."""
_MOVED = "Surrogate/"
"""Before the name of a channel that AMI Redirect has taken out of a bridge."""
_CONTACT = re.compile(r"sips?:(?:([^@;]*)@)?")
_OUTSIDE_NUMBER = re.compile(r"\+?[0-9]{6,}")
_LOCAL_HALF = re.compile(r"^(Local/.*-[0-9a-f]{8});([12])$")
_SAFE = re.compile(rf"[\w.-]{{1,{MAX_NAME}}}")
_UNSAFE = re.compile(r"[^\w.-]")
_SPECIAL = frozenset({"s", "h", "i", "t", "T", "o", "a", "e", "fax", "failed", "hang"})


@lru_cache(maxsize=16_384)
def safe_name(text: str, longest: int = MAX_NAME) -> str:
    """Letters and digits of any script and . _ -, at most 64; a changed name ends in a checksum of the original."""
    if len(text) <= longest and _SAFE.fullmatch(text):
        return text
    kept = _UNSAFE.sub("_", text)
    checksum = f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
    return f"{kept[: longest - 9]}-{checksum}"


def safe_id(text: str) -> str:
    """A Uniqueid as in every record, topic and label; short enough to be a safe name with a number appended."""
    return safe_name(text, LONGEST_ID)


@lru_cache(maxsize=16_384)
def interface_of(channel: str) -> str:
    """The phone that a channel belongs to: PJSIP/8012-0000001a is one of PJSIP/8012."""
    channel = channel.removeprefix(_MOVED)
    phone = _PHONE.match(channel)
    return (phone[0] if phone else channel)[:128]


def trunk_of(channel: str) -> str:
    """Where a caller came in: PJSIP/carrier of PJSIP/carrier-0000001a; "" for no channel."""
    span = _SPAN.match(channel.removeprefix(_MOVED))
    return span[0] if span else interface_of(channel)


def local_pair(channel: str) -> tuple[str, str] | None:
    """(name of the pair, "1" or "2") for half of a Local channel, None for any other."""
    found = _LOCAL_HALF.match(channel) if channel.startswith("Local/") else None
    return (found[1], found[2]) if found else None


def is_phone(dial_string: str) -> bool:
    """A phone is dialled by its name, or with its contact: 8012, 8012/sip:8012@10.0.0.5; a trunk with a number."""
    peer, slash, rest = dial_string.partition("/")
    if not slash:
        return bool(peer) and "@" not in peer
    contact = _CONTACT.match(rest)
    return contact is not None and (contact[1] in (None, peer) or not _OUTSIDE_NUMBER.fullmatch(contact[1]))


def trunk_dialled(destination: str) -> str:
    """PJSIP/carrier of PJSIP/13855550100@carrier, SIP/carrier of SIP/carrier/13855550100; "" for a phone."""
    technology, _, dialled = destination.partition("/")
    if technology == "Local" or not dialled or is_phone(dialled):
        return ""
    return f"{technology}/{dialled.partition('/')[0].rpartition('@')[2]}"


def destinations_of(arguments: str) -> list[str]:
    """What Dial was told to dial."""
    return arguments.partition(",")[0].split("&")


def peer_of(interface: str) -> str:
    """PJSIP/8012/sip:... -> 8012; Local/8012@agents/n -> 8012."""
    return re.split("[/@]", interface.partition("/")[2] or interface, maxsplit=1)[0]


class Names:
    """Gives every queue, agent and line its name; above `max_names` of a kind all further ones share `other`."""

    def __init__(self, rules: RingRules) -> None:
        self._rules = rules
        self._work_number = re.compile(rules.work_number)
        self._line = re.compile(rules.line_pattern)
        self._lines = {number: name for name, line in rules.lines.items() for number in line.numbers}
        self._members: dict[str, str] = {}
        self._locals: dict[str, str] = {}
        """Interfaces of members by the name of their Local channels, which leaves the options out."""
        self._trunks: set[str] = set()
        self._agents: dict[tuple[str, str], str] = {}
        """Names already given, by interface and member."""
        self._known: dict[str, set[str]] = {
            "queue": set(map(safe_name, rules.queue_cadences)),
            "agent": set(map(safe_name, rules.work_numbers.values())),
            "line": set(map(safe_name, rules.lines)),
        }

    def queue(self, name: str) -> str:
        """Safe name of a queue."""
        return self._bounded("queue", name)

    def learn_member(self, interface: str, member: str) -> None:
        """Remember the member at an interface, for calls that reach it without a queue."""
        self.learn_dialled(interface)
        if len(self._members) < 10 * self._rules.max_names:
            self._members[interface] = member
            if interface.startswith("Local/"):
                self._locals["/".join(interface.split("/")[:2])] = interface

    def learn_dialled(self, destination: str) -> None:
        """Remember a trunk by what is dialled through it."""
        trunk = trunk_dialled(destination)
        if trunk and len(self._trunks) < 10 * self._rules.max_names:
            self._trunks.add(trunk)

    def is_trunk(self, interface: str) -> bool:
        """A number has been dialled through it: no phone, and its channels have nothing to do with each other."""
        return interface in self._trunks

    def member_at(self, interface: str) -> str:
        """The interface of the member that this phone is: Local/8012@agents is Local/8012@agents/n."""
        return self._locals.get(interface, interface)

    def is_member(self, interface: str) -> bool:
        """A queue has a member with this interface."""
        return interface in self._members

    def agent(self, interface: str, member: str = "") -> str:
        """Work number of the agent at an interface; "" for no interface."""
        if not interface:
            return ""
        member = member or self._members.get(interface, "")
        name = self._agents.get((interface, member))
        if name is None:
            name = self._new_agent(interface, member)
            if len(self._agents) < 10 * self._rules.max_names:
                self._agents[interface, member] = name
        return name

    def _new_agent(self, interface: str, member: str) -> str:
        given = self._rules.work_numbers
        if (own := given.get(interface) or given.get(member)) is not None:
            return self._bounded("agent", own)
        peer = peer_of(interface)
        for text in (member if member != interface else "", peer):
            if found := self._work_number.search(text):
                return self._bounded("agent", found[0])
        return self._bounded("agent", peer)

    @property
    def own_lines(self) -> set[str]:
        """Lines with names of their own."""
        return set(map(safe_name, self._rules.lines))

    def line(self, candidates: Iterable[str]) -> str | None:
        """Name of the direct line: the first of these numbers that is one; None when none is."""
        for number in candidates:
            if own := self._lines.get(number):
                return self._bounded("line", own)
            if number not in _SPECIAL and self._line.fullmatch(number):
                return self._bounded("line", number)
        return None

    def line_numbers(self, exten: str, dialled: str, interface: str) -> tuple[str, str, str]:
        """Where the name of a line is searched for: the extension at Dial, the phone, the number first dialled."""
        return exten, peer_of(interface), dialled

    def line_dialled(self, exten: str, dialled: str, interface: str) -> str:
        """The line among these `line_numbers`; "" for none."""
        return self.line(self.line_numbers(exten, dialled, interface)) or ""

    def _bounded(self, kind: str, name: str) -> str:
        known, safe = self._known[kind], safe_name(name)
        if safe in known:
            return safe
        if len(known) >= self._rules.max_names:
            return OTHER
        known.add(safe)
        return safe
