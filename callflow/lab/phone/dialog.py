"""The identity of one call between a phone and its peer, and the requests within it."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import quote

from callflow.lab.phone.messages import Address, Headers, Message, tag_of, uri_of


def new_branch() -> str:
    """A branch that no other transaction has."""
    return f"z9hG4bK{secrets.token_hex(8)}"


def new_tag() -> str:
    """A tag for one side of a dialog, or a Call-ID."""
    return secrets.token_hex(8)


@dataclass
class Dialog:
    """The identifiers of both sides; `target` is where requests to the peer are addressed."""

    local: str
    remote: str
    here: Address
    target: str
    name: str = ""
    call_id: str = field(default_factory=new_tag)
    local_tag: str = field(default_factory=new_tag)
    remote_tag: str = ""
    cseq: int = 0

    @classmethod
    def of_invite(cls, invite: Message, here: Address) -> "Dialog":
        """The called phone's side of the call that this INVITE opens."""
        return cls(
            local=uri_of(invite.get("To")),
            remote=uri_of(invite.get("From")),
            here=here,
            target=uri_of(invite.get("Contact")),
            call_id=invite.call_id,
            remote_tag=tag_of(invite.get("From")),
        )

    @property
    def contact(self) -> str:
        """The URI where the peer reaches this phone."""
        user = self.local.removeprefix("sip:").partition("@")[0]
        return f"sip:{user}@{self.here[0]}:{self.here[1]}"

    def learn(self, response: Message) -> None:
        """Take the peer's tag and contact from its response to our INVITE."""
        self.remote_tag = tag_of(response.get("To")) or self.remote_tag
        if contact := response.get("Contact"):
            self.target = uri_of(contact)

    def request(
        self, method: str, *, body: str = "", kind: str = "application/sdp", more: Headers = (), cseq: int | None = None
    ) -> Message:
        """A new request; ACK takes the `cseq` of its INVITE, all others count up."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        display = f'"{self.name}" ' if self.name else ""
        to_tag = f";tag={self.remote_tag}" if self.remote_tag else ""
        headers = [
            ("Via", f"SIP/2.0/UDP {self.here[0]}:{self.here[1]};branch={new_branch()};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{display}<{self.local}>;tag={self.local_tag}"),
            ("To", f"<{self.remote}>{to_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<{self.contact}>"),
            *more,
            *((("Content-Type", kind),) if body else ()),
        ]
        return Message(f"{method} {self.target} SIP/2.0", tuple(headers), body)

    @property
    def replaces(self) -> str:
        """This dialog from the peer's side, escaped for a Refer-To (RFC 3891)."""
        return quote(f"{self.call_id};to-tag={self.remote_tag};from-tag={self.local_tag}", safe="")


def cancel_of(invite: Message) -> Message:
    """The CANCEL of an INVITE that has no final response yet."""
    return _of_same_transaction(invite, "CANCEL", invite.get("To"))


def ack_of(invite: Message, response: Message) -> Message:
    """The ACK of a refusal (a final response of 300 or more)."""
    return _of_same_transaction(invite, "ACK", response.get("To"))


def _of_same_transaction(invite: Message, method: str, to: str) -> Message:
    kept = ("via", "max-forwards", "from", "call-id")
    headers = [(name, value) for name, value in invite.headers if name.lower() in kept]
    return Message(f"{method} {invite.uri} SIP/2.0", (*headers, ("To", to), ("CSeq", f"{invite.cseq} {method}")))
