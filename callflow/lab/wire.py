"""Calls as the wire shows them: SIP and RTP read from a pcap file. All times are the capture's, in seconds."""

import math
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import dpkt
import numpy as np

from callflow.lab.rtp_pcap import EVENT_PAYLOAD, KEYS
from callflow.sound import mulaw
from callflow.sound.audio import active_level_dbov

Party = Literal["caller", "asterisk"]
Address = tuple[str, int]
_FRAME_S = 0.02


class Packet(NamedTuple):
    """One RTP packet of audio."""

    at: float
    payload: bytes
    sequence: int = 0


@dataclass
class WireCall:
    """One caller's call: the caller's own leg, and the agent's leg if there was one."""

    call_id: str
    number: str
    entry: str
    invite_at: float
    answered_at: float | None = None
    bye_at: float | None = None
    ended_by: Party | None = None
    agent_rang_at: float | None = None
    agent_answered_at: float | None = None
    sent: list[Packet] = field(default_factory=list, repr=False)
    received: list[Packet] = field(default_factory=list, repr=False)
    agent_received: list[Packet] = field(default_factory=list, repr=False)
    keys: list[tuple[float, str]] = field(default_factory=list)

    @property
    def agent_reached(self) -> bool:
        return self.agent_answered_at is not None

    def first_sound_at(self, above_dbov: float = -50.0) -> float | None:
        """When the first packet of the caller's louder than `above_dbov` was sent."""
        limit = 10 ** (above_dbov / 20) * 32768
        for packet in self.sent:
            samples = mulaw.decode(packet.payload).astype(np.float64)
            if np.sqrt(np.mean(np.square(samples))) > limit:
                return packet.at
        return None

    @property
    def agent_hears_dbov(self) -> float | None:
        """Active speech level of what the agent's phone received; None if that was nothing."""
        if not self.agent_received:
            return None
        samples = mulaw.decode(b"".join(packet.payload for packet in self.agent_received)).astype(np.float64)
        level = active_level_dbov(samples)
        return level if level > -math.inf else None

    def rtp_ended_at(self) -> float | None:
        """When the caller's last RTP packet ended; None if there was none."""
        return self.sent[-1].at + _FRAME_S if self.sent else None


@dataclass(frozen=True)
class Wire:
    """Every call of a capture, in order of their INVITEs."""

    calls: list[WireCall]

    @property
    def longest_stall_s(self) -> float:
        """The longest gap between a caller's packets, with no packet missing: the machine's longest stall."""
        pairs = (pair for call in self.calls for pair in pairwise(call.sent))
        gaps = (after.at - before.at for before, after in pairs if (after.sequence - before.sequence) & 0xFFFF == 1)
        return max(gaps, default=0.0)

    def of(self, number: str) -> list[WireCall]:
        """The calls of one caller's number."""
        return [call for call in self.calls if call.number == number]

    def one(self, number: str) -> WireCall:
        """The only call of a number. Raises LookupError."""
        match self.of(number):
            case [call]:
                return call
            case others:
                raise LookupError(f"{len(others)} calls from {number} on the wire, not one")


def read_wire(path: Path, asterisk_sip_port: int) -> Wire:
    """The calls of a capture of a lab whose Asterisk has this SIP port."""
    reader = _Reader(asterisk_sip_port)
    for at, source, target, payload in datagrams(path):
        reader.take(at, source, target, payload)
    return Wire(list(reader.calls.values()))


class _Reader:
    def __init__(self, sip_port: int) -> None:
        self.calls: dict[str, WireCall] = {}
        self._sip_port = sip_port
        self._agent_legs: dict[str, WireCall] = {}
        self._caller_media: dict[str, Address] = {}
        self._media: dict[tuple[Address, Address], tuple[WireCall, Party]] = {}
        self._to_agent: dict[str, Address] = {}
        self._agent_media: dict[tuple[Address, Address], WireCall] = {}

    def take(self, at: float, source: Address, target: Address, payload: bytes) -> None:
        if self._sip_port in (source[1], target[1]):
            message = payload.decode(errors="replace")
            by: Party = "asterisk" if source[1] == self._sip_port else "caller"
            call_id = sip_header(message, "Call-ID")
            if by == "asterisk" and message.startswith("INVITE "):
                self._agent_rings(at, call_id, message)
            elif call_id in self._agent_legs:
                self._agent_leg(at, call_id, message)
            else:
                self._caller_leg(at, call_id, by, message)
        elif payload[:1] == b"\x80" and len(payload) > 12:
            self._rtp(at, source, target, payload)

    def _agent_rings(self, at: float, call_id: str, message: str) -> None:
        number = _user(sip_header(message, "From"))
        for call in reversed(self.calls.values()):
            if call.number == number and call.bye_at is None and call_id not in self._agent_legs:
                self._agent_legs[call_id] = call
                self._to_agent[call_id] = _media_address(message)
                call.agent_rang_at = call.agent_rang_at or at

    def _agent_leg(self, at: float, call_id: str, message: str) -> None:
        call = self._agent_legs[call_id]
        if message.startswith("SIP/2.0 200") and sip_header(message, "CSeq").endswith("INVITE"):
            call.agent_answered_at = call.agent_answered_at or at
            self._agent_media[self._to_agent[call_id], _media_address(message)] = call

    def _caller_leg(self, at: float, call_id: str, by: Party, message: str) -> None:
        if message.startswith("INVITE ") and call_id not in self.calls:
            number, entry = _user(sip_header(message, "From")), _user(message)
            self.calls[call_id] = WireCall(call_id, number, entry, at)
            self._caller_media[call_id] = _media_address(message)
        if not (call := self.calls.get(call_id)):
            return
        if message.startswith("SIP/2.0 200") and sip_header(message, "CSeq").endswith("INVITE"):
            call.answered_at = call.answered_at or at
            caller, asterisk = self._caller_media[call_id], _media_address(message)
            self._media[caller, asterisk] = call, "caller"
            self._media[asterisk, caller] = call, "asterisk"
            self._agent_media.pop((asterisk, caller), None)  # Asterisk's port was an agent's leg's before
        elif message.startswith("BYE ") and call.bye_at is None:
            call.bye_at, call.ended_by = at, by

    def _rtp(self, at: float, source: Address, target: Address, payload: bytes) -> None:
        if talking := self._agent_media.get((source, target)):
            talking.agent_received.append(Packet(at, payload[12:]))
            return
        call, by = self._media.get((source, target), (None, None))
        if call is None:
            return
        kind = payload[1] & 0x7F
        if kind == 0:
            packet = Packet(at, payload[12:], int.from_bytes(payload[2:4]))
            (call.sent if by == "caller" else call.received).append(packet)
        elif kind == EVENT_PAYLOAD and by == "caller" and payload[1] & 0x80:
            call.keys.append((at, KEYS[payload[12]]))


def datagrams(path: Path) -> Iterator[tuple[float, Address, Address, bytes]]:
    """Time, source, target and payload of every UDP packet of a capture."""
    with path.open("rb") as file:
        for at, frame in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            if isinstance(ip, dpkt.ip.IP) and isinstance(ip.data, dpkt.udp.UDP):
                source, target = socket.inet_ntoa(ip.src), socket.inet_ntoa(ip.dst)
                yield float(at), (source, ip.data.sport), (target, ip.data.dport), bytes(ip.data.data)


def sip_header(message: str, name: str) -> str:
    """Value of a SIP header, "" without one."""
    found = re.search(rf"^{name}:\s*(.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def _user(text: str) -> str:
    found = re.search(r"sip:([^@>;]*)@", text)
    return found[1] if found else ""


def _media_address(message: str) -> Address:
    host = re.search(r"^c=IN IP4 (\S+)", message, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", message, re.MULTILINE)
    return (host[1] if host else "", int(port[1]) if port else 0)
