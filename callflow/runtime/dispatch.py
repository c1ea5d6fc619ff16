"""Carries out what the core wants: each command goes to its adapter, each outcome comes back as an event."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import structlog

from callflow.core import commands, events
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.rings.records import Measured
from callflow.core.screening.states import HANG_UPS, Result
from callflow.errors import AgiError, LinkError
from callflow.privacy import mask_number
from callflow.runtime.listening import Listening

KNOWN = "CALLFLOW_KNOWN"
"""Set on a channel whose call is recorded: the dialplan then makes no note of it."""
CORE = "screening"
"""Whom the listening service listens for."""
HANG_UP_S = 0.1
"""A hang-up that is not carried out so soon after its decision is none: the caller may have spoken since."""
STOP_TIMEOUT_S = 0.3
STOP_AGAIN_S, STOPS = 0.1, 3
"""A prompt that has not ended so soon after it was stopped is stopped again, so often in all."""
UNDO_TIMEOUT_S = 2.0
"""Asterisk takes AGI commands in order: once a second result is confirmed, the first counts no more."""
SAVE_WAIT_S = 0.2
HANG_UP_TOLD_S, HANG_UP_TOLD_WITHIN_S = 0.25, 1.5
"""AMI tells of a hang-up milliseconds before or after FastAGI does; a busy callflow may read it later."""

log = structlog.get_logger()


class Phone(Protocol):
    """What dispatch asks of AMI; every method may raise LinkError."""

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
        self._hanging_up: dict[str, asyncio.Task[None]] = {}
        self._unsure: set[str] = set()
        """Calls whose hang-up was begun and not carried out: Asterisk may still take its result in."""
        self._tasks: set[asyncio.Task[None]] = set()

    def add_session(self, call_id: str, session: Session) -> None:
        """A call has arrived with this FastAGI connection."""
        self._sessions[call_id] = session

    def drop_session(self, call_id: str) -> None:
        """The FastAGI connection of a call has ended."""
        self._sessions.pop(call_id, None)
        self._playing.pop(call_id, None)
        self._stopped.discard(call_id)
        self._unsure.discard(call_id)

    def hang_up_told(self, call_id: str) -> None:
        """FastAGI has said HANGUP, which stands for a redirect, too; AMI tells of a real hang-up."""
        self.drop_session(call_id)
        self.spawn(self._closed_behind_ami(call_id))

    def closed(self, call_id: str) -> None:
        """Asterisk has closed the FastAGI connection."""
        self.drop_session(call_id)
        self.receive(events.AgiClosed(call_id, self._now_ms()))

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
                self.spawn(self._stop(channel, self._playing.get(call_id)))
            case commands.Release():
                self._begin_release(command)
            case commands.FenceEvents():
                self.spawn(self._fence(command))
            case commands.ProveEar(check_id):
                self.spawn(self._prove(check_id))
            case commands.LogFault(call_id, step, error):
                log.error("a step of a call failed; it was handed on", call=call_id, step=step, exc_info=error)
            case (
                commands.ArmEar()
                | commands.OpenTap()
                | commands.StopListening()
                | commands.CountPackets()
                | commands.BeginWindow()
                | commands.JudgeWindow()
                | commands.SetGain()
            ):
                if work := self._listening.carry_out(CORE, command, self.receive):
                    self.spawn(work)
            case commands.Warn(text, remedy):
                log.warning(text, remedy=remedy)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def _closed_behind_ami(self, call_id: str) -> None:
        """Behind whatever AMI has to tell; without AMI nobody knows, and the call was taken elsewhere."""
        await asyncio.sleep(HANG_UP_TOLD_S)
        with suppress(LinkError, TimeoutError):
            async with asyncio.timeout(HANG_UP_TOLD_WITHIN_S):
                await self._phone.fence()
        self.closed(call_id)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a command failed unexpectedly", exc_info=error)

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
            with self._listening.playing(CORE, call_id, path):
                samples = await session.stream_file(path)
        except AgiError as error:
            log.debug("the prompt ended with its call", call=call_id, reason=str(error))
            return
        if samples or call_id in self._stopped:
            self.receive(events.PromptFinished(call_id, play_id, self._now_ms()))
        else:
            self.receive(events.PromptFailed(call_id, play_id, self._now_ms(), f"Asterisk has no sound file {path}"))

    async def _stop(self, channel: str, playing: asyncio.Task[None] | None) -> None:
        """End a prompt; one that Asterisk has yet to begin, as AMI may overtake FastAGI, is ended again."""
        for _ in range(STOPS):
            await self._quietly(self._phone.stop_prompt(channel))
            if playing is None or (await asyncio.wait([playing], timeout=STOP_AGAIN_S))[0]:
                return

    def _begin_release(self, command: commands.Release) -> None:
        """A hang-up has its time from now on; any other release takes the place of one that is under way."""
        call_id = command.call_id
        if command.result in HANG_UPS:
            until_s = asyncio.get_running_loop().time() + HANG_UP_S
            self._hanging_up[call_id] = self.spawn(self._hang_up(command, until_s))
            return
        if (task := self._hanging_up.pop(call_id, None)) is not None and not task.done():
            task.cancel()
            self._unsure.add(call_id)
        self.spawn(self._release(command))

    async def _hang_up(self, command: commands.Release, until_s: float) -> None:
        """Nothing is waited for between certainty and the act, not even the database."""
        call_id, session = command.call_id, self._sessions.get(command.call_id)
        reason = ""
        try:
            if session is None:
                raise AgiError("the FastAGI connection has ended")
            async with asyncio.timeout_at(until_s):
                await session.set_variable("CALLFLOW_RESULT", command.result)
        except (TimeoutError, AgiError) as error:
            reason = str(error) or "Asterisk did not answer"
        self._hanging_up.pop(call_id, None)
        if not reason and asyncio.get_running_loop().time() > until_s:
            reason = "callflow itself was late"
        if reason or session is None:
            self._unsure.add(call_id)
            self.receive(events.ReleaseFailed(call_id, reason))
            return
        session.close()
        self.drop_session(call_id)
        self.receive(events.Released(call_id))

    async def _release(self, command: commands.Release) -> None:
        """Saved first, then given back; when AGI does not answer, AMI is told, and closing AGI gives the channel back.

        After a hang-up that was begun, AGI has longer to confirm: `silent` may still be on its way there.
        """
        call_id, session = command.call_id, self._sessions.get(command.call_id)
        unsure = call_id in self._unsure
        if not unsure:
            await self._records.flush(SAVE_WAIT_S)
        playing = self._playing.pop(call_id, None)
        try:
            async with asyncio.timeout(UNDO_TIMEOUT_S if unsure else STOP_TIMEOUT_S):
                if playing is not None:
                    await asyncio.wait([playing])
                if session is not None:
                    await session.set_variable("CALLFLOW_RESULT", command.result)
                    if command.result is Result.UNAVAILABLE:  # which is also what a daemon that is away leaves there
                        await session.set_variable(KNOWN, "1")
        except (TimeoutError, AgiError) as error:
            log.debug("set over AMI instead", call=call_id, reason=str(error) or "the prompt did not stop")
            with suppress(LinkError):
                await self._phone.set_result(command.channel, command.result)
        if session is not None:
            session.close()
        self.drop_session(call_id)

    async def _fence(self, command: commands.FenceEvents) -> None:
        call_id, fence_id = command.call_id, command.fence_id
        try:
            await self._phone.fence()
        except LinkError as error:
            self.receive(events.FenceFailed(call_id, fence_id, str(error)))
        else:
            self.receive(events.EventsFenced(call_id, fence_id))

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
