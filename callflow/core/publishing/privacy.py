"""A person's number leaves the daemon only as a keyed hash, unless the settings say otherwise."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, SecretStr

from callflow.core.section import Section

HASH_HEX = 16
"""64 bits: two of a million callers share a hash once in 37 million sites."""

_NUMBER = re.compile(r"\+?[0-9](?:[ ()./-]{0,2}[0-9])*")
_TEXT_ROOM = 200


class PrivacyRules(Section):
    """What callflow shows of a person's number outside the daemon, over MQTT and in metrics: the section [privacy]."""

    numbers: Literal["hash", "plain"] = Field(
        "hash", description="hash: publish callers' numbers as keyed hashes, and no names; plain: unchanged."
    )
    key: SecretStr = Field(SecretStr(""), description="Key of the hashes; empty: callflow makes one and keeps it.")
    key_file: str = Field(
        "", description="File of the key that callflow makes, mode 0600; empty: privacy.key beside the database."
    )
    internal_digits: int = Field(
        6, ge=0, le=30, description="Names with at most this many digits (extensions, work numbers) are not hashed."
    )


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Hides numbers of persons with a key that only this site has."""

    key: bytes
    rules: PrivacyRules = field(default_factory=PrivacyRules)

    def caller(self, number: str) -> str | None:
        """A caller's number, hashed whatever its length; the same number gives the same hash. None for no number."""
        if not number:
            return None
        return _trimmed(number) if self.plain else self.hashed(number)

    def name(self, name: str) -> str:
        """A queue, line, trunk or agent name, in which numbers long enough to be a person's are hashed."""
        return _trimmed(name if self.plain else self.hidden_in(name))

    def hidden_in(self, text: str) -> str:
        """A text of any length in which numbers long enough to be a person's are hashed."""
        return _NUMBER.sub(self._hidden, text)

    @property
    def plain(self) -> bool:
        """Numbers and names are shown as they are."""
        return self.rules.numbers == "plain"

    def _hidden(self, number: re.Match[str]) -> str:
        digits = sum(mark.isdigit() for mark in number[0])
        return self.hashed(number[0]) if digits > self.rules.internal_digits else number[0]

    def hashed(self, number: str) -> str:
        """The same hash with and without spaces and punctuation."""
        return "h" + hmac.new(self.key, bare(number).encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:HASH_HEX]


def bare(number: str) -> str:
    """A number without spaces and punctuation."""
    return re.sub(r"[ ()./-]", "", number)


def _trimmed(text: str) -> str:
    """Short, printable, and valid UTF-8: what came in over AMI may be none of these."""
    whole = text[:_TEXT_ROOM].encode("utf-8", "replace").decode()
    return whole if whole.isprintable() else "".join(mark if mark.isprintable() else "?" for mark in whole)
