"""Row A1: the same caller again and again, each time only for a short while. Pure and bounded."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from callflow.core.call_record import CallRecord
from callflow.core.callbacks.numbers import bare
from callflow.core.rings.records import Offer, Outcome, Stay, TargetType
from callflow.core.screening.states import Result
from callflow.core.service.tallies import SENT_ON, TURNED_AWAY

CALLERS = 50_000
RECENT = 10_000
MAY_GO_ON = (*SENT_ON, *TURNED_AWAY, Outcome.WITHDRAWN, Outcome.REDIRECTED)
"""The caller left the queue without hanging up: the call may go on."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class ShortCallRule:
    """When a caller counts as repeated; `calls` 0: never."""

    shorter_than_ms: int
    calls: int
    window_ms: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """A caller whose short calls have reached the number."""

    number: str
    call_id: str
    """Of the last call."""
    profile: str
    """Of the screening; "" for a call that was not screened."""
    calls: int
    first_ms: int
    at_ms: int
    call_ids: tuple[str, ...] = ()
    """Of all of them."""


@dataclass(slots=True)
class _Call:
    """A call that is under way or has just ended, from the screening or the first queue on."""

    began_ms: int
    profile: str = ""
    short_of: str = ""
    """The caller whose short call this is, as far as known; "" for none."""


class ShortCalls:
    """Give it every ended record, and every version of a stay. `rule_of` gives the rule of a profile."""

    def __init__(self, rule_of: Callable[[str], ShortCallRule]) -> None:
        self._rule_of = rule_of
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._of_caller: OrderedDict[str, tuple[tuple[str, int], ...]] = OrderedDict()
        """Each caller's short calls, with their ends: most callers have one, for which a dict would be large."""
        self._counted: OrderedDict[str, int] = OrderedDict()
        """Up to when the calls of a caller are counted elsewhere, or were before a restart."""

    def receive(self, record: object) -> Repeated | None:
        """The caller whose call, with this record, is one short call too many; then counting begins anew."""
        match record:
            case CallRecord():
                return self._screened(record)
            case Stay():
                return self._stay(record)
            case Offer(target_type=TargetType.LINE):
                self._goes_on(record.call_id, record.began_ms)
        return None

    def begin_anew(self, caller: str, upto_ms: int) -> None:
        """The short calls of this caller that ended up to then are counted already."""
        caller = bare(caller)
        self._counted[caller] = max(upto_ms, kept(self._counted, caller, lambda: upto_ms, CALLERS))
        self._keep(caller, (one for one in self._of_caller.get(caller, ()) if one[1] > upto_ms))

    def _screened(self, call: CallRecord) -> Repeated | None:
        """A call that ended in the screening; one that went on is counted by its stays in queues."""
        self._goes_on(call.uniqueid, call.arrived_ms).profile = call.profile
        if call.ended_ms is not None and call.result in (Result.HANGUP, Result.SILENT, Result.QUIET):
            return self._ended(call.caller_number, call.uniqueid, call.ended_ms)
        return None

    def _stay(self, stay: Stay) -> Repeated | None:
        self._goes_on(stay.call_id, stay.joined_ms)
        ended = stay.outcome is not None and stay.outcome not in MAY_GO_ON and not stay.partial
        end_ms = stay.left_ms if stay.talk_end_ms is None else stay.talk_end_ms
        return self._ended(stay.caller_number, stay.call_id, end_ms) if ended and end_ms is not None else None

    def _goes_on(self, call_id: str, at_ms: int) -> _Call:
        """Part of a call that began then. A part that ended before was not the whole call."""
        call = kept(self._calls, call_id, lambda: _Call(at_ms), RECENT)
        call.began_ms = min(call.began_ms, at_ms)
        if call.short_of:
            self._keep(call.short_of, (one for one in self._of_caller.get(call.short_of, ()) if one[0] != call_id))
        return call

    def _ended(self, caller: str, call_id: str, end_ms: int) -> Repeated | None:
        call = self._calls[call_id]
        rule = self._rule_of(call.profile)
        if not caller or not rule.calls or end_ms - call.began_ms >= rule.shorter_than_ms:
            return None
        of = bare(caller)
        if end_ms <= self._counted.get(of, 0):
            return None
        call.short_of = of
        calls = {**dict(self._of_caller.pop(of, ())), call_id: end_ms}
        calls = {known: at_ms for known, at_ms in calls.items() if at_ms > end_ms - rule.window_ms}
        if len(calls) < rule.calls:
            self._keep(of, calls.items())
            return None
        return Repeated(caller, call_id, call.profile, len(calls), min(calls.values()), end_ms, tuple(calls))

    def _keep(self, caller: str, calls: Iterable[tuple[str, int]]) -> None:
        """The short calls of a caller as they are now; nothing is kept of one without any."""
        if left := tuple(calls):
            kept(self._of_caller, caller, tuple, CALLERS)
            self._of_caller[caller] = left
        else:
            self._of_caller.pop(caller, None)


def kept(entries: OrderedDict[str, Entry], name: str, make: Callable[[], Entry], most: int) -> Entry:
    """The entry of `name`, made if there is none; of more than `most` entries the longest unused is dropped."""
    if name not in entries:
        entries[name] = make()
    entries.move_to_end(name)
    if len(entries) > most:
        entries.popitem(last=False)
    return entries[name]
