"""Says a prompt to one party of a talk over AMI, and reports its outcome.

A prompt is a whisper, which needs packets of the other party. Where that phone sends none, a feature code has the
listener's own channel play the prompt, if the agent has the codes.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from callflow.adapters.ami.translate_assist import WhisperAttached, WhisperEvent
from callflow.core.assist.commands import Say
from callflow.core.assist.facts import Outcome, PromptOver
from callflow.errors import ActionRefused, LinkError

LOOKS_S = (0.06, 0.12)
"""In so long a phone that sends is seen to send; the second look decides where the first leaves doubt."""
FLOW_PACKETS = 3
"""In one look. Fewer may be what is left of a key, whose last packet is sent three times, at once or 20 ms apart; or
packets of a phone that sends are late."""
PACKETS_PER_S = 30
"""With fewer of the other party's packets, parts of a prompt are missing."""
CODE_S = 1.5
"""From the keys of a code until its prompt begins; it takes 0.5 s."""
LONGEST_S = 60.0
NOT_PLAYED = "Asterisk could not play the prompt"


class WhisperPhone(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def whisper(self, say_id: str, uniqueid: str, path: str) -> None: ...
    async def has_codes(self, channel: str) -> bool: ...
    async def play_by_code(self, say_id: str, listener: str, agent: str, path: str) -> None: ...
    async def stop_by_code(self, listener: str) -> None: ...
    async def hang_up(self, channel: str) -> None: ...
    async def packets(self, channel: str) -> int | None: ...


@dataclass(slots=True)
class _Whisper:
    listener: str = ""
    """The channel that plays the prompt itself; "" for a whisper."""
    attached: bool = False
    stopped: bool = False
    played: bool = True
    """False: Asterisk could not play the file."""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Asterisk has told something of it, or never will."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Nothing more will be told of it."""
        self.told.set()
        self.gone.set()


class Whispering:
    """Knows the whispers that are under way. `path_of` makes Asterisk's path of prompt and language."""

    def __init__(self, phone: WhisperPhone, path_of: Callable[[str, str], str], now_ms: Callable[[], int]) -> None:
        self._phone = phone
        self.path_of = path_of
        self._now_ms = now_ms
        self._whispers: dict[str, _Whisper] = {}
        self._codes_dead = False
        """A code did nothing: Asterisk has not loaded the map, and the other party hears the keys as tones."""

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
            whisper.told.set()
        else:
            whisper.played = whisper.played and event.played
            whisper.end()

    def link_lost(self) -> None:
        """Nothing will be told of the whispers under way."""
        self._codes_dead = False
        for whisper in self._whispers.values():
            whisper.end()

    async def stop(self, say_id: str) -> None:
        """End a whisper; before it has begun, it does not begin. Raises LinkError."""
        whisper = self._whispers.get(say_id)
        if whisper is not None:
            whisper.stopped = True
            await self._cut(say_id, whisper)

    async def _cut(self, say_id: str, whisper: _Whisper) -> None:
        if not whisper.listener:
            await self._phone.hang_up(say_id)
            return
        try:
            await self._phone.stop_by_code(whisper.listener)
        except ActionRefused:  # the channel is gone, and with it the prompt
            whisper.end()

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
            sends, before = await self._look_at(command.other_channel)
            if not sends:
                return await self._play_by_code(command, whisper)
        if whisper.stopped:
            return Outcome.STOPPED, ""
        began_s = asyncio.get_running_loop().time()
        path = self.path_of(command.prompt, command.language)
        await self._phone.whisper(command.say_id, command.uniqueid, path)
        if whisper.stopped:  # told to stop before Asterisk knew the channel
            await self._cut(command.say_id, whisper)
        await self._end_of(command, whisper)
        lasted_s = asyncio.get_running_loop().time() - began_s
        if not whisper.attached:
            return (Outcome.STOPPED, "") if whisper.stopped else (Outcome.NOT_ATTACHED, "no spy was attached")
        if whisper.stopped:
            return Outcome.STOPPED, ""
        if not whisper.played:
            return Outcome.NOT_ATTACHED, NOT_PLAYED
        if command.over_music:
            return Outcome.REACHED, ""
        return await self._judge(command, before, lasted_s)

    async def _look_at(self, channel: str) -> tuple[bool, int | None]:
        """Whether its phone sends, as far as is known, and the packets that have come of it."""
        count = await self._phone.packets(channel)
        came = None
        for look_s in LOOKS_S:
            await asyncio.sleep(look_s)
            before, count = count, await self._phone.packets(channel)
            came = None if before is None or count is None else count - before
            if came is None or came >= FLOW_PACKETS:
                break
        return came != 0, count

    async def _play_by_code(self, command: Say, whisper: _Whisper) -> tuple[Outcome, str]:
        agent = command.channel if command.to_agent else command.other_channel
        if self._codes_dead or not await self._phone.has_codes(agent):
            return Outcome.NOT_ATTACHED, "the other party's phone sends nothing, so a whisper would not be heard"
        if whisper.stopped:
            return Outcome.STOPPED, ""
        whisper.listener = command.channel
        path = self.path_of(command.prompt, command.language)
        await self._phone.play_by_code(command.say_id, command.channel, agent, path)
        with suppress(TimeoutError):
            async with asyncio.timeout(CODE_S):
                await whisper.told.wait()
        if whisper.attached:
            if whisper.stopped:  # told to stop before the channel played
                await self._cut(command.say_id, whisper)
            await self._end_of(command, whisper)
        if whisper.stopped:
            return Outcome.STOPPED, ""
        if not whisper.attached:
            self._codes_dead = not whisper.told.is_set()
            return Outcome.NOT_ATTACHED, "Asterisk has not loaded callflow's feature codes"
        if not whisper.played:
            return Outcome.NOT_ATTACHED, NOT_PLAYED
        return Outcome.REACHED, "played by the listener's own channel"

    async def _end_of(self, command: Say, whisper: _Whisper) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await whisper.gone.wait()
        except TimeoutError:
            await self._cut(command.say_id, whisper)

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
