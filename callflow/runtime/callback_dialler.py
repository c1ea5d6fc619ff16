"""Carries out call-backs: one running attempt each, whose commands go to Asterisk and to the database."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import uuid4

import structlog

from callflow.adapters.ami.callback_actions import AGENT_CONTEXT, CUSTOMER_CONTEXT, CallToPlace
from callflow.adapters.ami.translate_callbacks import signal_of
from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import CALLER_NOT_REACHED, WORDS, Attempt, Outcome, step_of
from callflow.core.callbacks.dialling import Dialling
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.look import Look, Plan
from callflow.core.callbacks.pacing import agents_for
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.signals import Command, Signal
from callflow.core.callbacks.states import WAITING, IllegalStep, Step
from callflow.errors import ActionRefused, ActionUnsafe, CallflowError, LinkError, StoreError
from callflow.runtime.callback_desk import ACTOR, CallbackDesk

SAVE_AGAIN_S = 0.5
RELEASE_AGAIN_S = 1.0
WISH_MS = 15_000
"""An older wish is not carried out: who wished has stopped waiting."""
BUSY_AGAIN_MS = 30_000
PACE_MS = 1_000
AT_ONCE = 50

log = structlog.get_logger()


class Phone(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def look(self, now_ms: int) -> Look: ...
    async def pause(self, queue: str, interface: str, paused: bool) -> None: ...
    async def place(self, call: CallToPlace) -> None: ...
    async def channel_exists(self, uniqueid: str) -> bool: ...


class CallbackDialler:
    """Looks at the desk's entries after each of its rounds, and takes AMI events by `ami_event`."""

    def __init__(
        self,
        desk: CallbackDesk,
        phone: Phone,
        prompt_path: Callable[[str, str], str],
        now_ms: Callable[[], int],
        new_id: Callable[[], str] = lambda: f"cb-{uuid4().hex[:16]}",
    ) -> None:
        """`prompt_path(language, prompt)` is a prompt's path below Asterisk's sounds folder."""
        self._desk = desk
        self._phone = phone
        self._prompt_path = prompt_path
        self._now_ms = now_ms
        self._new_id = new_id
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._link_up = False
        self._resumed = False
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
            running.carry_out(running.dialling.receive(signal, self._now_ms()))

    # -- what begins ----------------------------------------------------------------------------------------------

    def _looked(self) -> None:
        """The desk has looked at its list."""
        if not self._resumed:
            self._resumed = True
            self._spawn(self._resume())
            return
        now_ms = self._now_ms()
        busy = {running.entry.callback_id for running in self._running.values()}
        for entry in self._desk.live:
            if entry.wish and entry.callback_id not in busy:
                self._wished(entry, now_ms)
        paced = self._desk.rules.auto and self._link_up and now_ms - self._paced_ms >= PACE_MS
        if paced and (self._pacing is None or self._pacing.done()):
            self._paced_ms = now_ms
            self._pacing = self._spawn(self._pace())

    def _wished(self, entry: Entry, now_ms: int) -> None:
        if now_ms - entry.changed_ms > WISH_MS:
            self._spawn(self._refuse(entry, "the daemon could not begin in time"))
        elif not self._link_up:
            self._spawn(self._refuse(entry, "AMI is not connected"))
        elif len(self._running) >= AT_ONCE:
            self._spawn(self._refuse(entry, f"{AT_ONCE} call-backs are under way"))
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
            look = await self._phone.look(now_ms)
        except LinkError as error:
            log.debug("no look at the agents", reason=str(error))
            return
        taken = frozenset(running.dialling.attempt.agent for running in self._running.values())
        rested_before_ms = now_ms - 1000 * self._desk.rules.agent_rest_s
        for entry, member in agents_for(due, look, taken, rested_before_ms):
            if len(self._running) < AT_ONCE:
                self._begin(entry, member.agent, member.interface, ACTOR, automatic=True)

    def _begin(self, entry: Entry, agent: str, interface: str, actor: str, *, automatic: bool) -> None:
        now_ms, rules = self._now_ms(), self._desk.rules
        try:
            number = may_dial(entry, rules, now_ms)
        except NotAllowed as error:
            self._spawn(self._not_allowed(entry, error, automatic))
            return
        attempt = Attempt(self._new_id(), entry.callback_id, agent, interface, actor, rules.first, now_ms)
        plan = Plan(number, agent, automatic, entry.raised_ms, bool(entry.place))
        self._run(entry, Dialling(attempt, plan, self._ring_ms()), number)
        self._running[attempt.attempt_id].begin()

    def _run(self, entry: Entry, dialling: Dialling, number: str) -> None:
        self._desk.own_call(dialling.attempt.attempt_id)
        self._running[dialling.attempt.attempt_id] = _Running(self, entry, dialling, number)

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
            return now.changed(now_ms, ACTOR, why, wish="", **changes) if now.revision == entry.revision else now

        try:
            await asyncio.to_thread(self._desk.list.change, entry.callback_id, noted)
        except CallflowError as error:
            log.warning("a call-back could not be changed", callback=entry.callback_id, reason=error.problem)

    # -- after a start --------------------------------------------------------------------------------------------

    async def _resume(self) -> None:
        """Take up the attempts that an earlier life has left open."""
        try:
            left = await asyncio.to_thread(self._desk.list.open_attempts)
            for attempt in left:
                entry = await asyncio.to_thread(self._desk.list.find, attempt.callback_id)
                if attempt.ended_ms is not None:
                    self._spawn(self._release(attempt))
                    continue
                plan = Plan(entry.number, attempt.agent, False, entry.raised_ms, bool(entry.place))
                self._run(entry, Dialling(attempt, plan, self._ring_ms()), entry.number)
                running = self._running[attempt.attempt_id]
                log.warning("a call-back was under way when callflow ended", callback=attempt.callback_id)
                running.carry_out(running.dialling.resume(self._now_ms(), self._link_up))
        except CallflowError as error:
            self._resumed = False
            log.warning("earlier call-backs cannot be read; tried again", reason=error.problem)

    # -- the work of commands -------------------------------------------------------------------------------------

    async def look(self, attempt_id: str) -> None:
        try:
            look = await self._phone.look(self._now_ms())
        except LinkError as error:
            self.tell(attempt_id, signals.Failed(str(error)))
            return
        self.tell(attempt_id, signals.Looked(look))

    async def save_claim(self, attempt: Attempt) -> None:
        """An automatic call only takes what waits and is due; any other one carries out the wish for it."""
        now_ms, automatic = self._now_ms(), self._running[attempt.attempt_id].dialling.automatic
        why = f"{attempt.actor} calls for agent {attempt.agent}"

        def claimed(now: Entry) -> Entry:
            waits = now.state in WAITING and not now.wish and now.due_ms <= now_ms
            if not (waits if automatic else now.wish):
                raise IllegalStep(now.state, Step.DIAL)
            return now.step(Step.DIAL, now_ms, attempt.actor, why, attempt_id=attempt.attempt_id)

        try:
            await asyncio.to_thread(self._desk.list.begin_attempt, attempt, claimed)
        except (CallflowError, IllegalStep) as error:
            self.drop(attempt.attempt_id)
            log.info("call-back not begun", callback=attempt.callback_id, reason=str(error))
            return
        self.tell(attempt.attempt_id, signals.Saved())

    async def pause(self, attempt: Attempt) -> None:
        try:
            for queue in attempt.paused_in:
                await self._phone.pause(queue, attempt.interface, True)
        except LinkError as error:
            self.tell(attempt.attempt_id, signals.Failed(str(error)))
        else:
            self.tell(attempt.attempt_id, signals.Paused())

    async def save_placing(self, attempt: Attempt) -> None:
        try:
            await asyncio.to_thread(self._desk.list.save_attempt, attempt)
        except StoreError as error:
            self.tell(attempt.attempt_id, signals.Failed(error.problem))
        else:
            self.tell(attempt.attempt_id, signals.Saved())

    async def place(self, attempt: Attempt, entry: Entry, number: str) -> None:
        log.info("call-back placed", callback=entry.callback_id, agent=attempt.agent, first=attempt.first)
        try:
            await self._phone.place(self.call_of(attempt, entry, number))
        except (ActionRefused, ActionUnsafe) as error:
            self.tell(attempt.attempt_id, signals.OriginateRefused(str(error)))
        except LinkError:
            self.tell(attempt.attempt_id, signals.OriginateUnanswered())
        else:
            self.tell(attempt.attempt_id, signals.OriginateTaken())

    async def ask(self, attempt_id: str) -> None:
        try:
            found = await self._phone.channel_exists(attempt_id)
        except LinkError:
            return  # LinkLost follows, or the attempt asks again
        self.tell(attempt_id, signals.ChannelFound() if found else signals.ChannelGone())

    async def save_reached(self, attempt: Attempt) -> None:
        now_ms, why = self._now_ms(), f"reached by agent {attempt.agent}"
        await self._save(
            attempt,
            lambda now: now.step(Step.REACH, now_ms, ACTOR, why, attempts=now.attempts + 1),
        )

    async def save_end(self, attempt: Attempt) -> None:
        """Save the outcome, then release the agent."""
        outcome = attempt.outcome or Outcome.UNKNOWN
        self.outcomes[outcome.value] = self.outcomes.get(outcome.value, 0) + 1
        now_ms = self._now_ms()
        await self._save(attempt, lambda now: self._after(now, attempt, outcome, now_ms))
        log.info("call-back ended", callback=attempt.callback_id, outcome=outcome.value, cause=attempt.cause)
        self.drop(attempt.attempt_id)
        self._desk.look_soon()
        await self._release(attempt)

    def _after(self, entry: Entry, attempt: Attempt, outcome: Outcome, now_ms: int) -> Entry:
        """The step of an entry when its attempt has ended."""
        profile = self._desk.rules.profile(entry.profile)
        counted = outcome in (*CALLER_NOT_REACHED, Outcome.REACHED, Outcome.UNKNOWN)
        attempts = entry.attempts + counted
        step = step_of(outcome, attempts < profile.attempts)
        if step is Step.UNDIAL:
            wait_ms = BUSY_AGAIN_MS if outcome is Outcome.UNPLACED else 1000 * self._desk.rules.agent_pause_s
        else:
            wait_ms = 1000 * profile.spacing_s
        due_ms = now_ms + wait_ms
        try:
            due_ms = profile.calling_hours().next_allowed(due_ms, entry.zone or profile.zone)
        except UnknownHours:
            log.debug("no hours are known; the entry waits", callback=entry.callback_id)
        why = f"{WORDS[outcome]} (agent {attempt.agent})"
        if outcome is Outcome.UNPLACED:
            why = f"not dialled: {attempt.cause}"
        return entry.step(step, now_ms, ACTOR, why, attempts=attempts, due_ms=due_ms)

    async def _save(self, attempt: Attempt, make: Callable[[Entry], Entry]) -> None:
        """Until it is on the disk."""
        while True:
            try:
                await asyncio.to_thread(self._desk.list.save_attempt, attempt, make)
            except CallflowError as error:
                log.warning("an outcome cannot be saved; tried again", reason=error.problem)
                await asyncio.sleep(SAVE_AGAIN_S)
            else:
                return

    async def _release(self, attempt: Attempt) -> None:
        """Take the agent out of the pause, however long AMI is away."""
        if not attempt.paused_in or attempt.attempt_id in self._releasing:
            return
        self._releasing.add(attempt.attempt_id)
        while True:
            try:
                for queue in attempt.paused_in:
                    await self._phone.pause(queue, attempt.interface, False)
                await asyncio.to_thread(self._desk.list.released, attempt.attempt_id)
                break
            except CallflowError as error:
                log.debug("an agent is still paused for a call-back that has ended", reason=error.problem)
                await asyncio.sleep(RELEASE_AGAIN_S)
        self._releasing.discard(attempt.attempt_id)

    def call_of(self, attempt: Attempt, entry: Entry, number: str) -> CallToPlace:
        """The Originate of an attempt."""
        rules = self._desk.rules
        dial = rules.dial.replace("{number}", number)
        reason = entry.reasons[0] if entry.reasons else Reason.MANUAL.value
        digits = [mark for mark in number if mark.isdigit()][-rules.say_digits :] if rules.say_digits else []
        agent_hears = [f"callback_{reason}", *(f"digit_{digit}" for digit in digits), "callback_accept"]
        confirm = "callback_confirm" if rules.customer_confirms else ""
        agent_first = attempt.first == "agent"
        second = (dial, rules.customer_ring_s) if agent_first else (attempt.interface, rules.agent_ring_s)
        variables = {
            "ID": attempt.attempt_id,
            "DIAL": second[0],
            "RING": str(second[1]),
            "SHOWN": rules.caller_id if agent_first else number,
            "AGENT": self._said(agent_hears),
            "CUSTOMER": self._said([confirm]) if confirm else "",
            "HELLO": self._said(["callback_hello"]),
            "LANGUAGE": rules.language,
        }
        return CallToPlace(
            attempt_id=attempt.attempt_id,
            channel=attempt.interface if agent_first else dial,
            context=AGENT_CONTEXT if agent_first else CUSTOMER_CONTEXT,
            caller_id=f'"Call back" <{number}>' if agent_first else f"<{rules.caller_id}>",
            ring_s=rules.agent_ring_s if agent_first else rules.customer_ring_s,
            variables=tuple((f"CALLFLOW_CB_{name}", value) for name, value in variables.items()),
        )

    def _said(self, prompts: list[str]) -> str:
        """Sound files one after the other, as Read takes them."""
        language = self._desk.rules.language
        return "&".join(name if "/" in name else self._prompt_path(language, name) for name in prompts)

    def drop(self, attempt_id: str) -> None:
        """An attempt has ended."""
        if (running := self._running.pop(attempt_id, None)) is not None:
            running.disarm()

    def now_ms(self) -> int:
        return self._now_ms()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(work)

    def refuse(self, entry: Entry, why: str, automatic: bool) -> None:
        """An attempt found something in the way before it had claimed its entry."""
        if automatic:
            due_ms = self._now_ms() + BUSY_AGAIN_MS
            self._spawn(self._changed(entry, f"not dialled: {why}", due_ms=due_ms))
        else:
            self._spawn(self._refuse(entry, why))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a call-back's command failed unexpectedly", exc_info=error)


class _Running:
    """One attempt, its timer, and its saves, which keep their order."""

    def __init__(self, dialler: CallbackDialler, entry: Entry, dialling: Dialling, number: str) -> None:
        self.entry, self.dialling = entry, dialling
        self._dialler = dialler
        self._number = number
        self._timer: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()

    def begin(self) -> None:
        self.carry_out(self.dialling.begin(self._dialler.now_ms()))

    def carry_out(self, commands: list[Command]) -> None:
        """Hand every command on, and arm the timer anew."""
        dialler = self._dialler
        for command in commands:
            match command:
                case signals.TakeLook():
                    dialler.spawn(dialler.look(self.dialling.attempt.attempt_id))
                case signals.SaveClaim(attempt):
                    dialler.spawn(self._in_order(dialler.save_claim(attempt)))
                case signals.Pause(attempt):
                    dialler.spawn(dialler.pause(attempt))
                case signals.SavePlacing(attempt):
                    dialler.spawn(self._in_order(dialler.save_placing(attempt)))
                case signals.Place(attempt):
                    dialler.spawn(dialler.place(attempt, self.entry, self._number))
                case signals.AskForChannel(attempt_id):
                    dialler.spawn(dialler.ask(attempt_id))
                case signals.SaveReached(attempt):
                    dialler.spawn(self._in_order(dialler.save_reached(attempt)))
                case signals.SaveEnd(attempt):
                    dialler.spawn(self._in_order(dialler.save_end(attempt)))
        self._arm()
        if self.dialling.ended_unclaimed:
            dialler.drop(self.dialling.attempt.attempt_id)
            dialler.refuse(self.entry, self.dialling.refusal, self.dialling.automatic)

    def disarm(self) -> None:
        """No deadline fires any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.disarm()
        if (due_ms := self.dialling.next_deadline()) is not None:
            wait_s = max(0.001, (due_ms - self._dialler.now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.carry_out(self.dialling.expire(self._dialler.now_ms()))

    async def _in_order(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._saving:
            await work
