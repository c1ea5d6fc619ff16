"""Puts assistance beside the engine and the ring tracker: its core, a clock and a loop of its own, and what it does.

Whatever goes wrong in here is logged and counted, and touches no call.
"""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import structlog

from callflow.adapters.ami.actions import GOODBYE_CONTEXT, OWN_CHANNELS, RETURN_CONTEXT
from callflow.adapters.ami.translate_assist import goodbye_spoken, hold_event, talks_of, whisper_event
from callflow.core import commands, events
from callflow.core.assist.assistant import Assistant
from callflow.core.assist.case import CORE
from callflow.core.assist.commands import AssistCommand, EndCall, PartCaller, ReturnCaller, SaveStep, Say, StopSaying
from callflow.core.assist.facts import AssistEvent, CallerParted, PartingFailed, TalksSeen
from callflow.core.assist.steps import AssistStep
from callflow.core.rings.talk_events import TalkEnded, TalkHeld, TalkParties, TalkResumed
from callflow.errors import LinkError
from callflow.runtime.clock import Clock
from callflow.runtime.listening import Listening
from callflow.runtime.loop import CoreLoop
from callflow.runtime.whispering import Whispering, WhisperPhone
from callflow.settings.model import Settings

EVER_WANTED = (events.CallArrived, events.ProceduresChanged, events.LinkUp, events.LinkLost)
"""What must be known when a reload turns assistance on."""

log = structlog.get_logger()


class AssistPhone(WhisperPhone, Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def fence(self) -> None: ...
    async def holds(self, channel: str) -> bool: ...
    async def leave(self, channel: str, context: str, variables: Mapping[str, str] = ...) -> None: ...


class Assisting:
    """Every AMI event goes in by `ami_event`, every event of the ears by `receive`, every talk by `talk_event`."""

    def __init__(
        self,
        settings: Settings,
        phone: AssistPhone,
        listening: Listening,
        save: Callable[[AssistStep, bool], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self.assistant = Assistant(settings.procedures(), settings.assist)
        self._rules = settings.assist
        self._phone = phone
        self._listening = listening
        self._save = save
        self._spawn = spawn
        self._clock = Clock()
        self._loop: CoreLoop[AssistCommand] = CoreLoop(self.assistant, self._clock, self._carry_out)
        self._whispering = Whispering(phone, partial(_path, settings.prompts.path), self._clock.now_ms)
        self._found: dict[str, TalkParties] = {}
        """Talks that were found under way, by both uniqueids: nobody else tells of their holds and their end."""
        self.failures = self._loop.failures
        """Faults of our own, by the name of the error."""

    def receive(self, event: AssistEvent) -> None:
        """Take in one event; of sounds and the like nothing is wanted while assistance is off."""
        if not self.assistant.is_off or isinstance(event, EVER_WANTED):
            self._loop.receive(event)

    def ami_event(self, message: dict[str, str]) -> None:
        """Take in what an AMI event tells of whispers, goodbyes, and talks found under way."""
        if self.assistant.is_off:
            return
        if self._found:
            self._follow_found(message)
        if (event := whisper_event(message)) is not None:
            self._whispering.event(event)
        elif (spoken := goodbye_spoken(message, self._clock.now_ms())) is not None:
            self.receive(spoken)

    def link_lost(self, reason: str) -> None:
        """AMI is gone: talks are left as they are."""
        self._whispering.link_lost()
        self.receive(events.LinkLost(self._clock.now_ms(), reason))

    async def take_snapshot(self, channels: list[dict[str, str]], agent_of: Callable[[str], str]) -> None:
        """Hang up what an earlier life has left, and find the talks under way."""
        if self.assistant.is_off:
            return
        found = talks_of(channels, agent_of)
        try:
            for channel in channels:
                if channel.get("Channel", "").startswith(OWN_CHANNELS):
                    await self._phone.hang_up(channel["Channel"])
            talks = tuple([(one, await self._is_held(one)) for one in found])
        except LinkError as error:
            log.warning("the talks under way are not assisted", reason=str(error))
            return
        self._found = {uniqueid: one for one in found for uniqueid in (one.caller_uniqueid, one.agent_uniqueid)}
        self.receive(TalksSeen(self._clock.now_ms(), talks))

    def _follow_found(self, message: dict[str, str]) -> None:
        now_ms = self._clock.now_ms()
        parties = self._found.get(message.get("Uniqueid", ""))
        if parties is None:
            return
        if (hold := hold_event(message, now_ms)) is not None:
            make = TalkHeld if hold[1] else TalkResumed
            self.receive(make(hold[2], parties, hold[0] == parties.agent_uniqueid))
        elif message.get("Event") == "BridgeLeave":
            for uniqueid in (parties.caller_uniqueid, parties.agent_uniqueid):
                self._found.pop(uniqueid, None)
            self.receive(TalkEnded(now_ms, parties))

    async def _is_held(self, parties: TalkParties) -> bool:
        return await self._phone.holds(parties.agent_channel) or await self._phone.holds(parties.caller_channel)

    def close(self) -> None:
        """No deadline fires any more."""
        self._loop.close()

    # -- what the core wants ----------------------------------------------------------------------------------------

    def _carry_out(self, command: AssistCommand) -> None:
        match command:
            case SaveStep(step):
                log.info("assist", call=step.call_id, step=step.kind.value, what=step.what, outcome=step.outcome)
                self._save(step, True)
            case Say():
                self._spawn(self._say(command))
            case StopSaying(say_id):
                self._spawn(self._quietly(self._whispering.stop(say_id)))
            case PartCaller():
                self._spawn(self._part(command))
            case ReturnCaller(channel):
                self._spawn(self._quietly(self._phone.leave(channel, RETURN_CONTEXT)))
            case EndCall(channel):
                self._spawn(self._quietly(self._phone.hang_up(channel)))
            case commands.FenceEvents():
                self._spawn(self._fence(command))
            case commands.LogFault(talk_id, step, error):
                log.error(
                    "a step of assistance failed; the talk is left alone", talk=talk_id, step=step, exc_info=error
                )
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
                    self._spawn(work)

    async def _say(self, command: Say) -> None:
        self.receive(await self._whispering.say(command))

    async def _part(self, command: PartCaller) -> None:
        """The dialplan's variables first: whatever happens to us afterwards, the caller finds back to an agent."""
        rules = self._rules
        variables = {
            "CALLFLOW_PHONE": command.phone,
            "CALLFLOW_QUEUE": command.queue,
            "CALLFLOW_RING_S": str(rules.same_agent_s),
            "CALLFLOW_PRIO": str(rules.queue_priority),
            "CALLFLOW_GOODBYE": self._whispering.path_of(command.prompt, command.language),
        }
        try:
            await self._phone.leave(command.channel, GOODBYE_CONTEXT, variables)
        except LinkError as error:
            self.receive(PartingFailed(command.talk_id, str(error)))
        else:
            self.receive(CallerParted(command.talk_id, self._clock.now_ms()))

    async def _fence(self, command: commands.FenceEvents) -> None:
        try:
            await self._phone.fence()
        except LinkError as error:
            self.receive(events.FenceFailed(command.call_id, command.fence_id, str(error)))
        else:
            self.receive(events.EventsFenced(command.call_id, command.fence_id))

    async def _quietly(self, action: Coroutine[Any, Any, None]) -> None:
        """An action whose failure changes nothing for the caller."""
        with suppress(LinkError):
            await action


def _path(pattern: str, prompt: str, language: str) -> str:
    return pattern.format(language=language, prompt=prompt)
