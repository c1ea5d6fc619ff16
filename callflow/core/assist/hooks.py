"""TALK_DETECT on both channels of a talk: taken off, set again a moment later, set afresh."""

from collections.abc import Callable

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.voices import Voice, Voices, ear_settings

UNHOOKED_MS = 150
"""Asterisk 22 plays no whisper to a channel whose hooks have seen a higher sequence number than what it hears now has
(another agent's, or that of music, which is always 0), unless it was without any hook for a frame. So TALK_DETECT is
removed, and set again so much later. A hold's music lives on, for the agent's channel keeps its own."""


class Hooks:
    """Knows which ears are set. `caller_threshold` gives that of the caller's ear now."""

    def __init__(self, case: Case, voices: Voices, caller_threshold: Callable[[], int]) -> None:
        self._case, self._voices = case, voices
        self._caller_threshold = caller_threshold
        self._at: int | None = None
        self._to_arm: tuple[Voice, ...] = ()
        """Whose ears are set at `_at`."""
        self._armed: set[str] = set()

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return self._at

    @property
    def all_set(self) -> bool:
        """Asterisk has set both ears."""
        return len(self._armed) == len(self._both)

    @property
    def awaited(self) -> bool:
        """Ears are to be set at the deadline."""
        return self._at is not None

    def renew_both(self, now_ms: int) -> None:
        """All hooks off, then the ears on."""
        self.remove()
        self._armed.clear()
        self._to_arm, self._at = self._both, now_ms + UNHOOKED_MS

    def renew_callers(self, now_ms: int) -> None:
        """The same for the caller's channel alone: music is what it hears from here."""
        caller = self._voices.caller
        self._case.do(commands.StopListening(self._case.caller_ear, caller.channel, disarm=True))
        caller.rearmed(now_ms + UNHOOKED_MS)
        self._armed.discard(self._case.caller_ear)
        self._to_arm, self._at = (caller,), now_ms + UNHOOKED_MS

    def wait(self) -> None:
        """Nothing may be set now: hooks that are set in a native bridge end its music."""
        self._at = None

    def remove(self) -> None:
        """All hooks off."""
        for voice in self._both:
            self._case.do(commands.StopListening(self._ear(voice), voice.channel, disarm=True))

    def proceed(self, now_ms: int) -> None:
        """Set what is due."""
        if self._at is not None and now_ms >= self._at:
            self._at = None
            for voice in self._to_arm:
                self._arm(voice)

    def is_set(self, ear: str) -> None:
        """Asterisk has set this ear."""
        self._armed.add(ear)

    def doubt_endless_sounds(self, now_ms: int) -> None:
        """The ear is set afresh: a sound that goes on is told again; a phone that sends nothing makes none."""
        for voice in self._voices.endless(now_ms):
            self._arm(voice)
            voice.rearmed(now_ms)

    def _arm(self, voice: Voice) -> None:
        is_caller = voice is self._voices.caller
        settings = ear_settings(self._caller_threshold() if is_caller else self._case.profile.talk_detect.threshold)
        self._case.do(commands.ArmEar(self._ear(voice), voice.channel, settings.silence_ms, settings.threshold))

    @property
    def _both(self) -> tuple[Voice, Voice]:
        return self._voices.caller, self._voices.agent

    def _ear(self, voice: Voice) -> str:
        return self._case.caller_ear if voice is self._voices.caller else self._case.agent_ear
