"""Says a prompt to one party of a talk, by a whisper over AMI, and tells what became of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from callflow.adapters.ami.translate_assist import WhisperAttached, WhisperEvent
from callflow.core.assist.commands import Say
from callflow.core.assist.facts import Outcome, PromptOver
from callflow.errors import LinkError

FLOW_S = 0.06
"""In so long at least two packets come of a phone that sends."""
PACKETS_PER_S = 30
"""With fewer of the other party's packets, parts of a prompt are missing."""
ATTACH_S = 1.0
LONGEST_S = 60.0


class WhisperPhone(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def whisper(self, say_id: str, uniqueid: str, path: str) -> None: ...
    async def hang_up(self, channel: str) -> None: ...
    async def packets(self, channel: str) -> int | None: ...


@dataclass(slots=True)
class _Whisper:
    attached: bool = False
    stopped: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Whispering:
    """Knows the whispers that are under way. `path_of` makes Asterisk's path of prompt and language."""

    def __init__(self, phone: WhisperPhone, path_of: Callable[[str, str], str], now_ms: Callable[[], int]) -> None:
        self._phone = phone
        self.path_of = path_of
        self._now_ms = now_ms
        self._whispers: dict[str, _Whisper] = {}

    @property
    def live(self) -> int:
        return len(self._whispers)

    def event(self, event: WhisperEvent) -> None:
        """Asterisk tells of a whisper."""
        whisper = self._whispers.get(event.say_id)
        if whisper is None:
            return
        if isinstance(event, WhisperAttached):
            whisper.attached = True
        else:
            whisper.gone.set()

    def link_lost(self) -> None:
        """Nothing will be told of the whispers under way."""
        for whisper in self._whispers.values():
            whisper.gone.set()

    async def stop(self, say_id: str) -> None:
        """End a whisper; before it has begun, it does not begin. Raises LinkError."""
        whisper = self._whispers.get(say_id)
        if whisper is not None:
            whisper.stopped = True
            await self._phone.hang_up(say_id)

    async def say(self, command: Say) -> PromptOver:
        """Play it and wait for its end; never raises LinkError."""
        whisper = self._whispers[command.say_id] = _Whisper()
        try:
            outcome, reason = await self._play(command, whisper)
        except LinkError as error:
            outcome, reason = Outcome.NOT_ATTACHED, str(error)
        finally:
            del self._whispers[command.say_id]
        return PromptOver(command.talk_id, command.say_id, outcome, self._now_ms(), reason)

    async def _play(self, command: Say, whisper: _Whisper) -> tuple[Outcome, str]:
        before = None
        if not command.over_music:
            first = await self._phone.packets(command.other_channel)
            await asyncio.sleep(FLOW_S)
            before = await self._phone.packets(command.other_channel)
            if before is not None and before == first:
                return Outcome.NOT_ATTACHED, "the other party's phone sends nothing, so a whisper would not be heard"
        if whisper.stopped:
            return Outcome.STOPPED, ""
        began_s = asyncio.get_running_loop().time()
        path = self.path_of(command.prompt, command.language)
        await self._phone.whisper(command.say_id, command.uniqueid, path)
        if whisper.stopped:  # told to stop before Asterisk knew the channel
            await self._phone.hang_up(command.say_id)
        await self._end_of(command, whisper)
        lasted_s = asyncio.get_running_loop().time() - began_s
        if not whisper.attached:
            return (Outcome.STOPPED, "") if whisper.stopped else (Outcome.NOT_ATTACHED, "no spy was attached")
        if whisper.stopped:
            return Outcome.STOPPED, ""
        if command.over_music:
            return Outcome.REACHED, ""
        return await self._judge(command, before, lasted_s)

    async def _end_of(self, command: Say, whisper: _Whisper) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await whisper.gone.wait()
        except TimeoutError:
            await self._phone.hang_up(command.say_id)

    async def _judge(self, command: Say, before: int | None, lasted_s: float) -> tuple[Outcome, str]:
        """Heard, if the other party's packets came all the time, from the same source."""
        after = await self._phone.packets(command.other_channel)
        if before is None or after is None:
            return Outcome.UNKNOWN, "Asterisk does not count the other party's packets"
        if after < before:
            return Outcome.UNKNOWN, "the other party's phone has changed its stream"
        if after - before < PACKETS_PER_S * lasted_s:
            return Outcome.UNKNOWN, "the other party's packets did not come all the time"
        return Outcome.REACHED, ""
