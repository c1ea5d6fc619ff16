"""What leaves the daemon of a person: a number only as a keyed hash, unless the site says otherwise."""

import hashlib
import hmac
import re
from dataclasses import dataclass

HASH_HEX = 16
"""64 bits: two of a million callers share a hash once in 37 million sites."""

_NUMBER = re.compile(r"\+?[0-9](?:[ ()./-]{0,2}[0-9])*")
_TEXT_ROOM = 200


@dataclass(frozen=True, slots=True)
class Pseudonymizer:
    """Hides numbers of persons with a key that only this site has; `plain` shows them as they are."""

    key: bytes
    plain: bool = False
    internal_digits: int = 6
    """A number of up to so many digits is an extension, a work number or a service: it stays as it is."""

    def caller(self, number: str) -> str | None:
        """A caller's number, hashed whatever its length; the same number gives the same hash. None for no number."""
        if not number:
            return None
        return _trimmed(number) if self.plain else self._hashed(number)

    def name(self, name: str) -> str:
        """A name of ours (queue, line, trunk, agent): as it is, but for numbers in it long enough to be a person's."""
        return _trimmed(name if self.plain else _NUMBER.sub(self._hidden, name))

    def _hidden(self, number: re.Match[str]) -> str:
        digits = sum(mark.isdigit() for mark in number[0])
        return self._hashed(number[0]) if digits > self.internal_digits else number[0]

    def _hashed(self, number: str) -> str:
        """Spaces and punctuation do not make another caller."""
        bare = re.sub(r"[ ()./-]", "", number)
        return "h" + hmac.new(self.key, bare.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:HASH_HEX]


def _trimmed(text: str) -> str:
    """Short, printable, and valid UTF-8: what came in over AMI may be none of these."""
    whole = text[:_TEXT_ROOM].encode("utf-8", "replace").decode()
    return whole if whole.isprintable() else "".join(mark if mark.isprintable() else "?" for mark in whole)
