"""One call-back in progress: carries out the core's commands, and reports the outcomes to the core."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from callflow.adapters.ami.callback_actions import AGENT_CONTEXT, CUSTOMER_CONTEXT, CallToPlace
from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import CALLER_NOT_REACHED, WORDS, Attempt, Outcome, step_of
from callflow.core.callbacks.dialling import Dialling
from callflow.core.callbacks.entry import CALLFLOW, Entry, Reason
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.look import Look, UnderWay
from callflow.core.callbacks.signals import Command, Signal
from callflow.core.callbacks.states import WAITING, IllegalStep, Step
from callflow.errors import ActionRefused, ActionUnsafe, CallflowError, LinkError, StoreError
from callflow.runtime.callback_desk import CallbackDesk

SAVE_AGAIN_S = 0.5
BUSY_AGAIN_MS = 30_000

log = structlog.get_logger()


class Phone(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def look(self) -> Look: ...
    async def pause(self, queue: str, interface: str, paused: bool) -> None: ...
    async def place(self, call: CallToPlace) -> None: ...
    async def channel_exists(self, uniqueid: str) -> bool: ...


class Owner(Protocol):
    """What an attempt asks of the dialler."""

    def now_ms(self) -> int: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> Any: ...
    def drop(self, attempt_id: str) -> None: ...
    def under_way(self, asking: "RunningAttempt") -> UnderWay: ...
    def refuse(self, entry: Entry, why: str, automatic: bool) -> None: ...
    def count(self, outcome: Outcome) -> None: ...
    async def release(self, attempt: Attempt) -> None: ...


class RunningAttempt:
    """One attempt, its timer, and its saves, which keep their order."""

    def __init__(
        self,
        dialling: Dialling,
        entry: Entry,
        number: str,
        owner: Owner,
        desk: CallbackDesk,
        phone: Phone,
        prompt_path: Callable[[str, str], str],
        name_path: Callable[[str], str],
    ) -> None:
        """`prompt_path` and `name_path`: as the dialler has them."""
        self.dialling = dialling
        self.entry = entry
        self.number = number
        self._owner = owner
        self._desk = desk
        self._phone = phone
        self._prompt_path, self._name_path = prompt_path, name_path
        self._timer: asyncio.TimerHandle | None = None
        self._saving = asyncio.Lock()
        self._over = False

    def begin(self) -> None:
        """Take the first step."""
        self._carry_out(self.dialling.begin(self._owner.now_ms()))

    def resume(self, link_up: bool) -> None:
        """Take up what an earlier life of the daemon has begun."""
        self._carry_out(self.dialling.resume(self._owner.now_ms(), link_up))

    def tell(self, signal: Signal) -> None:
        """What has happened; an attempt that is over hears nothing."""
        if not self._over:
            self._carry_out(self.dialling.receive(signal, self._owner.now_ms()))

    def end(self) -> None:
        """Hear nothing more; no deadline fires any more."""
        self._over = True
        self.disarm()

    def disarm(self) -> None:
        """No deadline fires any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _carry_out(self, commands: list[Command]) -> None:
        """Hand every command on, and arm the timer anew."""
        for command in commands:
            self._owner.spawn(self._work(command))
        self._arm()
        if self.dialling.ended_unclaimed:
            self._owner.drop(self.dialling.attempt.attempt_id)
            self._owner.refuse(self.entry, self.dialling.refusal, self.dialling.automatic)

    def _work(self, command: Command) -> Coroutine[Any, Any, None]:
        match command:
            case signals.TakeLook():
                return self._look()
            case signals.SaveClaim(attempt):
                return self._in_order(self._save_claim(attempt))
            case signals.Pause(attempt):
                return self._pause(attempt)
            case signals.SavePlacing(attempt):
                return self._in_order(self._save_placing(attempt))
            case signals.Place(attempt):
                return self._place(attempt)
            case signals.AskForChannel(attempt_id):
                return self._ask(attempt_id)
            case signals.SaveReached(attempt):
                return self._in_order(self._save_reached(attempt))
            case signals.SaveEnd(attempt):
                return self._in_order(self._save_end(attempt))

    def _arm(self) -> None:
        self.disarm()
        if (due_ms := self.dialling.next_deadline()) is not None:
            wait_s = max(0.001, (due_ms - self._owner.now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._carry_out(self.dialling.expire(self._owner.now_ms()))

    async def _in_order(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._saving:
            await work

    # -- the work of commands -------------------------------------------------------------------------------------

    async def _look(self) -> None:
        try:
            look = await self._phone.look()
        except LinkError as error:
            self.tell(signals.Failed(str(error)))
            return
        self.tell(signals.Looked(look, self._owner.under_way(self)))

    async def _save_claim(self, attempt: Attempt) -> None:
        """An automatic call only takes what waits and is due; any other one carries out the wish for it."""
        now_ms, automatic = self._owner.now_ms(), self.dialling.automatic
        why = f"{attempt.actor} calls for agent {attempt.agent}"

        def claimed(now: Entry) -> Entry:
            waits = now.state in WAITING and not now.wish and now.due_ms <= now_ms
            if not (waits if automatic else now.wish):
                raise IllegalStep(now.state, Step.DIAL)
            return now.step(Step.DIAL, now_ms, attempt.actor, why, attempt_id=attempt.attempt_id)

        try:
            await asyncio.to_thread(self._desk.list.begin_attempt, attempt, claimed)
        except (CallflowError, IllegalStep) as error:
            self._owner.drop(attempt.attempt_id)
            log.info("call-back not begun", callback=attempt.callback_id, reason=str(error))
            return
        self.tell(signals.Saved())

    async def _pause(self, attempt: Attempt) -> None:
        try:
            for queue in attempt.paused_in:
                await self._phone.pause(queue, attempt.interface, True)
        except LinkError as error:
            self.tell(signals.Failed(str(error)))
        else:
            self.tell(signals.Paused())

    async def _save_placing(self, attempt: Attempt) -> None:
        try:
            await asyncio.to_thread(self._desk.list.save_attempt, attempt)
        except StoreError as error:
            self.tell(signals.Failed(error.problem))
        else:
            self.tell(signals.Saved())

    async def _place(self, attempt: Attempt) -> None:
        log.info("call-back placed", callback=attempt.callback_id, agent=attempt.agent, first=attempt.first)
        try:
            await self._phone.place(self._call(attempt))
        except (ActionRefused, ActionUnsafe) as error:
            self.tell(signals.OriginateRefused(str(error)))
        except LinkError:
            self.tell(signals.OriginateUnanswered())
        else:
            self.tell(signals.OriginateTaken())

    async def _ask(self, attempt_id: str) -> None:
        try:
            found = await self._phone.channel_exists(attempt_id)
        except LinkError:
            return  # LinkLost follows, or the attempt asks again
        self.tell(signals.ChannelFound() if found else signals.ChannelGone())

    async def _save_reached(self, attempt: Attempt) -> None:
        now_ms, why = self._owner.now_ms(), f"reached by agent {attempt.agent}"
        await self._save(attempt, lambda now: now.step(Step.REACH, now_ms, CALLFLOW, why, attempts=now.attempts + 1))
        self._desk.answered(self.number, now_ms)

    async def _save_end(self, attempt: Attempt) -> None:
        """Save the outcome, then release the agent."""
        outcome = attempt.outcome or Outcome.UNKNOWN
        self._owner.count(outcome)
        now_ms = self._owner.now_ms()
        await self._save(attempt, lambda now: self._after(now, attempt, outcome, now_ms))
        log.info("call-back ended", callback=attempt.callback_id, outcome=outcome.value, cause=attempt.cause)
        self._owner.drop(attempt.attempt_id)
        self._desk.look_soon()
        await self._owner.release(attempt)

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
        return entry.step(step, now_ms, CALLFLOW, why, attempts=attempts, due_ms=due_ms)

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

    def _call(self, attempt: Attempt) -> CallToPlace:
        """The Originate of an attempt."""
        rules, entry, number = self._desk.rules, self.entry, self.number
        dial = rules.dial.replace("{number}", number)
        reason = entry.reasons[0] if entry.reasons else Reason.MANUAL.value
        digits = [mark for mark in number if mark.isdigit()][-rules.say_digits :] if rules.say_digits else []
        name = self._name_path(entry.spoken_name)
        agent_hears = [f"callback_{reason}", *(f"digit_{digit}" for digit in digits), *([name] if name else [])]
        agent_hears.append("callback_accept")
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
