"""Row A1 over a fleet: short calls of one caller at several nodes, counted by the same rule as at a node."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from callflow.core.call_record import CallRecord
from callflow.core.rings.records import Stay
from callflow.core.short_calls import Repeated, ShortCallRule, ShortCalls


@dataclass(frozen=True, slots=True)
class CallAt:
    """A call of one node. Ids are unique at their node alone."""

    site: str
    node: str
    call_id: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A caller whose short calls have reached the number. `calls`: all that were counted, with their ends."""

    last: CallAt
    profile: str
    first_ms: int
    at_ms: int
    calls: tuple[CallAt, ...]

    @property
    def sites(self) -> int:
        """At how many sites the calls were."""
        return len({call.site for call in self.calls})


def repeats(parts: Iterable[tuple[CallAt, Any]], rule_of: Callable[[str], ShortCallRule]) -> list[Repeat]:
    """What the calls of one caller come to; `parts` are their screenings, stays and offers, in any order."""
    counting, known, found = ShortCalls(rule_of), dict[str, CallAt](), list[Repeat]()
    for call, record in sorted(parts, key=lambda part: _ended_ms(part[1])):
        name = "\x1f".join((call.site, call.node, call.call_id))
        known[name] = call
        own_name = {"uniqueid": name} if isinstance(record, CallRecord) else {"call_id": name}
        if repeated := counting.receive(replace(record, **own_name)):
            found.append(_repeat(repeated, known))
    return found


def _repeat(repeated: Repeated, known: dict[str, CallAt]) -> Repeat:
    calls = tuple(known[name] for name in repeated.call_ids)
    return Repeat(known[repeated.call_id], repeated.profile, repeated.first_ms, repeated.at_ms, calls)


def _ended_ms(record: Any) -> int:
    ended = record.left_ms if isinstance(record, Stay) else record.ended_ms
    return int(ended or 0)
