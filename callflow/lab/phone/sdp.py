"""The media part of a call: where a phone wants its RTP, in which direction, and how it sends keys."""

import re
from dataclasses import dataclass
from typing import Literal

from callflow.lab.phone.messages import Address

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
PCMU = 0
TELEPHONE_EVENT = 101
_DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")
_ANSWERS: dict[Direction, Direction] = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


@dataclass(frozen=True)
class Described:
    """One audio stream as one side describes it; `events` is its payload type for RFC 4733, None without."""

    address: Address
    direction: Direction = "sendrecv"
    events: int | None = TELEPHONE_EVENT

    @property
    def receives(self) -> bool:
        return self.direction in ("sendrecv", "recvonly")

    def answer_direction(self, wanted: Direction = "sendrecv") -> Direction:
        """The direction that answers this offer; `wanted` is kept where the offer allows it."""
        return wanted if self.direction == "sendrecv" else _ANSWERS[self.direction]


def write(described: Described, version: int = 1) -> str:
    """The SDP of a stream of G.711 mu-law; `version` grows with every change."""
    host, port = described.address
    lines = [
        "v=0", f"o=phone 1 {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP {PCMU} {TELEPHONE_EVENT}",
        f"a=rtpmap:{PCMU} PCMU/8000", f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000",
        f"a=fmtp:{TELEPHONE_EVENT} 0-16", "a=ptime:20", f"a={described.direction}",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"


def read(text: str) -> Described | None:
    """The audio stream of an SDP; None without one."""
    host, port = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE), re.search(r"^m=audio (\d+)", text, re.MULTILINE)
    if not host or not port:
        return None
    attributes = re.findall(r"^a=(\w+)\s*$", text, re.MULTILINE)
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", text, re.MULTILINE)
    return Described(
        (host[1], int(port[1])),
        next((direction for direction in _DIRECTIONS if direction in attributes), "sendrecv"),
        int(events[1]) if events else None,
    )
