"""The ears of one call: Asterisk's own always, the tap where the profile wants it and Asterisk can give it."""

from enum import Enum

from callflow.core import events
from callflow.core.profile import Profile
from callflow.core.screening.talk_detect import EarName, Sound, TalkDetectEar

ECHO_LEAST_MS = 40
"""A prompt takes longer than this to the phone, back, and into Asterisk's ear (a packet each way, and a frame)."""
SAME_SOUND_MS = 250
"""So soon after Asterisk's ear the tap hears the same sound; it needs 0.2 s where it has just been opened."""


class Tap(Enum):
    """How the tap of a call is."""

    AWAITED = "awaited"
    LIVE = "live"
    LOST = "lost"
    """It could not be had, or no longer."""


class Ears:
    """Either ear may hear the caller; what the sound was, the tap judges while it is live."""

    def __init__(self, profile: Profile) -> None:
        self._own = TalkDetectEar(profile.talk_detect)
        self._settings = profile.talk_detect
        self.wants_tap = profile.ear == "tap"
        """The tap judges; otherwise it is at most a witness of what Asterisk's ear would have heard."""
        self._tap = Tap.AWAITED
        self._media = False
        self._arms_awaited = 0
        self._prompt_at = 0

    @property
    def name(self) -> EarName:
        """The ear that judges now."""
        return EarName.TAP if self.tapped else EarName.TALK_DETECT

    @property
    def tapped(self) -> bool:
        """The tap is live and judges."""
        return self.wants_tap and self._tap is Tap.LIVE

    @property
    def may_probe(self) -> bool:
        """Asterisk's ear can look for low voices, in the place of a tap that could not be had."""
        lower = self._settings.probe_threshold < self._settings.threshold
        return self.wants_tap and self._tap is Tap.LOST and lower

    @property
    def media_awaited(self) -> bool:
        """The tap is live, and the line has carried nothing yet."""
        return self.tapped and not self._media

    # -- arming -----------------------------------------------------------------------------------------------------

    def arm(self, *, low: bool = False) -> tuple[int, int]:
        """`silence_ms` and `threshold` to arm TALK_DETECT with; EarArmed is awaited.

        A sound that is under way is forgotten: one that lasts is reported again.
        """
        self._arms_awaited += 1
        self._own.forget()
        return self._settings.silence_ms, self._settings.probe_threshold if low else self._settings.threshold

    def armed(self) -> bool:
        """EarArmed has come; False if nobody has asked for it."""
        if not self._arms_awaited:
            return False
        self._arms_awaited -= 1
        return True

    def forget(self) -> None:
        """What was heard until now counts for nothing."""
        self._own.forget()

    def prompt_begins(self, now_ms: int) -> None:
        """From now on the caller is played a prompt, and may echo it."""
        self._prompt_at = now_ms

    # -- sounds -----------------------------------------------------------------------------------------------------

    @property
    def decide_at(self) -> int | None:
        """When the sound under way must be judged at the latest, epoch ms; None when there is none to judge."""
        return self._own.decide_at

    @property
    def sounding_since(self) -> int | None:
        """When the sound that Asterisk's ear hears now began, epoch ms; None when there is none."""
        return self._own.sounding_since

    @property
    def speech_since(self) -> int | None:
        """When the sound began that Asterisk's ear took for speech and still hears; None when there is none."""
        return self._own.sounding_since if self._own.decide_at is None else None

    def hear(self, event: events.Event, now_ms: int) -> Sound | None:
        """What an event says of the caller; None while nothing is certain."""
        match event:
            case events.TapOpened():
                self._tap = Tap.LIVE
            case events.TapLost():
                self._tap = Tap.LOST
            case events.MediaBegan():
                self._media = True
            case events.VoiceBegan() if self.tapped and (event.certain or self._is_no_echo(event)):
                return Sound(True, event.at_ms, now_ms, "", "a voice", EarName.TAP)
            case events.SoundStarted() | events.SoundEnded():
                return self._own.hear(event, now_ms)
        return None

    def expire(self, now_ms: int) -> Sound | None:
        """What the time that has passed says about the sound under way."""
        return self._own.expire(now_ms)

    def _is_no_echo(self, voice: events.VoiceBegan) -> bool:
        """Asterisk's ear heard this sound begin before the prompt could come back."""
        told_at = self._own.told_at
        if told_at is None:
            return False
        return told_at <= self._prompt_at + ECHO_LEAST_MS and voice.at_ms <= told_at + SAME_SOUND_MS
