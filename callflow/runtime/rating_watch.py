"""The rating desk's place in the daemon: talks and callers go in, prompts, results and records come out.

Whatever goes wrong in here, the caller goes on in the dialplan at once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from callflow.adapters.agi.arrival import RatingArrived, rating_arrived
from callflow.core.assist.actions import Action
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.call_record import CallRecord
from callflow.core.profile import Procedures
from callflow.core.rating.desk import RatingDesk
from callflow.core.rating.inputs import (
    CallerCame,
    CallerLeft,
    ChannelEnded,
    KeyPressed,
    NotToBeAsked,
    PromptFailed,
    RatingInput,
    RulesChanged,
    ThanksSaid,
)
from callflow.core.rating.orders import AskQuestion, GiveBack, RatingOrder, SaveRating, SayThanks
from callflow.core.rating.record import NotAsked, Rating
from callflow.core.rating.rules import RatingRules
from callflow.core.rings.talk_events import TalkEvent
from callflow.core.screening.states import HANG_UPS
from callflow.errors import AgiClosedEarly, AgiError, AgiHangup, StoreError
from callflow.runtime.clock import Clock
from callflow.runtime.loop import CoreLoop

AFTER_STEP = {
    StepKind.CALLBACK_OFFERED: NotAsked.CALL_BACK,
    StepKind.CALLBACK_ASKED: NotAsked.CALL_BACK,
    StepKind.WOULD_HANG_UP: NotAsked.SILENT,
    StepKind.HUNG_UP: NotAsked.SILENT,
}
"""Steps of assistance after which the caller is not asked."""
HISTORY_S = 1.0
"""A caller waits no longer for the database."""
RESULT_VARIABLE = "CALLFLOW_RATING"

log = structlog.get_logger()


class Session(Protocol):
    """What is asked of one FastAGI connection; the coroutines may raise AgiError."""

    @property
    def variables(self) -> Any: ...

    on_hangup: Callable[[], None]
    on_closed: Callable[[], None]

    async def get_data(self, path: str, answer_ms: int) -> str | None: ...
    async def stream_file(self, path: str) -> int: ...
    async def set_variable(self, name: str, value: str) -> None: ...
    def close(self) -> None: ...


class History(Protocol):
    """When a caller was asked last; blocks, and may raise StoreError."""

    def asked_ms(self, caller: str) -> int | None: ...


class RatingWatch:
    """`came` takes each FastAGI session of callflow-rating; `save` gets every record."""

    def __init__(
        self,
        rules: RatingRules,
        procedures: Procedures,
        prompt_path: str,
        history: History,
        hashed: Callable[[str], str],
        save: Callable[[Rating, bool], None],
    ) -> None:
        self._desk = RatingDesk(rules, procedures)
        self._prompt_path = prompt_path
        self._history = history
        self._hashed = hashed
        self._save = save
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()
        self._clock = Clock()
        self._loop: CoreLoop[RatingOrder] = CoreLoop(self._desk, self._clock, self._carry_out)
        self.unexpected = self._desk.unexpected
        self.failures = self._loop.failures
        """Faults of our own, by the name of the error."""

    # -- what the desk is told ------------------------------------------------------------------------------------

    def came(self, session: Session) -> None:
        """A caller has reached callflow-rating."""
        arrived = rating_arrived(session.variables)
        self._sessions[arrived.rating_id] = session
        session.on_hangup = session.on_closed = lambda: self._left(arrived.rating_id)
        self._spawn(self._look_up(arrived))

    def talk(self, event: TalkEvent) -> None:
        """What happened to a talk."""
        self._receive(event)

    def channel_ended(self, uniqueid: str) -> None:
        """AMI told that a channel is gone."""
        self._receive(ChannelEnded(uniqueid, self._clock.now_ms()))

    def do_not_ask(self, uniqueid: str, why: NotAsked) -> None:
        """Something happened in the call of this channel after which its caller is not asked."""
        self._receive(NotToBeAsked(uniqueid, why))

    def follow(self, record: object, final: bool) -> None:
        """What is recorded of a call says whether its caller is asked."""
        match record:
            case CallRecord() if final and _was_silent(record):
                self.do_not_ask(record.uniqueid, NotAsked.SILENT)
            case AssistStep() if (why := _not_asked_after(record)) is not None:
                self.do_not_ask(record.call_id, why)

    def change(self, rules: RatingRules, procedures: Procedures) -> None:
        """Callers who come from now on are asked by these settings."""
        self._receive(RulesChanged(rules, procedures))

    def close(self) -> None:
        """The daemon stops; what is open is ended by its next start."""
        self._loop.close()
        self._sessions.clear()
        for task in self._tasks:
            task.cancel()

    def _receive(self, event: RatingInput) -> None:
        self._loop.receive(event)

    def _left(self, rating_id: str) -> None:
        self._sessions.pop(rating_id, None)
        self._receive(CallerLeft(rating_id, self._clock.now_ms()))

    async def _look_up(self, arrived: RatingArrived) -> None:
        caller = self._hashed(arrived.caller_number) if arrived.caller_number else ""
        asked_ms, known = None, True
        try:
            async with asyncio.timeout(HISTORY_S):
                asked_ms = await asyncio.to_thread(self._history.asked_ms, caller) if caller else None
        except (StoreError, TimeoutError) as error:
            known = False
            self._warn("the last rating of a caller is not known; the caller is not asked", reason=repr(error))
        if arrived.rating_id not in self._sessions:
            return  # gone meanwhile, before any question
        self._receive(
            CallerCame(
                rating_id=arrived.rating_id,
                uniqueid=arrived.uniqueid,
                profile=arrived.profile,
                at_ms=self._clock.now_ms(),
                channel_language=arrived.language,
                caller=caller,
                transferred=arrived.transferred,
                asked_ms=asked_ms,
                history_known=known,
            )
        )

    # -- what the desk wants --------------------------------------------------------------------------------------

    def _carry_out(self, order: RatingOrder) -> None:
        match order:
            case AskQuestion():
                self._spawn(self._ask(order))
            case SayThanks():
                self._spawn(self._thank(order))
            case GiveBack(rating_id, outcome):
                self._spawn(self._give_back(rating_id, outcome))
            case SaveRating(record, final):
                self._save(record, final)

    async def _ask(self, order: AskQuestion) -> None:
        async def asked(session: Session) -> RatingInput:
            key = await session.get_data(self._path(order), order.answer_ms)
            return KeyPressed(order.rating_id, key, self._clock.now_ms())

        await self._play(order, asked)

    async def _thank(self, order: SayThanks) -> None:
        async def said(session: Session) -> RatingInput:
            await session.stream_file(self._path(order))
            return ThanksSaid(order.rating_id, self._clock.now_ms())

        await self._play(order, said)

    async def _play(
        self, order: AskQuestion | SayThanks, played: Callable[[Session], Coroutine[Any, Any, RatingInput]]
    ) -> None:
        """What came of a prompt goes to the desk; the end of the session tells of a hang-up by itself."""
        session = self._sessions.get(order.rating_id)
        if session is None:
            return
        try:
            self._receive(await played(session))
        except (AgiHangup, AgiClosedEarly):
            self._left(order.rating_id)
        except AgiError as error:
            self._warn("a question could not be asked; the caller went on", prompt=order.prompt, reason=str(error))
            self._receive(PromptFailed(order.rating_id, self._clock.now_ms()))

    async def _give_back(self, rating_id: str, outcome: str) -> None:
        session = self._sessions.pop(rating_id, None)
        if session is None:
            return
        try:
            await session.set_variable(RESULT_VARIABLE, outcome)
        except AgiError as error:
            log.debug("the dialplan was not told what became of a rating", rating=rating_id, reason=str(error))
        finally:
            session.close()

    def _path(self, order: AskQuestion | SayThanks) -> str:
        return self._prompt_path.format(language=order.language, prompt=order.prompt)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a step of a rating failed unexpectedly", exc_info=error)

    def _warn(self, what: str, **fields: str) -> None:
        """The first of a kind is a warning, the repeats are debug."""
        say = log.debug if what in self._warned else log.warning
        self._warned.add(what)
        say(what, **fields)


def _not_asked_after(step: AssistStep) -> NotAsked | None:
    """Why the caller is not asked after this step; None if nothing speaks against it."""
    if step.kind is StepKind.ACTION and step.what == Action.NUISANCE and step.outcome == "done":
        return NotAsked.NUISANCE
    return AFTER_STEP.get(step.kind)


def _was_silent(call: CallRecord) -> bool:
    """callflow hung up, or in observe mode would have done so on a caller who was not heard afterwards."""
    return call.result in HANG_UPS or (call.would in HANG_UPS and not call.heard_after_would)
