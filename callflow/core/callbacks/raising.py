"""Which records put a caller on the call-back list: rows A1 and A2."""

from dataclasses import dataclass
from functools import partial

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.call_record import CallRecord
from callflow.core.callbacks.entry import CALLFLOW, Reason
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.screening.states import Result
from callflow.core.short_calls import ShortCallRule, ShortCalls

_REASONS = {Result.SILENT: Reason.SILENT, Result.QUIET: Reason.QUIET}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A caller to be called back, and since when that is known."""

    number: str
    profile: str
    reason: Reason
    at_ms: int
    why: str
    actor: str = CALLFLOW
    queue: str = ""
    place: int = 0
    reference: str = ""
    note: str = ""
    due_ms: int | None = None
    """None: as the profile says."""
    zone: str = ""
    """"" for the profile's."""
    spoken_name: str = ""


class Raising:
    """Give it every record that has ended, and every version of a stay."""

    def __init__(self, rules: CallbackRules) -> None:
        self._rules = rules
        self._short_calls = ShortCalls(partial(short_call_rule, rules))

    def begin_anew(self, number: str, upto_ms: int) -> None:
        """The short calls of this caller that ended up to then are counted: over all nodes, or before a restart."""
        self._short_calls.begin_anew(number, upto_ms)

    def receive(self, record: object, final: bool) -> list[Wanted]:
        """Who is to be called back because of this record."""
        wanted = []
        if isinstance(record, CallRecord):
            if not final:
                return []
            wanted = self._hung_up_on(record)
        elif isinstance(record, AssistStep):
            wanted = self._in_talk(record)
        if repeated := self._short_calls.receive(record):
            why = f"{repeated.calls} short calls, the last at {repeated.call_id}"
            wanted.append(Wanted(repeated.number, repeated.profile, Reason.REPEATED, repeated.at_ms, why))
        return wanted

    def _hung_up_on(self, call: CallRecord) -> list[Wanted]:
        reason = _REASONS.get(call.result) if call.result else None
        if reason is None or not call.caller_number or not self._rules.profile(call.profile).after_hang_up:
            return []
        at_ms = call.arrived_ms if call.ended_ms is None else call.ended_ms
        why = f"call {call.call_id} was hung up on as {reason.value}"
        return [Wanted(call.caller_number, call.profile, reason, at_ms, why)]

    def _in_talk(self, step: AssistStep) -> list[Wanted]:
        """A caller who accepted an offer on hold or said a name, whom the agent wants called, or who was hung up on."""
        if not step.caller_number:
            return []
        number, profile = step.caller_number, step.profile
        if step.kind is StepKind.CALLBACK_ACCEPTED:
            why = f"the caller accepted a call-back in call {step.call_id}"
            return [Wanted(number, profile, Reason.OFFER, step.at_ms, why, queue=step.queue)]
        if step.kind is StepKind.NAME_RECORDED:
            at_ms = step.at_ms - (step.lasted_ms or 0)
            why = f"the caller has said a name in call {step.call_id}"
            return [Wanted(number, profile, Reason.OFFER, at_ms, why, queue=step.queue, spoken_name=step.what)]
        if step.kind is StepKind.CALLBACK_ASKED:
            why = f"agent {step.agent} asked for a call-back in call {step.call_id}"
            return [Wanted(number, profile, Reason.OFFER, step.at_ms, why, queue=step.queue)]
        if step.kind is StepKind.HUNG_UP and self._rules.profile(profile).after_hang_up:
            why = f"call {step.call_id} was hung up on as silent at an agent"
            return [Wanted(number, profile, Reason.SILENT, step.at_ms, why, queue=step.queue)]
        return []


def short_call_rule(rules: CallbackRules, profile: str) -> ShortCallRule:
    """Row A1 for the callers of a profile."""
    found = rules.profile(profile)
    return ShortCallRule(round(1000 * found.short_call_s), found.short_calls, round(3_600_000 * found.window_h))
