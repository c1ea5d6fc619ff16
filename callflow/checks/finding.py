"""One line of `callflow check`."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How one look turned out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was seen, and what to do about it."""

    verdict: Verdict
    subject: str
    seen: str
    remedy: str = ""


def ok(subject: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.OK, subject, seen)


def warn(subject: str, seen: str, remedy: str) -> Finding:
    """It works, but should be mended."""
    return Finding(Verdict.WARN, subject, seen, remedy)


def fail(subject: str, seen: str, remedy: str) -> Finding:
    """callflow cannot work like this."""
    return Finding(Verdict.FAIL, subject, seen, remedy)


def hint(subject: str, seen: str, remedy: str) -> Finding:
    """Nobody can see it from here; the user should look."""
    return Finding(Verdict.HINT, subject, seen, remedy)
