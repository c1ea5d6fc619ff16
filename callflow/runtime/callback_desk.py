"""The call-back list in the daemon: puts callers on it, closes answered ones, publishes what changed.

A record is seen before it is on the disk, and an entry is saved after it. What a crash loses between the two is found
again at the next start, in the records of the last days.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import NoSuchCallback
from callflow.adapters.store.case_list import CaseList
from callflow.adapters.store.recent_records import recent_records
from callflow.adapters.store.unpublished import MOST, News, Unpublished
from callflow.core.callbacks.answered import AnsweredCalls
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CALLFLOW, CallbackChange, Entry, Reason, claim_of, waits_since
from callflow.core.callbacks.live_entries import LiveEntries
from callflow.core.callbacks.numbers import bare, caller_of, dialable
from callflow.core.callbacks.raising import Raising, Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import WAITING, IllegalStep, State, Step
from callflow.core.cases import CaseChange
from callflow.errors import CallflowError, StoreError
from callflow.runtime.case_watch import CaseWatch

PERIOD_S = 0.5
REREAD_MS = 10_000
"""Every step leaves its change behind, and only changed entries are read; all of them so often, for what was erased."""
AT_ONCE = 50
"""Callers put on the list in one transaction: the writer of records waits for it."""
ROOM = 10_000
HOUR_MS = 3_600_000

T = TypeVar("T")

log = structlog.get_logger()


class Recorder(Protocol):
    """Counts, publishes and saves a record; no method raises."""

    def save(self, record: Any, final: bool) -> None: ...
    async def flush(self, timeout_s: float) -> bool: ...


class CallbackDesk:
    """Give it every record by `follow`, and every bridge that somebody enters by `bridge_entered`."""

    def __init__(
        self,
        rules: CallbackRules,
        path: Path,
        node: str,
        recorder: Recorder,
        now_ms: Callable[[], int],
    ) -> None:
        self.rules = rules
        self.list = CallbackList(path, node)
        self.counts: Counter[str] = Counter()
        self.on_look: list[Callable[[], Any]] = []
        """Called after every look at the list."""
        self._entries = LiveEntries()
        self._read_ms: int | None = None
        """When the whole list was read."""
        self._unpublished = Unpublished(path, node)
        self._news = News()
        self._path, self._node = path, node
        self._recorder = recorder
        self._now_ms = now_ms
        self._raising = Raising(rules)
        self._answered = AnsweredCalls()
        self._wanted: deque[Wanted] = deque()
        self._answers: dict[str, int] = {}
        """Numbers with whom a call was just answered, and when."""
        self._steps: dict[tuple[str, int], list[CallbackChange]] = {}
        """All steps of the entries that may lapse, by id and revision."""
        self._published: set[tuple[str, str, int]] = set()
        self._sooner = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.cases = CaseWatch(CaseList(path, node), rules, self.add_now, self.list.attempts)
        self._early: list[tuple[Any, bool]] | None = []
        """Records that came before the earlier ones were read; None afterwards."""
        self._early_counted: list[tuple[str, int]] = []

    @property
    def live(self) -> tuple[Entry, ...]:
        """Every live entry, as the last look found it; the one that is due first comes first."""
        return self._entries.by_due

    def start(self) -> None:
        """Begin to work; returns at once."""
        if self.rules.enabled:
            self._task = asyncio.create_task(self._run(), name="call-backs")

    async def stop(self) -> None:
        """Save what is known, and end."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        try:
            await self._save_wanted()
            await self._read()
            await self._close_answered()
            await self._publish()
        except CallflowError as error:
            log.warning("the call-back list could not be saved to the end", reason=error.problem)

    def follow(self, record: Any, final: bool) -> None:
        """A record is being saved."""
        if not self.rules.enabled:
            return
        if self._early is not None:
            if len(self._early) < ROOM:
                self._early.append((record, final))
            return
        for wanted in self._raising.receive(record, final):
            self.want(wanted)

    def want(self, wanted: Wanted) -> None:
        """Put a caller on the list within half a second."""
        wanted = replace(wanted, number=bare(wanted.number))
        if not wanted.number:
            return
        if len(self._wanted) >= ROOM:
            self.counts["dropped"] += 1
            return
        self._wanted.append(wanted)

    async def add_now(self, wanted: Wanted) -> Entry:
        """Put a caller on the list; on the disk when this returns. Raises UndialableNumber or StoreError."""
        wanted = replace(wanted, number=dialable(wanted.number, self.rules.dialable, self.rules.refused))
        entry, _ = await asyncio.to_thread(self.list.add, wanted, self.rules, self._now_ms())
        self.look_soon()
        return entry

    async def add_counted(self, wanted: Wanted) -> tuple[Entry, bool]:
        """Put a caller on the list whose short calls were counted elsewhere; the entry, and whether it is new."""
        entry, new = await asyncio.to_thread(self.list.add, wanted, self.rules, self._now_ms())
        self._forget_short_calls(wanted.number, wanted.at_ms)
        self.counts["raised"] += new
        self.look_soon()
        return entry, new

    async def begin_anew(self, number: str, upto_ms: int) -> None:
        """The short calls of this caller that ended up to then were counted elsewhere. Raises StoreError."""
        await asyncio.to_thread(self.list.note_counted, bare(number), upto_ms)
        self._forget_short_calls(number, upto_ms)

    def _forget_short_calls(self, number: str, upto_ms: int) -> None:
        self._raising.begin_anew(number, upto_ms)
        if self._early is not None:
            self._early_counted.append((number, upto_ms))

    def bridge_entered(self, event: dict[str, str]) -> None:
        """Somebody came into a bridge: a call with a caller on the list may have been answered."""
        if self.live and (number := self._answered.entered(event, self._entries.numbers)) is not None:
            self.answered(number, self._now_ms())

    def answered(self, number: str, at_ms: int) -> None:
        """A call with the caller was answered: that settles every entry of theirs that was raised before."""
        caller = caller_of(number)
        self._answers[caller] = max(at_ms, self._answers.get(caller, at_ms))
        self.look_soon()

    def own_call(self, attempt_id: str) -> None:
        """A call-back of ours: whether it reached the caller is its attempt's to say."""
        self._answered.own_call(attempt_id)

    def look_soon(self) -> None:
        """Look at the list now instead of in half a second."""
        self._sooner.set()

    # -- the work -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._again_and_again(self._catch_up, once=True)
        await self._again_and_again(self._look)

    async def _again_and_again(self, work: Callable[[], Any], *, once: bool = False) -> None:
        """Until it succeeds, or for ever; a failure is logged once and tried again."""
        failing = False
        while True:
            try:
                await work()
                failing = False
                if once:
                    return
            except CallflowError as error:
                say = log.debug if failing else log.warning
                say("the call-back list cannot be read or written; tried again", reason=error.problem)
                failing = True
            except Exception as error:
                self.counts[type(error).__name__] += 1
                if not failing:
                    log.exception("the call-back list failed; it is tried again")
                failing = True
            await self._pause(PERIOD_S if not failing else 2 * PERIOD_S)

    async def _pause(self, for_s: float) -> None:
        try:
            async with asyncio.timeout(for_s):
                await self._sooner.wait()
        except TimeoutError:
            pass
        self._sooner.clear()

    async def _look(self) -> None:
        """One round: what is wanted, what has changed, what was answered, what has lapsed, what is to be published."""
        await self._save_wanted()
        whole = await self._read()
        await self._close_answered()
        await self.cases.look(self._now_ms(), changed=whole or bool(self._news.case_steps))
        if whole:
            await self._lapse()
        await self._publish()
        for call in self.on_look:
            call()

    async def _read(self) -> bool:
        """Read what has changed, and the whole list when it is due; True if it was."""
        now_ms = self._now_ms()
        self._news = await asyncio.to_thread(self._unpublished.read)
        if self._read_ms is not None and 0 <= now_ms - self._read_ms < REREAD_MS:
            self._entries.update(self._news.entries)
            return False
        self._entries = LiveEntries(await asyncio.to_thread(self.list.live))
        self._read_ms = now_ms
        return True

    async def _catch_up(self) -> None:
        """Read what callers did before the start, so that nobody is forgotten and short calls go on counting."""
        await asyncio.to_thread(self.list.prepare)
        hours = max((profile.window_h for profile in self.rules.profiles.values()), default=24.0)
        now_ms = self._now_ms()
        since_ms = now_ms - round(HOUR_MS * (max(24.0, hours) + 1))  # a call of the window may have begun before it
        raising, found = Raising(self.rules), list[Wanted]()
        for number, upto_ms in await asyncio.to_thread(self.list.counted, since_ms, now_ms):
            raising.begin_anew(number, upto_ms)
        async for records in _pages(self._path, self._node, since_ms):
            for record in records:
                found += raising.receive(record, True)
        early, self._early = self._early or [], None
        self._raising = raising
        for number, upto_ms in self._early_counted:
            raising.begin_anew(number, upto_ms)
        self._early_counted.clear()
        for wanted in _with_newest_names(found):
            self.want(wanted)
        for record, final in early:
            self.follow(record, final)

    async def _save_wanted(self) -> None:
        while some := list(islice(self._wanted, AT_ONCE)):
            saved = await asyncio.to_thread(self.list.add_all, some, self.rules, self._now_ms())
            for wanted, (entry, new) in zip(some, saved, strict=True):
                self._wanted.popleft()
                if new:
                    self.counts["raised"] += 1
                    log.info("call-back raised", callback=entry.callback_id, reason=wanted.reason.value, why=wanted.why)

    async def _close_answered(self) -> None:
        while self._answers:
            number, at_ms = next(iter(self._answers.items()))
            for entry in self.live:
                if caller_of(entry.number) == number and entry.raised_ms <= at_ms:
                    await self.step(entry, Step.ANSWER, "a call with the caller was answered")
            if self._answers[number] == at_ms:  # else it was answered again while these were saved
                del self._answers[number]

    async def step(self, entry: Entry, step: Step, why: str, **changes: Any) -> None:
        """Take a step, unless somebody else was first; the next look follows at once."""
        now_ms = self._now_ms()
        try:
            await asyncio.to_thread(
                self.list.change, entry.callback_id, lambda now: now.step(step, now_ms, CALLFLOW, why, **changes)
            )
        except (IllegalStep, NoSuchCallback) as error:
            log.debug("somebody else was first", callback=entry.callback_id, reason=str(error))
        self.look_soon()

    async def _lapse(self) -> None:
        """Claims that were forgotten, entries that have waited too long, and those whose case is closed."""
        now_ms = self._now_ms()
        steps: dict[tuple[str, int], list[CallbackChange]] = {}
        for entry in self.live:
            give_up_h = self.rules.profile(entry.profile).give_up_h
            old = entry.state in WAITING and now_ms - entry.raised_ms >= HOUR_MS * give_up_h
            if old or entry.state is State.CLAIMED:
                key = (entry.callback_id, entry.revision)
                known = self._steps.get(key)
                if known is None:
                    known = await asyncio.to_thread(self.list.changes, entry.callback_id)
                steps[key] = known
                await self._lapse_after(entry, known, now_ms, give_up_h)
            if entry.state in WAITING and entry.reasons == (Reason.CASE.value,) and not self.cases.is_of(entry.number):
                await self.step(entry, Step.GIVE_UP, "the case is closed")
        self._steps = steps

    async def _lapse_after(self, entry: Entry, steps: list[CallbackChange], now_ms: int, give_up_h: float) -> None:
        if entry.state is State.CLAIMED:
            claim = claim_of(steps)
            at_ms, who = (claim.at_ms, claim.actor) if claim else (entry.changed_ms, entry.actor)
            if now_ms - at_ms >= 60_000 * self.rules.claim_min:
                await self.step(entry, Step.RELEASE, f"the claim of {who} has lapsed")
        elif now_ms - (waits_since(steps) if steps else entry.due_ms) >= HOUR_MS * give_up_h:
            await self.step(entry, Step.GIVE_UP, f"not reached within {give_up_h:g} hours")

    async def _publish(self) -> None:
        """Count and publish changes, whoever made them, and ended attempts; each once in this life of the daemon."""
        named: list[tuple[tuple[str, str, int], CallbackChange | CaseChange | Attempt]] = [
            *((("call-back", step.callback_id, step.revision), step) for step in self._news.steps),
            *((("case", step.reference, step.revision), step) for step in self._news.case_steps),
            *((("attempt", attempt.attempt_id, 1), attempt) for attempt in self._news.attempts),
        ]
        self._published &= {key for key, _ in named}
        for key, record in named:
            if key not in self._published:
                self._published.add(key)
                self._recorder.save(record, True)
                if isinstance(record, CallbackChange):
                    await self.cases.settled(record)
        if named:
            await self._recorder.flush(5.0)
        if len(named) >= MOST:
            self.look_soon()

    def by_state(self) -> dict[str, int]:
        """How many live entries are in each state."""
        found = self._entries.by_state
        return {state.value: found[state] for state in State if state not in (State.DONE, State.GIVEN_UP)}


def _with_newest_names(found: list[Wanted]) -> Iterator[Wanted]:
    """A caller who has said several names is known by the last: an older one must not replace it."""
    newest = {bare(wanted.number): wanted.spoken_name for wanted in found if wanted.spoken_name}
    for wanted in found:
        yield replace(wanted, spoken_name=newest[bare(wanted.number)]) if wanted.spoken_name else wanted


async def _pages(path: Path, node: str, since_ms: int) -> Any:
    """Records since then in the order in which they ended, some hundred at a time, so that nobody waits for it."""
    try:
        pages: Iterator[list[Any]] = await asyncio.to_thread(recent_records, path, node, since_ms)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            yield page
    except StoreError as error:
        log.warning("earlier calls cannot be read; short calls are counted from now on", reason=error.problem)
