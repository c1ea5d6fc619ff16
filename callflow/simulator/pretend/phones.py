"""Which phone a dial string calls, and what it does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from callflow.scenarios.phones import PhoneGroup


@dataclass(frozen=True, slots=True)
class Called:
    """A dial string, read: PJSIP/endpoint, PJSIP/number@endpoint, PJSIP/endpoint/sip:number@host."""

    endpoint: str
    number: str
    """Whom it rings."""
    string: str
    """As DialBegin tells it: without the technology."""


def read_dial_string(text: str) -> Called:
    """What a dial string calls."""
    string = text.partition("/")[2]
    first, slash, uri = string.partition("/")
    if slash:
        return Called(first, uri.removeprefix("sip:").partition("@")[0], string)
    number, at, endpoint = first.partition("@")
    return Called(endpoint, number, string) if at else Called(first, first, string)


class Phones:
    """Every phone that can be called."""

    def __init__(self, groups: Sequence[PhoneGroup]) -> None:
        self.groups = groups
        self.calls: Counter[str] = Counter()
        """How often each number was rung."""

    def ring(self, number: str) -> PhoneGroup | None:
        """What the phone does with its next call; None: there is no such phone."""
        fitting = [group for group in self.groups if group.is_its(number)]
        if not fitting or fitting[0].does == "absent":
            return None
        turn = self.calls[number]
        self.calls[number] += 1
        return fitting[turn % len(fitting)]
