"""How a connection proves that it is Asterisk with a call: its header to the true end, and the channel's proof."""

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from callflow.adapters.agi.arrival import call_id, parse_first, parse_variables
from callflow.adapters.agi.sending import sent

SCREEN, RATE, GREET = SCRIPTS = ("screen", "rate", "greet")
"""What the dialplan asks for: the last part of the address."""
PROOF_VARIABLE = "CALLFLOW_PROOF"
LONGEST_UNIQUEID = 256
_FIRST_LINE = b"agi_network: "
_FIRST_FIELDS = b"\nagi_callerid: "
"""Ends the fields that no caller can choose."""
_HANGUP = b"\n\nHANGUP\n"


class Refused(Exception):
    """A refused connection, with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WrongToken(Refused):
    """The address that Asterisk called lacks our token."""


class Voucher(Protocol):
    """What is asked of Asterisk about a connection."""

    async def vouch(self, uniqueid: str, proof: str) -> bool | None:
        """Write `proof` to the channel's variable CALLFLOW_PROOF. False: no such channel. None: AMI cannot tell."""
        ...

    def renew_token(self) -> None:
        """A connection came with a wrong token: tell Asterisk the right one again."""
        ...


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a connection has said about its call."""

    variables: Mapping[str, str]
    proven: bool
    """AMI has vouched for the channel."""
    hung_up: bool
    """The caller hung up before the header was read."""

    @property
    def uniqueid(self) -> str:
        """Of the channel; never empty."""
        return self.variables["agi_uniqueid"]

    @property
    def script(self) -> str:
        """One of SCRIPTS."""
        return _path(self.variables["agi_network_script"]).rpartition("/")[2]

    @property
    def call_id(self) -> str:
        """The call's id in every record."""
        return call_id(self.uniqueid, self.variables.get("agi_arg_2", ""))


async def introduce(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, voucher: Voucher | None
) -> Introduction:
    """Read the header to its true end; raises Refused, and what the reader raises.

    A caller's name can contain anything, even a whole header. Asterisk answers a command only behind the true header:
    the header ends where the answer begins that repeats a random marker. The same answer repeats the proof that AMI
    wrote to the channel, which only the script of that channel can read.
    """
    if not (early := await reader.readuntil(b"\n")).startswith(_FIRST_LINE):
        raise Refused("not FastAGI")
    early += await reader.readuntil(_FIRST_FIELDS)
    uniqueid = _checked(early, token)
    proof, marker = secrets.token_hex(8), secrets.token_hex(8)
    vouched = None if voucher is None else await voucher.vouch(uniqueid, proof)
    if vouched is False:
        raise Refused("Asterisk has no such channel")
    if not sent(writer, f"GET FULL VARIABLE ${{{PROOF_VARIABLE}}}/{marker}"):
        raise ConnectionResetError
    end = f"/{marker})\n".encode()
    header, _, repeated = (await reader.readuntil(end)).removesuffix(end).rpartition(b"200 result=1 (")
    if vouched and not hmac.compare_digest(repeated, proof.encode()):
        raise Refused("not the channel that it names")
    hung_up = header.endswith(_HANGUP)
    variables = parse_variables(early + header.removesuffix(_HANGUP))
    if "agi_arg_1" not in variables:
        raise Refused("header without its last fields")
    return Introduction(variables, proven=bool(vouched), hung_up=hung_up)


def _checked(early: bytes, token: str) -> str:
    """The channel's uniqueid, if the address and the channel are right; raises Refused."""
    first, _ = parse_first("\n" + early.decode("utf-8", "replace"))
    if not first:
        raise Refused("not FastAGI")
    path = _path(first["agi_network_script"])
    expected = [f"{token}/{script}" if token else script for script in SCRIPTS]
    if not any(hmac.compare_digest(path.encode(), one.encode()) for one in expected):
        raise WrongToken("wrong path or token")
    uniqueid = first["agi_uniqueid"]
    if not uniqueid or not uniqueid.isprintable() or len(uniqueid) > LONGEST_UNIQUEID or not first["agi_channel"]:
        raise Refused("no channel named")
    return uniqueid


def _path(network_script: str) -> str:
    """The path of the address that Asterisk called."""
    return network_script.partition("?")[0].strip("/")
