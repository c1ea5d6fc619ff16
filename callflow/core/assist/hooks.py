"""TALK_DETECT on both channels of a talk: set so that no hold loses its music, taken off and set again.

A bridge in which neither channel has a hook is native. If anything is attached there while music plays, the music ends.
In a bridge where one channel keeps its hook, everything may come and go, with music or without. So the agent's ear is
set first, at once if nobody is on hold, and no hook is taken off before the other party's is set.
"""

from collections.abc import Callable
from enum import Enum

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.commands import CheckHold
from callflow.core.assist.voices import Voice, Voices, ear_settings

UNHOOKED_MS = 150
"""Asterisk 22 plays no whisper to a channel whose hooks have seen a higher sequence number than what it hears now has
(another agent's, or that of music, which is always 0), unless it was without any hook for a frame. So TALK_DETECT is
removed, and set again so much later."""
CHECK_AGAIN_MS = 1000
"""A hold that Asterisk knows, and of which no event has told: it is asked again so much later."""


class Bridge(Enum):
    """What would become of the music of a hold that is told now."""

    NATIVE = "no ear is set: it ends with whatever is attached"
    CHANGING = "the first ear is being set: it ends if the hold began before"
    SIMPLE = "nothing can end it"


class Hooks:
    """Knows which ears are set. `caller_threshold` gives that of the caller's ear now."""

    def __init__(self, case: Case, voices: Voices, caller_threshold: Callable[[], int]) -> None:
        self._case, self._voices = case, voices
        self._caller_threshold = caller_threshold
        self.bridge = Bridge.NATIVE
        self._set: set[str] = set()
        """Ears that Asterisk has set."""
        self._asked: set[str] = set()
        """Ears that Asterisk is asked to set."""
        self._checks = 0
        self._checking = False
        """Asterisk is asked whether one of the two is on hold, or will be at `_check_at`."""
        self._check_at: int | None = None
        self._waits = False
        """A hold goes on in which nothing may be attached."""
        self._to_renew: list[Voice] = []
        """Whose hooks are taken off next, in order."""
        self._off: Voice | None = None
        """Whose hooks are off, until `_at`."""
        self._at = 0

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        off_until = None if self._off is None else self._at
        return min((at for at in (off_until, self._check_at) if at is not None), default=None)

    @property
    def all_set(self) -> bool:
        """Asterisk has set both ears."""
        return all(map(self._is_set, self._both))

    @property
    def settled(self) -> bool:
        """Both ears are set, or will be."""
        known = self._set | self._asked
        will_be = self._checking or self._off is not None or bool(self._to_renew)
        return will_be or all(self._ear(voice) in known for voice in self._both)

    def start(self, *, agent_too: bool) -> None:
        """The agent's ear first; then the hooks of the caller are renewed, and with `agent_too` the agent's."""
        self._waits = False
        self._to_renew = list(self._both if agent_too else self._both[:1])
        self._check()

    def _check(self) -> None:
        self._checks += 1
        self._checking, self._check_at = True, None
        parties = self._case.parties
        self._case.do(CheckHold(self._case.talk_id, self._checks, (parties.agent_channel, parties.caller_channel)))

    def checked(self, check_id: int, now_ms: int, *, held: bool) -> None:
        """Whether one of the two was on hold when Asterisk was asked."""
        if not self._checking or check_id != self._checks:
            return
        if held:
            self._check_at = now_ms + CHECK_AGAIN_MS
            return
        self._checking = False
        if self._is_set(self._voices.agent):
            self.bridge = Bridge.SIMPLE
            self.proceed(now_ms)
        else:
            self.bridge = Bridge.CHANGING
            self._arm(self._voices.agent)

    def held(self, now_ms: int, *, by_agent: bool) -> None:
        """Music begins. Where it could be ended nothing is attached until `start`."""
        caller = self._voices.caller
        if self.bridge is not Bridge.SIMPLE:
            self._waits = True
            self._checking, self._check_at, self._off = False, None, None
            self._to_renew.clear()
        elif by_agent and self._off is caller:
            self._take_off(caller, now_ms)
        elif by_agent:
            self._to_renew = [caller, *(voice for voice in self._to_renew if voice is not caller)]
        self.proceed(now_ms)

    def is_set(self, ear: str) -> None:
        """Asterisk has set this ear; `proceed` follows."""
        self._asked.discard(ear)
        if self._off is None or ear != self._ear(self._off):
            self._set.add(ear)
        if self.bridge is Bridge.CHANGING and not self._checking and not self._waits:
            self._check()

    def proceed(self, now_ms: int) -> None:
        """Set what is due, and take off what is next."""
        if self._check_at is not None and now_ms >= self._check_at:
            self._check()
        if self._off is not None and now_ms >= self._at:
            voice, self._off = self._off, None
            self._arm(voice)
        if self._off is None and self._to_renew and self._is_set(self._other(self._to_renew[0])):
            self._take_off(self._to_renew.pop(0), now_ms)

    def remove(self) -> None:
        """All hooks off."""
        for voice in self._both:
            self._case.do(commands.StopListening(self._ear(voice), voice.channel, disarm=True))

    def doubt_endless_sounds(self, now_ms: int) -> None:
        """The ear is set afresh: a sound that goes on is told again; a phone that sends nothing makes none."""
        for voice in self._voices.endless(now_ms):
            self._arm(voice)
            voice.rearmed(now_ms)

    def _take_off(self, voice: Voice, now_ms: int) -> None:
        self._case.do(commands.StopListening(self._ear(voice), voice.channel, disarm=True))
        self._set.discard(self._ear(voice))
        self._off, self._at = voice, now_ms + UNHOOKED_MS
        voice.rearmed(self._at)

    def _arm(self, voice: Voice) -> None:
        self._asked.add(self._ear(voice))
        is_caller = voice is self._voices.caller
        settings = ear_settings(self._caller_threshold() if is_caller else self._case.profile.talk_detect.threshold)
        self._case.do(commands.ArmEar(self._ear(voice), voice.channel, settings.silence_ms, settings.threshold))

    @property
    def _both(self) -> tuple[Voice, Voice]:
        return self._voices.caller, self._voices.agent

    def _other(self, voice: Voice) -> Voice:
        caller, agent = self._both
        return agent if voice is caller else caller

    def _is_set(self, voice: Voice) -> bool:
        return self._ear(voice) in self._set

    def _ear(self, voice: Voice) -> str:
        return self._case.caller_ear if voice is self._voices.caller else self._case.agent_ear
