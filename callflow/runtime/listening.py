"""Carries out what the core wants to know of a caller's sound: from the tap, and from Asterisk's own counters."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.errors import LinkError, TapFailed
from callflow.runtime.evidence import Evidence, PacketPhone, TapGaps

LOSS = 0.2
"""With more of the packets missing, nothing can be said of the rest."""
VOICE = (Heard.SPEECH, Heard.QUIET)
Receive = Callable[[events.Event], None]
Work = Coroutine[Any, Any, None]
Command = (
    commands.OpenTap
    | commands.CloseTap
    | commands.CountPackets
    | commands.BeginWindow
    | commands.JudgeWindow
    | commands.SetGain
)


class Finding(Protocol):
    """What a tap found in a window."""

    @property
    def heard(self) -> Heard: ...
    @property
    def level_dbov(self) -> float | None: ...
    @property
    def noise_dbov(self) -> float: ...
    @property
    def why(self) -> str: ...
    @property
    def heard_ms(self) -> int: ...
    @property
    def speech_ms(self) -> int: ...
    @property
    def tone_ms(self) -> int: ...


class TapBook(TapGaps, Protocol):
    """What is asked of the taps; `open` may raise TapFailed."""

    async def open(self, call_id: str, uniqueid: str) -> None: ...
    def close(self, call_id: str) -> None: ...
    def begin_window(self, call_id: str) -> None: ...
    def finding(self, call_id: str) -> Finding | None: ...
    def flows(self, call_id: str) -> bool: ...
    def plays(self, call_id: str, prompt: str) -> None: ...


class SoundPhone(PacketPhone, Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def set_volume(self, channel: str, gain_db: float) -> None: ...
    async def set_agc(self, channel: str, target_dbov: float) -> None: ...
    async def media(self, channel: str) -> tuple[int, int] | None: ...


class Listening:
    """Knows the taps and the phone; without taps (None) Asterisk's own ear serves every call, and nothing is asked."""

    def __init__(self, taps: TapBook | None, phone: SoundPhone) -> None:
        self._taps = taps
        self._phone = phone
        self._media: dict[str, tuple[int, int]] = {}
        self._evidence = Evidence(taps, phone)

    @property
    def live(self) -> int:
        """Calls that anything is kept of."""
        return max(len(self._media), self._evidence.live)

    def carry_out(self, command: Command, receive: Receive) -> Work | None:
        """Do it at once, or return the work that is left; outcomes go to `receive`."""
        match command:
            case commands.OpenTap():
                return self._open(command, receive) if self._taps else None
            case commands.CloseTap(call_id):
                self._media.pop(call_id, None)
                self._evidence.forget(call_id)
                if self._taps:
                    self._taps.close(call_id)
            case commands.BeginWindow(call_id):
                if self._taps:
                    self._taps.begin_window(call_id)
            case commands.CountPackets(call_id, channel):
                return self._evidence.count(call_id, channel)
            case commands.JudgeWindow(call_id):
                self._media.setdefault(call_id, (0, 0))
                return self._judge(command, receive)
            case commands.SetGain():
                return self._set_gain(command, receive)
        return None

    @contextmanager
    def playing(self, call_id: str, prompt: str) -> Iterator[None]:
        """While inside, the caller is played this prompt, and may echo it."""
        if self._taps:
            self._taps.plays(call_id, prompt)
        try:
            yield
        finally:
            if self._taps:
                self._taps.plays(call_id, "")

    async def _open(self, command: commands.OpenTap, receive: Receive) -> None:
        if self._taps is None:
            return
        try:
            await self._taps.open(command.call_id, command.uniqueid)
        except TapFailed as error:
            receive(events.TapLost(command.call_id, error.problem))
        else:
            self._evidence.follow(command.call_id, command.channel, receive)
            receive(events.TapOpened(command.call_id))

    async def _judge(self, command: commands.JudgeWindow, receive: Receive) -> None:
        verified = command.verdict and await self._evidence.verified(command.call_id, command.channel)
        receive(replace(await self._found(command), verified=verified))

    async def _found(self, command: commands.JudgeWindow) -> events.WindowJudged:
        if self._taps is None:
            return events.WindowJudged(command.call_id, command.ask_id)
        found = self._taps.finding(command.call_id)
        voice = found is not None and found.heard in VOICE
        trouble = None
        if command.verdict and not voice and not (found is not None and self._taps.flows(command.call_id)):
            trouble = await self._trouble(command, heard_anything=found is not None)
        if trouble is not None:
            heard, why = trouble
            noise_dbov = None if found is None else found.noise_dbov
            return events.WindowJudged(command.call_id, command.ask_id, heard, None, noise_dbov, why)
        return _judged(command, found)

    async def _trouble(self, command: commands.JudgeWindow, *, heard_anything: bool) -> tuple[Heard, str] | None:
        """What is wrong with the media since the last question; None when nothing is, or nobody can tell."""
        try:
            media = await self._phone.media(command.channel)
        except LinkError:
            return None
        if media is None:
            return None
        before = self._media.get(command.call_id, (0, 0))
        if command.call_id in self._media:  # the call may be over
            self._media[command.call_id] = media
        received, lost = media[0] - before[0], media[1] - before[1]
        if not media[0]:
            return Heard.NO_MEDIA, "no RTP has come"
        if not received and not heard_anything:
            return Heard.ONE_WAY_SUSPECTED, "RTP came, and stopped"
        if lost > LOSS * (lost + received):
            return Heard.PACKET_LOSS, f"{lost} of {lost + received} packets are missing"
        return None

    async def _set_gain(self, command: commands.SetGain, receive: Receive) -> None:
        try:
            if command.how == "agc":
                await self._phone.set_agc(command.channel, command.target_dbov)
            else:
                await self._phone.set_volume(command.channel, command.gain_db)
        except LinkError as error:
            receive(events.GainRefused(command.call_id, error.problem))
        else:
            receive(events.GainSet(command.call_id, command.gain_db))


def _judged(command: commands.JudgeWindow, found: Finding | None) -> events.WindowJudged:
    if found is None:
        return events.WindowJudged(command.call_id, command.ask_id)
    level, noise = found.level_dbov, found.noise_dbov
    parts = found.heard_ms, found.speech_ms, found.tone_ms
    return events.WindowJudged(command.call_id, command.ask_id, found.heard, level, noise, found.why, *parts)
