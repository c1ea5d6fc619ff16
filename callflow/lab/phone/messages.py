"""SIP messages as values: read from a datagram, made, and written to one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Address = tuple[str, int]
Headers = Iterable[tuple[str, str]]

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK", 202: "Accepted",
    302: "Moved Temporarily", 404: "Not Found", 405: "Method Not Allowed", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A request or a response; `first` is its first line, header names keep their spelling."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    def get(self, name: str) -> str:
        """The first value of a header, "" without one."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for own, value in self.headers if own.lower() == name.lower()]

    @property
    def status(self) -> int:
        """The code of a response, 0 for a request."""
        return int(self.first.split(" ")[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self.get("CSeq").partition(" ")[2] if self.status else self.first.partition(" ")[0]

    @property
    def uri(self) -> str:
        """The request URI, "" for a response."""
        return "" if self.status else self.first.split(" ")[1]

    @property
    def call_id(self) -> str:
        return self.get("Call-ID")

    @property
    def cseq(self) -> int:
        return int(self.get("CSeq").partition(" ")[0] or 0)

    @property
    def branch(self) -> str:
        """The transaction's branch in the topmost Via."""
        found = re.search(r"branch=([^;,\s]+)", self.get("Via"))
        return found[1] if found else ""

    def encode(self) -> bytes:
        """The datagram."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body.encode())}", "", self.body]).encode()


def parse(data: bytes) -> Message:
    """The message in a datagram. Raises ValueError for anything else."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    if not (first.startswith("SIP/2.0 ") or first.endswith(" SIP/2.0")):
        raise ValueError(f"not SIP: {first[:40]!r}")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Message(first, tuple((n, v) for n, v in headers if n.lower() != "content-length"), body)


def respond(
    request: Message, status: int, *, tag: str = "", contact: str = "", body: str = "", more: Headers = ()
) -> Message:
    """The response to a request; `tag` is added to a To that has none, `contact` is a URI, `body` is SDP."""
    to = request.get("To")
    if tag and not tag_of(to):
        to = f"{to};tag={tag}"
    headers = [
        *(("Via", via) for via in request.all("Via")),
        ("From", request.get("From")), ("To", to), ("Call-ID", request.call_id), ("CSeq", request.get("CSeq")),
        *((("Contact", f"<{contact}>"),) if contact else ()),
        *((("Content-Type", "application/sdp"),) if body else ()),
        *more,
    ]  # fmt: skip
    return Message(f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}", tuple(headers), body)


def tag_of(value: str) -> str:
    """The tag of a From or To, "" without one."""
    found = re.search(r";tag=([^;\s]+)", value)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """The URI of a From, To, Contact or Refer-To."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.partition(";")[0].strip()


def user_of(uri: str) -> str:
    """The user part of a SIP URI, "" without one."""
    found = re.match(r"sips?:([^@;>]*)@", uri)
    return found[1] if found else ""
