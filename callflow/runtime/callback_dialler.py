"""Carries out call-backs: one running attempt each, whose commands go to Asterisk and to the database."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import structlog

from callflow.adapters.ami.translate_callbacks import signal_of
from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.dialling import Dialling
from callflow.core.callbacks.entry import CALLFLOW, Entry
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.look import Plan, UnderWay
from callflow.core.callbacks.numbers import caller_of
from callflow.core.callbacks.pacing import agents_for
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.signals import Signal
from callflow.errors import CallflowError, LinkError
from callflow.runtime.callback_attempt import BUSY_AGAIN_MS, Phone, RunningAttempt
from callflow.runtime.callback_desk import CallbackDesk

RELEASE_AGAIN_S = 1.0
WISH_MS = 15_000
"""An older wish is not carried out: who wished has stopped waiting."""
PACE_MS = 1_000
AT_ONCE = 50

log = structlog.get_logger()


class CallbackDialler:
    """Looks at the desk's entries after each of its rounds, and takes AMI events by `ami_event`."""

    def __init__(
        self,
        desk: CallbackDesk,
        phone: Phone,
        prompt_path: Callable[[str, str], str],
        name_path: Callable[[str], str],
        now_ms: Callable[[], int],
        new_id: Callable[[], str] = lambda: f"cb-{uuid4().hex[:16]}",
    ) -> None:
        """`prompt_path(language, prompt)` and `name_path(spoken_name)` are paths as Asterisk plays them.

        A prompt's is below the sounds folder; a name's is absolute, or "" where there is no file.
        """
        self._desk = desk
        self._phone = phone
        self._prompt_path, self._name_path = prompt_path, name_path
        self._now_ms = now_ms
        self._new_id = new_id
        self._running: dict[str, RunningAttempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._link_up = False
        self._resumed = False
        """What an earlier life has left open is taken up; nothing begins before."""
        self._resuming: asyncio.Task[None] | None = None
        self._pacing: asyncio.Task[None] | None = None
        self._paced_ms = 0
        self._releasing: set[str] = set()
        self.outcomes: dict[str, int] = {}
        desk.on_look.append(self._looked)

    @property
    def live(self) -> int:
        """Attempts under way."""
        return len(self._running)

    async def stop(self) -> None:
        """Leave calls that last to themselves: the next start asks for their channels."""
        for running in self._running.values():
            running.disarm()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what comes in --------------------------------------------------------------------------------------------

    def ami_event(self, event: dict[str, str]) -> None:
        """Take in one AMI event."""
        if self._running and (found := signal_of(event)) is not None and found[0] in self._running:
            self.tell(*found)

    def link_up(self) -> None:
        """Both AMI links stand."""
        self._link_up = True
        for attempt_id in tuple(self._running):
            self.tell(attempt_id, signals.LinkUp())
        self._desk.look_soon()

    def link_lost(self) -> None:
        """AMI is gone."""
        self._link_up = False
        for attempt_id in tuple(self._running):
            self.tell(attempt_id, signals.LinkLost())

    def tell(self, attempt_id: str, signal: Signal) -> None:
        """Tell an attempt that runs; one that has ended hears nothing."""
        if (running := self._running.get(attempt_id)) is not None:
            running.tell(signal)

    # -- what begins ----------------------------------------------------------------------------------------------

    def _looked(self) -> None:
        """The desk has looked at its list."""
        if not self._resumed:
            if self._resuming is None or self._resuming.done():
                self._resuming = self.spawn(self._resume())
            return
        now_ms = self._now_ms()
        busy = {running.entry.callback_id for running in self._running.values()}
        for entry in self._desk.live:
            if entry.wish and entry.callback_id not in busy:
                self._wished(entry, now_ms)
        paced = self._desk.rules.auto and self._link_up and now_ms - self._paced_ms >= PACE_MS
        if paced and (self._pacing is None or self._pacing.done()):
            self._paced_ms = now_ms
            self._pacing = self.spawn(self._pace())

    def _wished(self, entry: Entry, now_ms: int) -> None:
        if now_ms - entry.changed_ms > WISH_MS:
            self.spawn(self._refuse(entry, "the daemon could not begin in time"))
        elif not self._link_up:
            self.spawn(self._refuse(entry, "AMI is not connected"))
        elif len(self._running) >= AT_ONCE:
            self.spawn(self._refuse(entry, f"{AT_ONCE} call-backs are under way"))
        else:
            self._begin(entry, entry.wish, "", entry.actor, automatic=False)

    async def _pace(self) -> None:
        """Place what is due, one call for each agent who is free while nobody waits for them."""
        now_ms = self._now_ms()
        busy = {running.entry.callback_id for running in self._running.values()}
        due = [e for e in self._desk.live if e.due_ms <= now_ms and not e.wish and e.callback_id not in busy]
        if not due:
            return
        try:
            look = await self._phone.look()
        except LinkError as error:
            log.debug("no look at the agents", reason=str(error))
            return
        taken = frozenset(running.dialling.attempt.agent for running in self._running.values())
        rested_before_ms = now_ms - 1000 * self._desk.rules.agent_rest_s
        for entry, member in agents_for(due, look, taken, rested_before_ms):
            if len(self._running) < AT_ONCE:
                self._begin(entry, member.agent, member.interface, CALLFLOW, automatic=True)

    def _begin(self, entry: Entry, agent: str, interface: str, actor: str, *, automatic: bool) -> None:
        now_ms, rules = self._now_ms(), self._desk.rules
        try:
            number = may_dial(entry, rules, now_ms)
        except NotAllowed as error:
            self.spawn(self._not_allowed(entry, error, automatic))
            return
        attempt = Attempt(self._new_id(), entry.callback_id, agent, interface, actor, rules.first, now_ms)
        plan = Plan(number, agent, automatic, entry.raised_ms, bool(entry.place))
        self._run(entry, Dialling(attempt, plan, self._ring_ms()), number)
        self._running[attempt.attempt_id].begin()

    def _run(self, entry: Entry, dialling: Dialling, number: str) -> None:
        self._desk.own_call(dialling.attempt.attempt_id)
        self._running[dialling.attempt.attempt_id] = RunningAttempt(
            dialling, entry, number, self, self._desk, self._phone, self._prompt_path, self._name_path
        )

    def _ring_ms(self) -> int:
        return 1000 * max(self._desk.rules.agent_ring_s, self._desk.rules.customer_ring_s) + 15_000

    async def _not_allowed(self, entry: Entry, error: NotAllowed, automatic: bool) -> None:
        if not automatic:
            await self._refuse(entry, str(error))
            return
        now_ms = self._now_ms()
        profile = self._desk.rules.profile(entry.profile)
        try:
            due_ms = profile.calling_hours().next_allowed(now_ms, entry.zone or profile.zone)
        except UnknownHours:
            due_ms = now_ms
        due_ms = due_ms if due_ms > now_ms else now_ms + 3_600_000
        await self._changed(entry, f"not dialled: {error}", due_ms=due_ms)

    async def _refuse(self, entry: Entry, why: str) -> None:
        log.info("call-back refused", callback=entry.callback_id, reason=why)
        await self._changed(entry, why)

    async def _changed(self, entry: Entry, why: str, **changes: Any) -> None:
        """A note without a step, unless something has happened since."""
        now_ms = self._now_ms()

        def noted(now: Entry) -> Entry:
            return now.changed(now_ms, CALLFLOW, why, wish="", **changes) if now.revision == entry.revision else now

        try:
            await asyncio.to_thread(self._desk.list.change, entry.callback_id, noted)
        except CallflowError as error:
            log.warning("a call-back could not be changed", callback=entry.callback_id, reason=error.problem)

    # -- after a start --------------------------------------------------------------------------------------------

    async def _resume(self) -> None:
        """Take up the attempts that an earlier life has left open: all or, if they cannot be read, none."""
        try:
            left = await asyncio.to_thread(self._left_open)
        except CallflowError as error:
            log.warning("earlier call-backs cannot be read; tried again", reason=error.problem)
            return
        for attempt, entry in left:
            if attempt.reached_ms is not None:
                self._desk.answered(entry.number, attempt.reached_ms)
            if attempt.ended_ms is not None:
                self.spawn(self.release(attempt))
                continue
            plan = Plan(entry.number, attempt.agent, False, entry.raised_ms, bool(entry.place))
            self._run(entry, Dialling(attempt, plan, self._ring_ms()), entry.number)
            log.warning("a call-back was under way when callflow ended", callback=attempt.callback_id)
            self._running[attempt.attempt_id].resume(self._link_up)
        self._resumed = True
        self._desk.look_soon()

    def _left_open(self) -> list[tuple[Attempt, Entry]]:
        attempts = self._desk.list.open_attempts()
        return [(attempt, self._desk.list.find(attempt.callback_id)) for attempt in attempts]

    # -- what attempts ask for ------------------------------------------------------------------------------------

    def count(self, outcome: Outcome) -> None:
        """An attempt has ended so."""
        self.outcomes[outcome.value] = self.outcomes.get(outcome.value, 0) + 1

    async def release(self, attempt: Attempt) -> None:
        """Take the agent out of the pause, however long AMI is away.

        The pause of a call-back has no reason. One that has got a reason meanwhile is the agent's own.
        """
        if not attempt.paused_in or attempt.attempt_id in self._releasing:
            return
        self._releasing.add(attempt.attempt_id)
        while True:
            try:
                places = (await self._phone.look()).of_agent(attempt.interface)
                own = {one.queue for one in places if one.pause_reason}
                for queue in attempt.paused_in:
                    if queue not in own:
                        await self._phone.pause(queue, attempt.interface, False)
                await asyncio.to_thread(self._desk.list.released, attempt.attempt_id)
                break
            except CallflowError as error:
                log.debug("an agent is still paused for a call-back that has ended", reason=error.problem)
                await asyncio.sleep(RELEASE_AGAIN_S)
        self._releasing.discard(attempt.attempt_id)

    def drop(self, attempt_id: str) -> None:
        """An attempt has ended."""
        if (running := self._running.pop(attempt_id, None)) is not None:
            running.end()

    def under_way(self, asking: RunningAttempt) -> UnderWay:
        """Whom all other attempts call."""
        others = [one for one in self._running.values() if one is not asking and one.dialling.calls]
        agents = frozenset[str]().union(*(one.dialling.called_agents for one in others))
        return UnderWay(agents, frozenset(caller_of(one.number) for one in others))

    def now_ms(self) -> int:
        """Epoch ms."""
        return self._now_ms()

    def refuse(self, entry: Entry, why: str, automatic: bool) -> None:
        """An attempt found something in the way before it had claimed its entry."""
        if automatic:
            due_ms = self._now_ms() + BUSY_AGAIN_MS
            self.spawn(self._changed(entry, f"not dialled: {why}", due_ms=due_ms))
        else:
            self.spawn(self._refuse(entry, why))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do this in the background; what it raises is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a call-back's command failed unexpectedly", exc_info=error)
