"""The ear that Asterisk brings along: speech or click, told from TALK_DETECT's events alone.

A Start says only that there is sound. A Stop that follows carries the length of the sound without the closing silence.
A sound is speech when it lasted at least `min_speech_ms`, or when no Stop has come `silence_ms + min_speech_ms` after
the Start: a shorter sound would have been reported as ended by then. A phone that stops sending RTP in mid-word makes
no Stop at all, and so counts as speech. Short sounds within `burst_window_ms` add up.
"""

from collections import deque

from callflow.core import events
from callflow.core.commands import ArmEar, Command
from callflow.core.profile import TalkDetect
from callflow.core.screening.ear import Judgement


class TalkDetectEar:
    """Judges one channel's ChannelTalkingStart and ChannelTalkingStop."""

    name = "talk_detect"

    def __init__(self, settings: TalkDetect) -> None:
        self._settings = settings
        self._bursts: deque[tuple[int, int]] = deque(maxlen=64)
        self._began_at = self._told_at = 0
        self._judged = False
        """The sound under way has been called speech already; its end tells nothing new."""
        self.decide_at: int | None = None

    def arm(self, call_id: str, channel: str) -> Command:
        """Set TALK_DETECT with this profile's thresholds."""
        return ArmEar(call_id, channel, self._settings.silence_ms, self._settings.threshold)

    def arm_low(self, call_id: str, channel: str) -> Command:
        """Set it with the threshold of the probe instead."""
        return ArmEar(call_id, channel, self._settings.silence_ms, self._settings.probe_threshold)

    @property
    def sounding_since(self) -> int | None:
        """When the sound that is under way began, epoch ms; None when there is none."""
        return self._began_at if self._judged or self.decide_at is not None else None

    def forget(self) -> None:
        """The ear was armed afresh: a sound that still lasts will be reported again."""
        self.decide_at = None
        self._judged = False

    def hear(self, event: events.Event, now_ms: int) -> Judgement | None:
        """Take in a Start or a Stop; None while nothing is certain."""
        match event:
            case events.SoundStarted():
                return self._started(event, now_ms)
            case events.SoundEnded():
                return self._ended(event, now_ms)
        return None

    def expire(self, now_ms: int) -> Judgement | None:
        """A sound that has lasted too long for a click is speech."""
        if self.decide_at is None or now_ms < self.decide_at:
            return None
        self.decide_at = None
        self._judged = True
        return Judgement(True, self._began_at, self._told_at, "", "a sound that went on", self.name)

    def _started(self, event: events.SoundStarted, now_ms: int) -> Judgement | None:
        """A second Start without a Stop between keeps the earlier clock."""
        if self._settings.min_speech_ms == 0:
            return Judgement(True, event.at_ms, now_ms, "", "any sound counts", self.name)
        if self.decide_at is None:
            self._began_at, self._told_at = event.at_ms, now_ms
            self._judged = False
            self.decide_at = now_ms + self._settings.silence_ms + self._settings.min_speech_ms
        return None

    def _ended(self, event: events.SoundEnded, now_ms: int) -> Judgement | None:
        """An unknown duration is given the benefit of the doubt, and a Stop without a Start is judged like any."""
        judged, self._judged = self._judged, False
        if judged:
            return None
        began_at, told_at = (event.at_ms, now_ms) if self.decide_at is None else (self._began_at, self._told_at)
        self.decide_at = None
        if event.duration_ms is None:
            return Judgement(True, began_at, told_at, "", "a sound of unknown length", self.name)
        self._bursts.append((now_ms, event.duration_ms))
        since = now_ms - self._settings.burst_window_ms
        total_ms = sum(length for at, length in self._bursts if at >= since)
        what = f"{event.duration_ms} ms"
        if max(total_ms, event.duration_ms) < self._settings.min_speech_ms:
            return Judgement(False, began_at, told_at, what, "too short for speech", self.name)
        why = "long enough for speech" if event.duration_ms >= self._settings.min_speech_ms else "short sounds add up"
        return Judgement(True, began_at, told_at, what, why, self.name)
