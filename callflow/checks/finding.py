"""One line of `callflow check`."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The result of one check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked, what was seen, and the remedy."""

    verdict: Verdict
    subject: str
    seen: str
    remedy: str = ""


def ok(subject: str, seen: str) -> Finding:
    """It is right."""
    return Finding(Verdict.OK, subject, seen)


def warn(subject: str, seen: str, remedy: str) -> Finding:
    """It works, but should be corrected."""
    return Finding(Verdict.WARN, subject, seen, remedy)


def fail(subject: str, seen: str, remedy: str) -> Finding:
    """callflow cannot work like this."""
    return Finding(Verdict.FAIL, subject, seen, remedy)


def hint(subject: str, seen: str, remedy: str) -> Finding:
    """It cannot be seen from here; the user should look."""
    return Finding(Verdict.HINT, subject, seen, remedy)
