"""Alerts: things a person should look at, found in ended records. Pure and bounded; each alert is raised once."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from callflow.core.call_record import CallRecord
from callflow.core.publishing.alert_rules import AlertRules
from callflow.core.publishing.envelope import Envelope, event_id, utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.core.publishing.window import Windows
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import Offer, Outcome, Stay, TargetType
from callflow.core.screening.states import Result
from callflow.core.service.tallies import SENT_ON, TURNED_AWAY
from callflow.core.service.targets import Targets

DAY_MS = 86_400_000
CALLERS = 50_000
RECENT = 10_000
NAMES = 500
CALLS = 100_000
MAY_GO_ON = (*SENT_ON, *TURNED_AWAY, Outcome.WITHDRAWN, Outcome.REDIRECTED)
"""The caller left the queue without hanging up: the call may go on."""

Entry = TypeVar("Entry")


@dataclass(slots=True)
class _Trunk:
    """A trunk's recent calls, and all earlier ones as its baseline."""

    recent: deque[tuple[int, bool]] = field(default_factory=deque)
    silent_recently: int = 0
    before: float = 0.0
    silent_before: float = 0.0

    def add(self, at_ms: int, silent: bool, length_ms: int) -> None:
        """Add a call. Calls that are no longer recent join the baseline, which is halved at 10,000 calls."""
        self.recent.append((at_ms, silent))
        self.silent_recently += silent
        while self.recent[0][0] <= at_ms - length_ms or len(self.recent) > CALLS:
            _, was_silent = self.recent.popleft()
            self.silent_recently -= was_silent
            self.before += 1
            self.silent_before += was_silent
        if self.before > 10_000:
            self.before, self.silent_before = self.before / 2, self.silent_before / 2

    @property
    def rate(self) -> float:
        """Share of silent calls among the recent ones."""
        return self.silent_recently / len(self.recent)

    @property
    def baseline(self) -> float:
        """Share of silent calls before; one in fifty is assumed until 50 calls say otherwise."""
        return (self.silent_before + 1) / (self.before + 50)


@dataclass(slots=True)
class _Call:
    """A call that is under way or has just ended, from the screening or the first queue on."""

    began_ms: int
    short_of: str = ""
    """The caller whose short call this is, as far as known; "" for none."""


class AlertWatch:
    """Give it every ended record, and every version of a stay; `receive` returns the alerts."""

    def __init__(
        self,
        rules: AlertRules,
        topics: Topics,
        node: str,
        pseudonymizer: Pseudonymizer,
        targets: Targets,
    ) -> None:
        self._rules = rules
        self._topics = topics
        self._node = node
        self._pseudonymizer = pseudonymizer
        self._targets = targets
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._short_calls: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._trunks: OrderedDict[str, _Trunk] = OrderedDict()
        self._queues = Windows(1000 * rules.service_window_s, targets)
        self._standing: OrderedDict[tuple[str, str], int] = OrderedDict()

    def receive(self, record: object) -> list[Envelope]:
        """The alerts that a record raises, most often none."""
        match record:
            case CallRecord():
                return [*self._call(record), *self._trunk(record), *self._short_call(record)]
            case Stay():
                return [*self._stay(record), *self._short_stay(record)]
            case Offer(target_type=TargetType.LINE):
                self._goes_on(record.call_id, record.began_ms)
        return []

    # -- one call -------------------------------------------------------------------------------------------------

    def _call(self, call: CallRecord) -> Iterator[Envelope]:
        kind = {Result.SILENT: "silent_call", Result.QUIET: "quiet_call"}.get(call.result) if call.result else None
        if kind is not None:
            heard = {"heard": call.heard and call.heard.value, "level_dbov": call.level_dbov}
            yield self._make(kind, call.call_id, call.uniqueid, _end(call), self._who(call) | heard)

    def _short_call(self, call: CallRecord) -> Iterator[Envelope]:
        """A call that ended in the screening; one that went on is counted by its stays in queues."""
        self._goes_on(call.uniqueid, call.arrived_ms)
        if call.ended_ms is not None and call.result in (Result.HANGUP, Result.SILENT, Result.QUIET):
            yield from self._short(call.caller_number, call.uniqueid, call.ended_ms, self._who(call))

    def _short_stay(self, stay: Stay) -> Iterator[Envelope]:
        self._goes_on(stay.call_id, stay.joined_ms)
        ended = stay.outcome is not None and stay.outcome not in MAY_GO_ON and not stay.partial
        end_ms = stay.left_ms if stay.talk_end_ms is None else stay.talk_end_ms
        if ended and end_ms is not None:
            data = {
                "caller": self._pseudonymizer.caller(stay.caller_number),
                "trunk": self._pseudonymizer.name(stay.trunk),
            }
            yield from self._short(stay.caller_number, stay.call_id, end_ms, data)

    def _goes_on(self, call_id: str, at_ms: int) -> None:
        """Part of a call that began then. A part that ended before was not the whole call."""
        call = _kept(self._calls, call_id, lambda: _Call(at_ms), RECENT)
        call.began_ms = min(call.began_ms, at_ms)
        self._short_calls.get(call.short_of, {}).pop(call_id, None)

    def _short(self, caller: str, call_id: str, end_ms: int, data: dict[str, Any]) -> Iterator[Envelope]:
        """Row A1: the same caller again and again, each time for less than a minute."""
        call = self._calls[call_id]
        if not caller or end_ms - call.began_ms >= 1000 * self._rules.short_call_s:
            return
        call.short_of = caller
        calls = _kept(self._short_calls, caller, dict, CALLERS)
        calls[call_id] = end_ms
        for old in [known for known, at_ms in calls.items() if at_ms <= end_ms - DAY_MS]:
            del calls[old]
        if len(calls) >= self._rules.short_calls:
            data = data | {"calls": len(calls), "first_at": utc(min(calls.values()))}
            calls.clear()
            yield self._make("repeat_short_calls", call_id, call_id, end_ms, data)

    def _who(self, call: CallRecord) -> dict[str, Any]:
        return {
            "caller": self._pseudonymizer.caller(call.caller_number),
            "trunk": self._pseudonymizer.name(trunk_of(call.channel)),
            "profile": call.profile,
            "screening_id": call.call_id,
        }

    # -- rates ----------------------------------------------------------------------------------------------------

    def _trunk(self, call: CallRecord) -> Iterator[Envelope]:
        name = trunk_of(call.channel)
        if not name or call.result in (None, Result.OFF, Result.UNAVAILABLE, Result.OBSERVED):
            return
        trunk = _kept(self._trunks, name, _Trunk, NAMES)
        at_ms = _end(call)
        trunk.add(at_ms, call.result is Result.SILENT, 1000 * self._rules.trunk_window_s)
        data = {
            "trunk": self._pseudonymizer.name(name),
            "calls": len(trunk.recent),
            "silent": trunk.silent_recently,
            "rate": round(trunk.rate, 4),
            "baseline": round(trunk.baseline, 4),
        }
        enough = len(trunk.recent) >= self._rules.trunk_min_calls
        above = enough and trunk.rate > trunk.baseline * self._rules.trunk_rate_factor
        yield from self._stand("trunk_silent_rate", name, above, at_ms, data)

    def _stay(self, stay: Stay) -> Iterator[Envelope]:
        """The queue's own formula and target, over a sliding time."""
        window, target = self._queues.of(stay.queue), self._targets.of(stay.queue)
        at_ms = window.stay(stay)
        if at_ms is None:
            return
        level = window.service_level
        data = {
            "queue": self._pseudonymizer.name(stay.queue),
            "offered": window.offered,
            "service_level": level,
            "formula": target.formula.value,
            "threshold_s": target.threshold_s,
            "target_percent": target.target_percent,
        }
        enough = window.offered >= self._rules.service_min_calls
        below = enough and level is not None and 100 * level < target.target_percent
        yield from self._stand("service_level", stay.queue, below, at_ms, data)

    def _stand(self, kind: str, name: str, bad: bool, at_ms: int, data: dict[str, Any]) -> Iterator[Envelope]:
        """Raised when it begins (revision 1), cleared when it is over (revision 2 of the same event)."""
        since_ms = self._standing.get((kind, name))
        if bad and since_ms is None:
            self._standing[kind, name] = at_ms
            if len(self._standing) > 2 * NAMES:
                self._standing.popitem(last=False)
            yield self._make(kind, f"{name}@{at_ms}", "", at_ms, data | {"state": "raised"})
        elif not bad and since_ms is not None:
            del self._standing[kind, name]
            yield self._make(kind, f"{name}@{since_ms}", "", at_ms, data | {"state": "cleared"}, revision=2)

    def _make(
        self, kind: str, subject: str, call_id: str, at_ms: int, data: dict[str, Any], revision: int = 1
    ) -> Envelope:
        return Envelope(
            topic=self._topics.alert(kind),
            event_id=event_id(self._topics.site, self._node, kind, subject),
            schema=f"callflow.alert.{kind}/1",
            call_id=call_id,
            occurred_ms=at_ms,
            revision=revision,
            data={"node": self._node, **data},
        )


def _end(call: CallRecord) -> int:
    return call.arrived_ms if call.ended_ms is None else call.ended_ms


def _kept(kept: OrderedDict[str, Entry], name: str, make: Callable[[], Entry], most: int) -> Entry:
    """The entry of `name`, made if there is none; of more than `most` entries the longest unused is dropped."""
    if name not in kept:
        kept[name] = make()
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)
    return kept[name]
