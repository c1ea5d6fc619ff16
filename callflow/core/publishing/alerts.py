"""Alerts: things a person should look at, found in the records as they end. Pure, bounded, told once."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from callflow.core.publishing.envelope import Envelope, event_id, utc
from callflow.core.publishing.privacy import Disguise, trunk_of
from callflow.core.publishing.topics import Topics
from callflow.core.record import CallRecord
from callflow.core.rings.record import Measured, Outcome, Stay
from callflow.core.states import Result

DAY_MS = 86_400_000
CALLERS = 50_000
NAMES = 500

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class AlertRules:
    """When to speak up; rates are shares from 0 to 1."""

    short_call_ms: int = 60_000
    """Row A1: a call shorter than this is short."""
    short_calls: int = 5
    """So many short calls of one caller within a day."""
    trunk_window_ms: int = 3_600_000
    trunk_rate_factor: float = 3.0
    """A trunk's share of silent calls, against its own share before."""
    trunk_min_calls: int = 20
    service_target: float = 0.8
    service_window_ms: int = 900_000
    service_min_calls: int = 10


@dataclass(slots=True)
class _Window:
    """Good and bad within a sliding time; `raised_ms` while an alert stands."""

    events: deque[tuple[int, bool]] = field(default_factory=deque)
    bad: int = 0
    raised_ms: int | None = None

    def add(self, at_ms: int, bad: bool, length_ms: int) -> list[bool]:
        """Take one in; returns those that have become too old."""
        self.events.append((at_ms, bad))
        self.bad += bad
        old = []
        while self.events and self.events[0][0] <= at_ms - length_ms:
            _, was_bad = self.events.popleft()
            self.bad -= was_bad
            old.append(was_bad)
        return old

    @property
    def rate(self) -> float:
        """Share of bad ones; 0 for none at all."""
        return self.bad / len(self.events) if self.events else 0.0


@dataclass(slots=True)
class _Trunk:
    """A trunk's last hour, and everything before it as its baseline."""

    window: _Window = field(default_factory=_Window)
    calls: float = 0.0
    silent: float = 0.0

    def grow_old(self, old: list[bool]) -> None:
        """What left the window joins the baseline, which forgets by half every 10,000 calls."""
        for was_silent in old:
            self.calls += 1
            self.silent += was_silent
        if self.calls > 10_000:
            self.calls, self.silent = self.calls / 2, self.silent / 2

    @property
    def baseline(self) -> float:
        """Share of silent calls before the window; one in fifty is assumed until 50 calls say otherwise."""
        return (self.silent + 1) / (self.calls + 50)


class AlertWatch:
    """Looks at every ended record; `receive` returns the alerts it gives rise to."""

    def __init__(
        self,
        rules: AlertRules,
        topics: Topics,
        node: str,
        disguise: Disguise,
        threshold_ms: Callable[[str], int],
    ) -> None:
        self._rules = rules
        self._topics = topics
        self._node = node
        self._disguise = disguise
        self._threshold_ms = threshold_ms
        self._short_calls: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._trunks: OrderedDict[str, _Trunk] = OrderedDict()
        self._queues: OrderedDict[str, _Window] = OrderedDict()

    def receive(self, record: CallRecord | Measured) -> list[Envelope]:
        """The alerts of one ended record, most often none."""
        match record:
            case CallRecord():
                return [*self._call(record), *self._trunk(record), *self._short_call(record)]
            case Stay():
                return [*self._stay(record), *self._short_stay(record)]
        return []

    # -- one call -------------------------------------------------------------------------------------------------

    def _call(self, call: CallRecord) -> Iterator[Envelope]:
        if call.result is Result.SILENT:
            yield self._make("silent_call", call.call_id, call.uniqueid, _end(call), self._who(call))

    def _short_call(self, call: CallRecord) -> Iterator[Envelope]:
        """A call that ended in the screening; one that went on is counted by its stay in a queue."""
        if call.ended_ms is not None and call.result in (Result.HANGUP, Result.SILENT):
            yield from self._short(call.caller_number, call.uniqueid, call.arrived_ms, call.ended_ms, self._who(call))

    def _short_stay(self, stay: Stay) -> Iterator[Envelope]:
        end_ms = stay.left_ms if stay.talk_end_ms is None else stay.talk_end_ms
        if end_ms is not None and not stay.partial:
            data = {"caller": self._disguise.caller(stay.caller_number), "trunk": self._disguise.name(stay.trunk)}
            yield from self._short(stay.caller_number, stay.call_id, stay.joined_ms, end_ms, data)

    def _short(self, caller: str, call_id: str, began_ms: int, end_ms: int, data: dict[str, Any]) -> Iterator[Envelope]:
        """Row A1: the same caller again and again, each time for less than a minute."""
        if not caller or end_ms - began_ms >= self._rules.short_call_ms:
            return
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
            "caller": self._disguise.caller(call.caller_number),
            "trunk": self._disguise.name(trunk_of(call.channel)),
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
        trunk.grow_old(trunk.window.add(at_ms, call.result is Result.SILENT, self._rules.trunk_window_ms))
        limit = trunk.baseline * self._rules.trunk_rate_factor
        data = {
            "trunk": self._disguise.name(name),
            "calls": len(trunk.window.events),
            "silent": trunk.window.bad,
            "rate": round(trunk.window.rate, 4),
            "baseline": round(trunk.baseline, 4),
        }
        enough = len(trunk.window.events) >= self._rules.trunk_min_calls
        yield from self._stand(
            "trunk_silent_rate", name, trunk.window, enough and trunk.window.rate > limit, at_ms, data
        )

    def _stay(self, stay: Stay) -> Iterator[Envelope]:
        """Formula A of the service level, over a sliding window; whoever was turned away counts as not answered."""
        if stay.outcome is None or stay.outcome in (Outcome.SHORT_ABANDON, Outcome.AGENT_DUMP_RETRY):
            return
        window = _kept(self._queues, stay.queue, _Window, NAMES)
        threshold_ms = self._threshold_ms(stay.queue)
        good = stay.outcome is Outcome.ANSWERED and stay.wait_ms is not None and stay.wait_ms <= threshold_ms
        at_ms = stay.joined_ms if stay.left_ms is None else stay.left_ms
        window.add(at_ms, not good, self._rules.service_window_ms)
        data = {
            "queue": self._disguise.name(stay.queue),
            "calls": len(window.events),
            "service_level": round(1 - window.rate, 4),
            "target": self._rules.service_target,
            "threshold_ms": threshold_ms,
        }
        enough = len(window.events) >= self._rules.service_min_calls
        below = enough and 1 - window.rate < self._rules.service_target
        yield from self._stand("service_level", stay.queue, window, below, at_ms, data)

    def _stand(
        self, kind: str, name: str, window: _Window, bad: bool, at_ms: int, data: dict[str, Any]
    ) -> Iterator[Envelope]:
        """Told when it begins (revision 1) and when it is over (revision 2 of the same event)."""
        if bad and window.raised_ms is None:
            window.raised_ms = at_ms
            yield self._make(kind, f"{name}@{at_ms}", "", at_ms, data | {"state": "raised"})
        elif not bad and window.raised_ms is not None:
            subject, window.raised_ms = f"{name}@{window.raised_ms}", None
            yield self._make(kind, subject, "", at_ms, data | {"state": "cleared"}, revision=2)

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
    """The entry of `name`, made if need be; of more than `most` the longest unused goes."""
    if name not in kept:
        kept[name] = make()
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)
    return kept[name]
