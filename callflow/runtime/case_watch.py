"""Open cases in the daemon: reminders, alarms, and what is published of them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from callflow.adapters.store.case_list import CaseList
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CALLFLOW, CallbackChange, Entry, Reason
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.numbers import caller_of
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import State
from callflow.core.cases import HOUR_MS, Case, CaseClosed, CaseStep, due_step
from callflow.errors import CallflowError

REMIND_MS = HOUR_MS
"""A reminder goes out so long before the news is due, so that there is time to call; at most half of `case_news_h`."""
OVERDUE_MS = 0

log = structlog.get_logger()


class CaseWatch:
    """Asked by the desk at every look; `add` puts a caller on the call-back list, `attempts` has those of an entry."""

    def __init__(
        self,
        cases: CaseList,
        rules: CallbackRules,
        add: Callable[[Wanted], Awaitable[Entry]],
        attempts: Callable[[str], list[Attempt]],
    ) -> None:
        self.open: tuple[Case, ...] = ()
        """Every open case, as the last look found it; the one whose news is due first comes first."""
        self._cases = cases
        self._rules = rules
        self._add = add
        self._attempts = attempts
        self._remind_ms: dict[tuple[str, int], int] = {}
        """By reference and revision: how long before the news is due."""
        self._now_ms = 0

    async def look(self, now_ms: int, *, changed: bool) -> None:
        """Remind of what is due, and raise an alarm over what is late. Raises StoreError.

        `changed`: cases may be others than the last look found.
        """
        self._now_ms = now_ms
        if changed:
            self.open = tuple(await asyncio.to_thread(self._cases.open))
            known = self._remind_ms
            self._remind_ms = {_key(case): known.get(_key(case)) or self._remind_before(case) for case in self.open}
        for case in self.open:
            match due_step(case, now_ms, self._remind_ms[_key(case)], OVERDUE_MS):
                case CaseStep.REMINDED:
                    await self._remind(case, now_ms)
                case CaseStep.OVERDUE:
                    await self._take(case.reference, lambda now: now.overdue(now_ms, CALLFLOW))
                    log.warning("a case is without the news that was due", case=case.reference)

    def _remind_before(self, case: Case) -> int:
        """How long before its news is due the reminder of a case goes out, so that its caller can be called in time.

        If that is outside the calling hours, the last of them before count, but none right after the last news.
        """
        usual_ms = min(REMIND_MS, round(HOUR_MS * self._rules.case_news_h / 2))
        profile, due_ms = self._rules.profile(case.profile), case.news_due_ms
        try:
            hours, zone = profile.calling_hours(), case.zone or profile.zone
            if not case.number or hours.next_allowed(due_ms - usual_ms, zone) < due_ms:
                return usual_ms
            from_ms, to_ms = hours.last_before(due_ms - usual_ms, zone)
        except UnknownHours:
            return usual_ms
        remind_at_ms = max(from_ms, to_ms - usual_ms, case.changed_ms + usual_ms)
        return due_ms - remind_at_ms if remind_at_ms < to_ms else usual_ms

    async def settled(self, change: CallbackChange) -> None:
        """An entry was settled: if its own call reached the caller of a case, they have had news. Raises StoreError.

        A person's word that it is settled is no news, and neither is another call with the caller.
        """
        settled = change.state is State.DONE and change.before != change.state
        if not settled or Reason.CASE.value not in change.reasons or not change.attempt_id:
            return
        attempts = await asyncio.to_thread(self._attempts, change.callback_id)
        if not any(one.attempt_id == change.attempt_id and one.reached_ms is not None for one in attempts):
            return
        caller = caller_of(change.number)
        for case in self.open:
            if caller_of(case.number) == caller and case.reminded_ms is not None and change.at_ms >= case.reminded_ms:
                next_ms = change.at_ms + round(HOUR_MS * self._rules.case_news_h)
                told = partial(Case.told, at_ms=change.at_ms, actor=CALLFLOW, news="called back", next_ms=next_ms)
                await self._take(case.reference, told)

    def is_of(self, number: str) -> bool:
        """An open case, as the last look found them, is this caller's."""
        return any(caller_of(case.number) == caller_of(number) for case in self.open)

    @property
    def counts(self) -> dict[str, int]:
        """Open cases, and those of them that are late."""
        late = sum(case.news_due_ms + OVERDUE_MS <= self._now_ms for case in self.open)
        return {"open": len(self.open), "overdue": late}

    async def _remind(self, case: Case, now_ms: int) -> None:
        """The caller is on the list before the reminder counts as given."""
        if case.number:
            why = f"news of case {case.reference} is due"
            wanted = Wanted(
                case.number,
                case.profile,
                Reason.CASE,
                now_ms,
                why,
                reference=case.reference,
                due_ms=now_ms,
                zone=case.zone,
            )
            try:
                await self._add(wanted)
            except (CallflowError, ValueError) as error:
                log.warning("a case's caller cannot be called back", case=case.reference, reason=str(error))
        await self._take(case.reference, lambda now: now.reminded(now_ms, CALLFLOW))
        log.info("news of a case is due", case=case.reference)

    async def _take(self, reference: str, make: Callable[[Case], Case]) -> None:
        with suppress(CaseClosed):
            await asyncio.to_thread(self._cases.change, reference, make)


def _key(case: Case) -> tuple[str, int]:
    return case.reference, case.revision
