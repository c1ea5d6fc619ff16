"""The listening service: taps and TALK_DETECT of any channel, for any owner, for as long as the owner needs them.

An owner is a core's call: screening is one, help in a bridged call can be another, on the caller's channel and on the
agent's. A tap is opened for its first owner and closed after its last; what it hears is told to each of them. A window
belongs to the tap: the owner who began the last one is answered about it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import floor
from typing import Any, Protocol

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.errors import LinkError, TapFailed
from callflow.runtime.evidence import Count, Evidence, PacketPhone, TapGaps

LOSS = 0.2
"""With more of the packets missing, nothing can be said of the rest."""
NOTHING = (Heard.DIGITAL_SILENCE, Heard.COMFORT_NOISE)
"""Findings that missing packets may explain: a tap that has heard something has heard it in spite of them."""
KEPT = 0.25
"""Share of all taps that is kept for owners who do not yield."""
Receive = Callable[[events.Event], None]
Work = Coroutine[Any, Any, None]
"""What a tap tells by itself."""
Heardable = events.VoiceBegan | events.MediaBegan | events.TapLost | events.EarDeafened
Command = (
    commands.ArmEar
    | commands.OpenTap
    | commands.StopListening
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
    @property
    def lasting_ms(self) -> int: ...


class TapBook(TapGaps, Protocol):
    """What is asked of the taps, by uniqueid; `open` returns whether the audio is whole, and may raise TapFailed."""

    counts: Counter[str]

    async def open(self, key: str, uniqueid: str, *, some_will_do: bool) -> bool: ...
    def close(self, key: str) -> None: ...
    def begin_window(self, key: str) -> None: ...
    def finding(self, key: str) -> Finding | None: ...
    def is_behind(self, key: str) -> bool: ...
    def flows(self, key: str) -> bool: ...
    def plays(self, key: str, prompt: str) -> None: ...


class SoundPhone(PacketPhone, Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def arm_ear(self, channel: str, silence_ms: int, threshold: int) -> None: ...
    async def disarm_ear(self, channel: str) -> None: ...
    async def set_volume(self, channel: str, gain_db: float) -> None: ...
    async def set_agc(self, channel: str, target_dbov: float) -> None: ...
    async def media(self, channel: str) -> tuple[int, int] | None: ...


@dataclass(slots=True)
class _Owner:
    """A call of a core that listens to one channel."""

    receive: Receive
    call_id: str
    channel: str
    uniqueid: str = ""
    """Of the channel, once its tap was asked for."""
    media: tuple[int, int] = (0, 0)
    """Packets received and lost, at the last question."""
    counted: Count | None = None
    armed: bool = False
    gone: bool = False


@dataclass(slots=True)
class _Tap:
    """An open tap, or one that is being opened, and its owners in the order in which they came."""

    opening: asyncio.Task[bool]
    owners: list[_Owner] = field(default_factory=list)


class Listening:
    """Knows the taps and the phone; without taps (None) Asterisk's own ear serves every call."""

    def __init__(self, taps: TapBook | None, phone: SoundPhone, max_taps: int = 0) -> None:
        self._taps = taps
        self._most_yielding = floor(max_taps * (1 - KEPT))
        """With so many taps open, none is opened for an owner who yields."""
        self._phone = phone
        self._evidence = Evidence(taps, phone)
        self._owners: dict[tuple[str, str], _Owner] = {}
        self._open: dict[str, _Tap] = {}
        self._armed: Counter[str] = Counter()
        """How many owners have armed TALK_DETECT on a channel."""

    @property
    def live(self) -> int:
        """Owners, and taps, that anything is kept of."""
        return max(len(self._owners), len(self._open), len(self._armed), self._evidence.live)

    def carry_out(self, core: str, command: Command, receive: Receive) -> Work | None:
        """Do what a call of this core wants at once, or return the work that is left; outcomes go to `receive`."""
        if isinstance(command, commands.StopListening):
            return self._stop(self._owners.pop((core, command.call_id), None), command)
        owner = self._owners.get((core, command.call_id))
        if owner is None and isinstance(command, commands.ArmEar | commands.OpenTap):
            owner = _Owner(receive, command.call_id, command.channel)
            self._owners[core, command.call_id] = owner
        if owner is None:
            return None
        match command:
            case commands.ArmEar():
                return self._arm(owner, command)
            case commands.OpenTap():
                return self._open_tap(owner, command, self._taps) if self._taps else None
            case commands.CountPackets():
                return self._count(owner)
            case commands.BeginWindow():
                if self._taps:
                    self._taps.begin_window(owner.uniqueid)
            case commands.JudgeWindow():
                return self._judge(owner, command)
            case commands.SetGain():
                return self._set_gain(owner, command)
        return None

    def heard(self, event: events.Event) -> None:
        """A tap tells of its channel, which stands where the event has its call: each owner is told."""
        tap = self._open.get(event.call_id) if isinstance(event, Heardable) else None
        if tap is None or not isinstance(event, Heardable):
            return
        if isinstance(event, events.TapLost):
            self._forget_tap(event.call_id)
        for owner in list(tap.owners):
            owner.receive(replace(event, call_id=owner.call_id))

    @contextmanager
    def playing(self, core: str, call_id: str, prompt: str) -> Iterator[None]:
        """While inside, the caller is played this prompt, and may echo it."""
        owner = self._owners.get((core, call_id))
        if self._taps and owner:
            self._taps.plays(owner.uniqueid, prompt)
        try:
            yield
        finally:
            if self._taps and owner:
                self._taps.plays(owner.uniqueid, "")

    # -- TALK_DETECT ------------------------------------------------------------------------------------------------

    async def _arm(self, owner: _Owner, command: commands.ArmEar) -> None:
        if not owner.armed and not owner.gone:
            owner.armed = True
            self._armed[owner.channel] += 1
        try:
            await self._phone.arm_ear(command.channel, command.silence_ms, command.threshold)
        except LinkError as error:
            owner.receive(events.EarFailed(command.call_id, str(error)))
        else:
            owner.receive(events.EarArmed(command.call_id))

    def _stop(self, owner: _Owner | None, command: commands.StopListening) -> Work | None:
        if owner is not None:
            owner.gone = True
            self._leave_tap(owner)
            self._forget_armed(owner)
        return self._disarm(command.channel) if command.disarm and not self._armed[command.channel] else None

    def _forget_armed(self, owner: _Owner) -> None:
        if owner.armed:
            self._armed[owner.channel] -= 1
            if not self._armed[owner.channel]:
                del self._armed[owner.channel]

    async def _disarm(self, channel: str) -> None:
        try:
            await self._phone.disarm_ear(channel)
        except LinkError:
            return  # the channel, or AMI, is gone

    # -- taps -------------------------------------------------------------------------------------------------------

    async def _open_tap(self, owner: _Owner, command: commands.OpenTap, taps: TapBook) -> None:
        if owner.gone:
            return
        tap = self._open.get(command.uniqueid)
        if tap is None and command.yields and len(self._open) >= self._most_yielding:
            taps.counts["kept for screening"] += 1
            owner.receive(events.TapLost(owner.call_id, "the last taps are kept for screening"))
            return
        uniqueid = owner.uniqueid = command.uniqueid
        if tap is None:
            opening = asyncio.get_running_loop().create_task(
                taps.open(uniqueid, uniqueid, some_will_do=command.some_will_do)
            )
            tap = self._open[uniqueid] = _Tap(opening)
        tap.owners.append(owner)
        await asyncio.wait([tap.opening])
        error = tap.opening.exception()
        if owner.gone:
            return
        if error is None:
            self._evidence.follow(uniqueid, owner.channel, lambda: self.heard(events.EarDeafened(uniqueid)))
            owner.receive(events.TapOpened(owner.call_id, tap.opening.result()))
        elif isinstance(error, TapFailed):
            self._leave_tap(owner)
            owner.receive(events.TapLost(owner.call_id, error.problem))
        else:
            self._leave_tap(owner)
            raise error

    def _leave_tap(self, owner: _Owner) -> None:
        tap = self._open.get(owner.uniqueid)
        if tap is None or owner not in tap.owners:
            return
        tap.owners.remove(owner)
        if not tap.owners:
            self._forget_tap(owner.uniqueid)
            if self._taps:
                self._taps.close(owner.uniqueid)

    def _forget_tap(self, uniqueid: str) -> None:
        self._open.pop(uniqueid, None)
        self._evidence.forget(uniqueid)

    # -- questions --------------------------------------------------------------------------------------------------

    async def _count(self, owner: _Owner) -> None:
        owner.counted = await self._evidence.count(owner.channel)

    async def _judge(self, owner: _Owner, command: commands.JudgeWindow) -> None:
        verified = command.verdict and await self._evidence.verified(owner.uniqueid, owner.channel, owner.counted)
        owner.receive(replace(await self._found(owner, command), verified=verified))

    async def _found(self, owner: _Owner, command: commands.JudgeWindow) -> events.WindowJudged:
        if self._taps is None:
            return events.WindowJudged(command.call_id, command.ask_id)
        found = self._taps.finding(owner.uniqueid)
        if self._taps.is_behind(owner.uniqueid):
            return events.WindowJudged(command.call_id, command.ask_id, behind=True)
        nothing = found is None or found.heard in NOTHING
        trouble = None
        if command.verdict and nothing and not (found is not None and self._taps.flows(owner.uniqueid)):
            trouble = await self._trouble(owner, heard_anything=found is not None)
        if trouble is not None:
            heard, why = trouble
            noise_dbov = None if found is None else found.noise_dbov
            return events.WindowJudged(command.call_id, command.ask_id, heard, None, noise_dbov, why)
        return _judged(command, found)

    async def _trouble(self, owner: _Owner, *, heard_anything: bool) -> tuple[Heard, str] | None:
        """What is wrong with the media since the last question; None when nothing is, or nobody can tell."""
        try:
            media = await self._phone.media(owner.channel)
        except LinkError:
            return None
        if media is None:
            return None
        before, owner.media = owner.media, media
        if media[0] < before[0]:
            before = 0, 0  # the counters begin again with a new source (SSRC)
        received, lost = media[0] - before[0], media[1] - before[1]
        if not media[0]:
            return Heard.NO_MEDIA, "no RTP has come"
        if not received and not heard_anything:
            return Heard.ONE_WAY_SUSPECTED, "RTP came, and stopped"
        if lost > LOSS * (lost + received):
            return Heard.PACKET_LOSS, f"{lost} of {lost + received} packets are missing"
        return None

    async def _set_gain(self, owner: _Owner, command: commands.SetGain) -> None:
        try:
            if command.how == "agc":
                await self._phone.set_agc(command.channel, command.target_dbov)
            else:
                await self._phone.set_volume(command.channel, command.gain_db)
        except LinkError as error:
            owner.receive(events.GainRefused(command.call_id, error.problem))
        else:
            owner.receive(events.GainSet(command.call_id, command.uniqueid, command.gain_db))


def _judged(command: commands.JudgeWindow, found: Finding | None) -> events.WindowJudged:
    if found is None:
        return events.WindowJudged(command.call_id, command.ask_id)
    level, noise = found.level_dbov, found.noise_dbov
    parts = found.heard_ms, found.speech_ms, found.tone_ms, found.lasting_ms
    return events.WindowJudged(command.call_id, command.ask_id, found.heard, level, noise, found.why, *parts)
