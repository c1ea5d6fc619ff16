"""Runs assistance beside the engine and the ring tracker: its core, its own clock and loop, and its actions.

Every fault in here is logged and counted, and affects no call.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog

from callflow.adapters.ami.actions import GOODBYE_CONTEXT, OWN_CHANNELS, RETURN_CONTEXT
from callflow.adapters.ami.translate_assist import (
    CodeTyped,
    Known,
    code_typed,
    goodbye_spoken,
    hold_event,
    recording_over,
    talks_of,
    whisper_event,
)
from callflow.core import commands, events
from callflow.core.assist.actions import WORDS, ActionAnswer, ActionCarried, ActionWanted, Door, Refusal
from callflow.core.assist.assistant import Assistant
from callflow.core.assist.case import CORE
from callflow.core.assist.commands import (
    AnswerAction,
    AssistCommand,
    CheckHold,
    Consult,
    DropName,
    EndCall,
    PartCaller,
    PauseAgent,
    RecordName,
    ReturnCaller,
    SaveStep,
    SaveWrapUp,
    Say,
    SetLoudness,
    StopRecording,
    StopSaying,
)
from callflow.core.assist.facts import AssistEvent, CallerParted, HoldChecked, PartingFailed, TalksSeen
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.rings.names import interface_of
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkEnded, TalkHeld, TalkParties, TalkResumed
from callflow.errors import LinkError
from callflow.runtime.clock import Clock
from callflow.runtime.listening import Listening
from callflow.runtime.loop import CoreLoop
from callflow.runtime.name_recording import NamePhone, NameRecording
from callflow.runtime.spoken_names import SpokenNames
from callflow.runtime.whispering import Whispering, WhisperPhone
from callflow.settings.model import Settings

EVER_WANTED = (events.CallArrived, events.ProceduresChanged, events.LinkUp, events.LinkLost)
"""What must be known when a reload turns assistance on."""
ANSWER_S = 3.0
"""How long a request of an agent's waits for Asterisk."""
WRAP_UP = "wrapup"
"""The reason of the pause, as queues and reports name it."""

log = structlog.get_logger()


class AssistPhone(WhisperPhone, NamePhone, Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def fence(self) -> None: ...
    async def holds(self, channel: str) -> bool | None: ...
    async def context(self, channel: str) -> str: ...
    async def leave(self, channel: str, context: str, variables: Mapping[str, str] = ...) -> None: ...
    async def set_volume(self, channel: str, gain_db: float) -> None: ...
    async def consult(self, channel: str, exten: str, context: str) -> None: ...
    async def pause(self, interface: str, paused: bool, reason: str) -> None: ...


class Tracker(Known, Protocol):
    """What the ring tracker knows."""

    @property
    def talks_under_way(self) -> list[TalkParties]: ...
    def may_be_paused_for(self, interface: str, reason: str) -> bool: ...


class Assisting:
    """Every AMI event goes in by `ami_event`, every event of the ears by `receive`, every talk by `talk_event`."""

    def __init__(
        self,
        settings: Settings,
        phone: AssistPhone,
        listening: Listening,
        save: Callable[[AssistStep | WrapUp, bool], None],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        tracker: Tracker,
        names: SpokenNames,
    ) -> None:
        """`tracker` has seen a snapshot before `take_snapshot` here."""
        self.assistant = Assistant(settings.procedures(), settings.assist)
        self._rules = settings.assist
        self._phone = phone
        self._listening = listening
        self._save = save
        self._spawn = spawn
        self._tracker = tracker
        self._asked: dict[str, asyncio.Future[ActionAnswer]] = {}
        """Requests that somebody waits for, by id."""
        self._clock = Clock()
        self._loop: CoreLoop[AssistCommand] = CoreLoop(self.assistant, self._clock, self._carry_out)
        self._whispering = Whispering(phone, partial(_path, settings.prompts.path), self._clock.now_ms)
        self._recording = NameRecording(phone, names)
        self._found: dict[str, TalkParties] = {}
        """Talks that the tracker does not know, by both uniqueids: nobody else tells of their holds and their end."""
        self._looks = 0
        self._left_meanwhile: set[str] = set()
        """Who has left a bridge while the channels were looked at, by uniqueid."""
        self._held_meanwhile: dict[str, bool] = {}
        """Who has put the other party on hold meanwhile (True), or taken them back, by uniqueid."""
        self.failures = self._loop.failures
        """Faults of our own, by the name of the error."""

    def receive(self, event: AssistEvent) -> None:
        """Take in one event; of sounds and the like nothing is wanted while assistance is off."""
        if not self.assistant.is_off or isinstance(event, EVER_WANTED):
            self._loop.receive(event)

    def resume(self, left: Iterable[WrapUp]) -> None:
        """Take up the wrap-ups that an earlier life has left open."""
        self.assistant.resume(left)

    def change(self, rules: AssistRules) -> None:
        """New rules for new talks."""
        self._rules = rules
        self.assistant.change(rules)

    async def act(
        self, action: str, door: Door, agent: str, call_id: str = "", queues: tuple[str, ...] = ()
    ) -> ActionAnswer:
        """What becomes of an agent's request; never raises. `queues`: those that the request is limited to."""
        request_id = uuid.uuid4().hex
        asked: asyncio.Future[ActionAnswer] = asyncio.get_running_loop().create_future()
        self._asked[request_id] = asked
        try:
            self.receive(ActionWanted(request_id, action, door, agent, "", call_id, queues))
            async with asyncio.timeout(0 if self.assistant.is_off and not asked.done() else ANSWER_S):
                return await asked
        except TimeoutError:
            refusal = Refusal.NO_TALK if self.assistant.is_off else Refusal.ASTERISK
            return ActionAnswer(request_id, action, refusal, WORDS[refusal])
        finally:
            del self._asked[request_id]

    def _typed(self, code: CodeTyped) -> None:
        """A feature code; nobody waits for its answer, but it stands in the timeline."""
        agent = self._tracker.agent_at(interface_of(code.channel))
        self.receive(ActionWanted(uuid.uuid4().hex, code.action, Door.CODE, agent, code.uniqueid))

    def ami_event(self, message: dict[str, str]) -> None:
        """Take in what an AMI event tells of whispers, goodbyes, and talks found under way."""
        if self.assistant.is_off:
            return
        if self._looks:
            self._note_meanwhile(message)
        if self._found:
            self._follow_found(message)
        if (event := whisper_event(message)) is not None:
            self._whispering.event(event)
        elif (name_id := recording_over(message)) is not None:
            self._recording.over(name_id)
        elif (spoken := goodbye_spoken(message, self._clock.now_ms())) is not None:
            self.receive(spoken)
        elif (code := code_typed(message)) is not None:
            self._typed(code)

    def _note_meanwhile(self, message: dict[str, str]) -> None:
        if message.get("Event") == "BridgeLeave":
            self._left_meanwhile.add(message.get("Uniqueid", ""))
        elif (hold := hold_event(message, self._clock.now_ms())) is not None:
            self._held_meanwhile[hold[0]] = hold[1]

    def link_lost(self, reason: str) -> None:
        """AMI is gone: talks are left as they are."""
        self._whispering.link_lost()
        self._recording.link_lost()
        self.receive(events.LinkLost(self._clock.now_ms(), reason))

    @contextmanager
    def looking(self) -> Iterator[None]:
        """From before the channels are listed until `take_snapshot` is done: who leaves meanwhile is in no talk."""
        self._looks += 1
        try:
            yield
        finally:
            self._looks -= 1
            if not self._looks:
                self._left_meanwhile.clear()
                self._held_meanwhile.clear()

    async def take_snapshot(self, channels: list[dict[str, str]]) -> None:
        """Hang up what an earlier life has left, and find the talks under way."""
        if self.assistant.is_off:
            return
        known = self._tracker.talks_under_way
        seen = talks_of(channels, self._tracker)
        pairs = set(map(_uniqueids, known))
        found = known + [one for one in seen if _uniqueids(one) not in pairs]
        try:
            for channel in channels:
                if channel.get("Channel", "").startswith(OWN_CHANNELS):
                    await self._phone.hang_up(channel["Channel"])
            holders = [(one, await self._holders(one)) for one in found]
        except LinkError as error:
            log.warning("the talks under way are not assisted", reason=str(error))
            return
        talks = tuple(
            (one, _holding(one, holds | self._told_of(one)))
            for one, holds in holders
            if self._left_meanwhile.isdisjoint(_uniqueids(one))
        )
        others = [one for one, _ in talks if _uniqueids(one) not in pairs]
        self._found = {uniqueid: one for one in others for uniqueid in _uniqueids(one)}
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
            for uniqueid in _uniqueids(parties):
                self._found.pop(uniqueid, None)
            self.receive(TalkEnded(now_ms, parties))

    async def _holders(self, parties: TalkParties) -> dict[str, bool]:
        """Whether each of the two has put the other on hold, by uniqueid."""
        return {
            parties.agent_uniqueid: await self._phone.holds(parties.agent_channel) or False,
            parties.caller_uniqueid: await self._phone.holds(parties.caller_channel) or False,
        }

    def _told_of(self, parties: TalkParties) -> dict[str, bool]:
        """What Asterisk has told of them meanwhile: it is newer than any answer."""
        return {one: self._held_meanwhile[one] for one in _uniqueids(parties) if one in self._held_meanwhile}

    def close(self) -> None:
        """No deadline fires any more."""
        self._loop.close()

    # -- what the core wants ----------------------------------------------------------------------------------------

    def _carry_out(self, command: AssistCommand) -> None:
        match command:
            case SaveStep(step):
                self._save_step(step)
            case Say() | StopSaying():
                self._spawn(self._say(command))
            case RecordName() | StopRecording() | DropName():
                self._spawn(self._name(command))
            case PartCaller():
                self._spawn(self._part(command))
            case ReturnCaller(channel):
                self._spawn(self._quietly(self._phone.leave(channel, RETURN_CONTEXT)))
            case EndCall(channel):
                self._spawn(self._quietly(self._phone.hang_up(channel)))
            case SaveWrapUp(wrap_up, final):
                self._save(wrap_up, final)
            case SetLoudness() | Consult() | PauseAgent():
                self._spawn(self._carry(command))
            case AnswerAction(answer):
                self._answer(answer)
            case commands.FenceEvents():
                self._spawn(self._fence(command))
            case CheckHold():
                self._spawn(self._check_hold(command))
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

    def _save_step(self, step: AssistStep) -> None:
        if step.kind is StepKind.NAME_RECORDED:
            self._spawn(self._save_name(step))
        else:
            self._keep(step)

    def _keep(self, step: AssistStep) -> None:
        log.info("assist", call=step.call_id, step=step.kind.value, what=step.what, outcome=step.outcome)
        self._save(step, True)

    async def _save_name(self, step: AssistStep) -> None:
        """The core has heard the caller; whether Asterisk has recorded it is seen once the file is closed."""
        if problem := await self._recording.problem(step.what):
            step = replace(step, kind=StepKind.NO_NAME, what="", why=problem, caller_number="")
        self._keep(step)

    async def _name(self, command: RecordName | StopRecording | DropName) -> None:
        match command:
            case RecordName():
                self.receive(await self._recording.record(command))
            case StopRecording(name_id):
                await self._quietly(self._recording.stop(name_id))
            case DropName(name_id):
                try:
                    await self._recording.drop(name_id)
                except OSError as error:
                    log.warning("a recording without a name could not be deleted; tried again", reason=str(error))

    async def _check_hold(self, command: CheckHold) -> None:
        """Of channels whose hold Asterisk does not know, its events tell: the fence has all of them arrive."""
        held, problem = False, ""
        try:
            holders = await asyncio.gather(*map(self._phone.holds, command.channels))
            held = any(holders)
            if None in holders and not held:
                await self._phone.fence()
        except LinkError as error:
            problem = str(error)
        self.receive(HoldChecked(command.talk_id, command.check_id, held, problem))

    async def _say(self, command: Say | StopSaying) -> None:
        match command:
            case Say():
                self.receive(await self._whispering.say(command))
            case StopSaying(say_id):
                await self._quietly(self._whispering.stop(say_id))

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
            if site := await self._phone.context(command.channel):  # not set again for a caller who came back
                variables["CALLFLOW_SITE"] = site
            await self._phone.leave(command.channel, GOODBYE_CONTEXT, variables)
        except LinkError as error:
            self.receive(PartingFailed(command.talk_id, str(error)))
        else:
            self.receive(CallerParted(command.talk_id, self._clock.now_ms()))

    async def _carry(self, command: SetLoudness | Consult | PauseAgent) -> None:
        """Do what an agent's action needs."""
        error = ""
        try:
            match command:
                case SetLoudness(_, channel, gain_db):
                    await self._phone.set_volume(channel, gain_db)
                case Consult(_, channel, exten, context):
                    await self._phone.consult(channel, exten, context)
                case PauseAgent(_, phone, of_itself=True) if not self._tracker.may_be_paused_for(phone, WRAP_UP):
                    log.info("the wrap-up is over, and the agent paused for something else", agent=phone)
                case PauseAgent(_, phone, paused):
                    await self._phone.pause(phone, paused, WRAP_UP if paused else "")
        except LinkError as failed:
            error = failed.problem
            log.warning("what an agent asked for could not be done", reason=error, remedy=failed.remedy)
        self.receive(ActionCarried(command.request_id, error))

    def _answer(self, answer: ActionAnswer) -> None:
        refusal = answer.refusal.value if answer.refusal else ""
        log.info("an agent's action", action=answer.action[:40], done=answer.done, refused=refusal)
        asked = self._asked.get(answer.request_id)
        if asked is not None and not asked.done():
            asked.set_result(answer)

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


def _uniqueids(parties: TalkParties) -> tuple[str, str]:
    return parties.caller_uniqueid, parties.agent_uniqueid


def _holding(parties: TalkParties, holds: Mapping[str, bool]) -> frozenset[HeldBy]:
    """Which of the two has put the other on hold."""
    both = ((HeldBy.CALLER, parties.caller_uniqueid), (HeldBy.AGENT, parties.agent_uniqueid))
    return frozenset(party for party, uniqueid in both if holds[uniqueid])


def _path(pattern: str, prompt: str, language: str) -> str:
    return pattern.format(language=language, prompt=prompt)
