"""Carries out what the core wants: each command goes to its adapter, each outcome comes back as an event."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog

from callflow.core import commands, events
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.rings.records import Measured
from callflow.core.screening.states import Result
from callflow.errors import AgiError, LinkError
from callflow.privacy import mask_number
from callflow.runtime.listening import Listening

HANG_UPS = (Result.SILENT, Result.QUIET)
STOP_TIMEOUT_S = 0.3
SAVE_WAIT_S = 0.2

log = structlog.get_logger()


class Phone(Protocol):
    """What dispatch asks of AMI; every method may raise LinkError."""

    async def arm_ear(self, channel: str, silence_ms: int, threshold: int) -> None: ...
    async def disarm_ear(self, channel: str) -> None: ...
    async def stop_prompt(self, channel: str) -> None: ...
    async def set_result(self, channel: str, result: str) -> None: ...
    async def fence(self) -> None: ...
    async def prove_ear(self, check_id: str) -> None: ...


class Session(Protocol):
    """What dispatch asks of one FastAGI connection; the coroutines may raise AgiError."""

    async def stream_file(self, path: str) -> int: ...
    async def set_variable(self, name: str, value: str) -> None: ...
    def close(self) -> None: ...


class Records(Protocol):
    """What dispatch asks of the database; no method raises."""

    def save(self, record: CallRecord | Measured, final: bool) -> None: ...
    def add_to_timeline(self, call_id: str, entry: TimelineEntry) -> None: ...
    async def flush(self, timeout_s: float) -> bool: ...


class Dispatcher:
    """Knows the adapters and the sessions of the calls under way; `receive` takes what comes of a command."""

    def __init__(
        self, phone: Phone, records: Records, listening: Listening, prompt_path: str, now_ms: Callable[[], int]
    ) -> None:
        self.receive: Callable[[events.Event], None] = lambda event: None
        self._listening = listening
        self._phone = phone
        self._records = records
        self._prompt_path = prompt_path
        self._now_ms = now_ms
        self._sessions: dict[str, Session] = {}
        self._playing: dict[str, asyncio.Task[None]] = {}
        self._stopped: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def add_session(self, call_id: str, session: Session) -> None:
        """A call has arrived with this FastAGI connection."""
        self._sessions[call_id] = session

    def drop_session(self, call_id: str) -> None:
        """The FastAGI connection of a call has ended."""
        self._sessions.pop(call_id, None)
        self._playing.pop(call_id, None)
        self._stopped.discard(call_id)

    async def drain(self, timeout_s: float) -> None:
        """Wait until what has been asked for is done, at most `timeout_s`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def __call__(self, command: commands.Command) -> None:
        """Carry out one command; never blocks, never raises."""
        match command:
            case commands.AddToTimeline(call_id, entry):
                self._tell(call_id, entry)
            case commands.SaveCall(record, final):
                self._save(record, final)
            case commands.SaveMeasured(record, final):
                self._records.save(record, final)
            case commands.PlayPrompt():
                self._playing[command.call_id] = self.spawn(self._play(command))
            case commands.StopPrompt(call_id, channel):
                self._stopped.add(call_id)
                self.spawn(self._quietly(self._phone.stop_prompt(channel)))
            case commands.Release():
                self.spawn(self._release(command))
            case commands.ArmEar():
                self.spawn(self._arm(command))
            case commands.DisarmEar(channel):
                self.spawn(self._quietly(self._phone.disarm_ear(channel)))
            case commands.FenceEvents(call_id):
                self.spawn(self._fence(call_id))
            case commands.ProveEar(check_id):
                self.spawn(self._prove(check_id))
            case (
                commands.OpenTap()
                | commands.CloseTap()
                | commands.CountPackets()
                | commands.BeginWindow()
                | commands.JudgeWindow()
                | commands.SetGain()
            ):
                if work := self._listening.carry_out(command, self.receive):
                    self.spawn(work)
            case commands.Warn(text, remedy):
                log.warning(text, remedy=remedy)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a command failed in a way nobody foresaw", exc_info=error)

    def _tell(self, call_id: str, entry: TimelineEntry) -> None:
        self._records.add_to_timeline(call_id, entry)
        log.info(entry.kind.value, call=call_id, what=entry.what, why=entry.why)

    def _save(self, record: CallRecord, final: bool) -> None:
        self._records.save(record, final)
        log.debug("saved", call=record.call_id, caller=mask_number(record.caller_number), result=record.result)

    async def _play(self, command: commands.PlayPrompt) -> None:
        call_id, play_id = command.call_id, command.play_id
        path = self._prompt_path.format(language=command.language, prompt=command.prompt)
        session = self._sessions.get(call_id)
        if session is None:
            return
        self._stopped.discard(call_id)
        try:
            with self._listening.playing(call_id, path):
                samples = await session.stream_file(path)
        except AgiError as error:
            log.debug("the prompt ended with its call", call=call_id, reason=str(error))
            return
        if samples or call_id in self._stopped:
            self.receive(events.PromptFinished(call_id, play_id, self._now_ms()))
        else:
            self.receive(events.PromptFailed(call_id, play_id, self._now_ms(), f"Asterisk has no sound file {path}"))

    async def _release(self, command: commands.Release) -> None:
        """Saved first, then given back; when AGI does not answer, closing it gives the channel back all the same.

        Only a hang-up is saved behind it: nothing that can be waited for may stand between certainty and the act.
        """
        session = self._sessions.get(command.call_id)
        if command.result not in HANG_UPS:
            await self._records.flush(SAVE_WAIT_S)
        playing = self._playing.pop(command.call_id, None)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                if playing is not None:
                    await asyncio.wait([playing])
                if session is not None:
                    await session.set_variable("CALLFLOW_RESULT", command.result)
        except (TimeoutError, AgiError) as error:
            log.debug("set over AMI instead", call=command.call_id, reason=str(error) or "the prompt did not stop")
            await self._quietly(self._phone.set_result(command.channel, command.result))
        if session is not None:
            session.close()
        self.drop_session(command.call_id)

    async def _arm(self, command: commands.ArmEar) -> None:
        try:
            await self._phone.arm_ear(command.channel, command.silence_ms, command.threshold)
        except LinkError as error:
            self.receive(events.EarFailed(command.call_id, str(error)))
        else:
            self.receive(events.EarArmed(command.call_id))

    async def _fence(self, call_id: str) -> None:
        try:
            await self._phone.fence()
        except LinkError as error:
            self.receive(events.FenceFailed(call_id, str(error)))
        else:
            self.receive(events.EventsFenced(call_id))

    async def _prove(self, check_id: str) -> None:
        try:
            await self._phone.prove_ear(check_id)
        except LinkError as error:
            log.warning("the self-test call could not be placed", reason=str(error), remedy="run `callflow check`")

    async def _quietly(self, action: Coroutine[Any, Any, None]) -> None:
        """An action whose failure changes nothing for the caller."""
        try:
            await action
        except LinkError as error:
            log.debug("an action failed", reason=str(error))
