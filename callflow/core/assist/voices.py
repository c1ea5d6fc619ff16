"""Who speaks: both parties of a talk, from Asterisk's own ear on each channel."""

from dataclasses import dataclass, field

from callflow.core import events
from callflow.core.profile import TalkDetect
from callflow.core.screening.talk_detect import TalkDetectEar

MIN_SPEECH_MS = 40
"""A sound this long stops a prompt: together with the silence that ends a click it is known after 0.2 s."""
SILENCE_MS = 160
ENDLESS_MS = 15_000
"""Nobody speaks so long without a gap of SILENCE_MS. Of a phone that stops sending in a word Asterisk tells no end."""


def ear_settings(threshold: int) -> TalkDetect:
    """TALK_DETECT for turn-taking: quick, so that a prompt stops within 0.3 s."""
    return TalkDetect(threshold=threshold, silence_ms=SILENCE_MS, min_speech_ms=MIN_SPEECH_MS)


@dataclass(slots=True)
class Voice:
    """One party's voice."""

    ear: TalkDetectEar
    uniqueid: str
    channel: str
    silent_since: int
    """The end of the last sound, or when listening began, epoch ms."""
    spoke_at: int | None = None
    """When the last speech was known, epoch ms."""
    speaking: bool = False
    """Speech is under way."""

    @property
    def sounding(self) -> bool:
        """A sound is under way; what it is may not be known yet."""
        return self.ear.sounding_since is not None

    @property
    def endless_at(self) -> int | None:
        """When the sound under way has lasted for too long to be believed, epoch ms."""
        began_ms = self.ear.sounding_since
        return None if began_ms is None else began_ms + ENDLESS_MS

    def rearmed(self, now_ms: int) -> None:
        """The ear was set afresh: a sound that goes on is told again, within less time than a pause lasts."""
        self.ear.forget()
        self.silent_since = max(self.silent_since, now_ms)
        self.speaking = False


@dataclass(slots=True)
class Voices:
    """Both parties. `hear` and `expire` return whose speech has just begun."""

    caller: Voice
    agent: Voice
    _both: tuple[Voice, Voice] = field(init=False)

    def __post_init__(self) -> None:
        self._both = (self.caller, self.agent)

    def of(self, uniqueid: str) -> Voice | None:
        """The party on this channel."""
        return next((voice for voice in self._both if voice.uniqueid == uniqueid), None)

    def hear(self, event: events.SoundStarted | events.SoundEnded, now_ms: int) -> Voice | None:
        """Take in a Start or a Stop; the party if this shows speech that was not known before."""
        voice = self.of(event.uniqueid)
        if voice is None:
            return None
        sound = voice.ear.hear(event, now_ms)
        ended = isinstance(event, events.SoundEnded)
        if ended:
            voice.silent_since = now_ms - SILENCE_MS
            voice.speaking = False
        if sound is None or not sound.speech:
            return None
        voice.spoke_at = now_ms
        voice.speaking = not ended
        return voice

    def expire(self, now_ms: int) -> list[Voice]:
        """Sounds that went on are speech."""
        begun = []
        for voice in self._both:
            sound = voice.ear.expire(now_ms)
            if sound is not None and sound.speech:
                voice.spoke_at, voice.speaking = now_ms, True
                begun.append(voice)
        return begun

    def quiet_since(self, *, caller_only: bool) -> int | None:
        """Since when nobody (or not the caller) has made a sound, epoch ms; None while somebody does."""
        voices = (self.caller,) if caller_only else self._both
        if any(voice.sounding for voice in voices):
            return None
        return max(voice.silent_since for voice in voices)

    def endless(self, now_ms: int) -> list[Voice]:
        """Parties whose sound is not to be believed any more."""
        return [voice for voice in self._both if voice.endless_at is not None and now_ms >= voice.endless_at]

    def next_endless(self) -> int | None:
        """When to call `endless`, epoch ms."""
        return min((at for voice in self._both if (at := voice.endless_at) is not None), default=None)

    def next_deadline(self) -> int | None:
        """When a sound under way must be judged, epoch ms."""
        return min((v.ear.decide_at for v in self._both if v.ear.decide_at is not None), default=None)
