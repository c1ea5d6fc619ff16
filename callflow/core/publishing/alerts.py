"""Alerts: things a person should look at, found in ended records. Pure and bounded; each alert is raised once."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from callflow.core.call_record import CallRecord
from callflow.core.cases import CaseChange, CaseStep
from callflow.core.publishing.alert_rules import AlertRules
from callflow.core.publishing.envelope import Envelope, event_id, utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.core.publishing.window import Windows
from callflow.core.rings.names import trunk_of
from callflow.core.rings.records import Stay
from callflow.core.screening.states import Result
from callflow.core.service.targets import Targets
from callflow.core.short_calls import ShortCallRule, ShortCalls, kept

DAY_MS = 86_400_000
NAMES = 500
CALLS = 100_000


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
        rule = ShortCallRule(round(1000 * rules.short_call_s), rules.short_calls, DAY_MS)
        self._short_calls = ShortCalls(lambda profile: rule)
        self._trunks: OrderedDict[str, _Trunk] = OrderedDict()
        self._queues = Windows(1000 * rules.service_window_s, targets)
        self._standing: OrderedDict[tuple[str, str], int] = OrderedDict()

    def receive(self, record: object) -> list[Envelope]:
        """The alerts that a record raises, most often none."""
        match record:
            case CallRecord():
                return [*self._call(record), *self._trunk(record), *self._repeated(record, self._who(record))]
            case Stay():
                return [*self._stay(record), *self._repeated(record, self._who_waited(record))]
            case CaseChange(step=CaseStep.OVERDUE):
                return [self._overdue(record)]
        return [*self._repeated(record, {})]

    # -- one call -------------------------------------------------------------------------------------------------

    def _call(self, call: CallRecord) -> Iterator[Envelope]:
        kind = {Result.SILENT: "silent_call", Result.QUIET: "quiet_call"}.get(call.result) if call.result else None
        if kind is not None:
            heard = {"heard": call.heard and call.heard.value, "level_dbov": call.level_dbov}
            yield self._make(kind, call.call_id, call.uniqueid, _end(call), self._who(call) | heard)

    def _repeated(self, record: object, data: dict[str, Any]) -> Iterator[Envelope]:
        """Row A1; `data` says who the caller is."""
        if found := self._short_calls.receive(record):
            data = data | {"calls": found.calls, "first_at": utc(found.first_ms)}
            yield self._make("repeat_short_calls", found.call_id, found.call_id, found.at_ms, data)

    def _overdue(self, case: CaseChange) -> Envelope:
        """Row A3: the news that was due has not been given."""
        data = {
            "reference": case.reference,
            "kind": case.kind.value,
            "caller": self._pseudonymizer.caller(case.number),
            "opened_at": utc(case.opened_ms),
            "news_due_at": utc(case.news_due_ms),
        }
        return self._make("case_overdue", f"{case.reference}@{case.news_due_ms}", "", case.at_ms, data)

    def _who(self, call: CallRecord) -> dict[str, Any]:
        return {
            "caller": self._pseudonymizer.caller(call.caller_number),
            "trunk": self._pseudonymizer.name(trunk_of(call.channel)),
            "profile": call.profile,
            "screening_id": call.call_id,
        }

    def _who_waited(self, stay: Stay) -> dict[str, Any]:
        return {
            "caller": self._pseudonymizer.caller(stay.caller_number),
            "trunk": self._pseudonymizer.name(stay.trunk),
        }

    # -- rates ----------------------------------------------------------------------------------------------------

    def _trunk(self, call: CallRecord) -> Iterator[Envelope]:
        name = trunk_of(call.channel)
        if not name or call.result in (None, Result.OFF, Result.UNAVAILABLE, Result.OBSERVED):
            return
        trunk = kept(self._trunks, name, _Trunk, NAMES)
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
