"""Asterisk's own ear: speech or click, told from TALK_DETECT's events alone.

A Start says only that there is sound. A Stop that follows carries the length of the sound without the closing silence.
A sound is speech when it lasted at least `min_speech_ms`, or when no Stop has come `silence_ms + min_speech_ms` after
the Start: a shorter sound would have been reported as ended by then. A phone that stops sending RTP in mid-word makes
no Stop at all, and so counts as speech. Short sounds within `burst_window_ms` add up.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from callflow.core import events
from callflow.core.profile import TalkDetect


class EarName(StrEnum):
    """The ears, as they stand in the records."""

    TALK_DETECT = "talk_detect"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class Sound:
    """What an ear says of one sound: it was speech, or a click."""

    speech: bool
    at_ms: int
    """When it began, by the clock of the ear that heard it."""
    received_ms: int
    """When we were told that it began, by ours."""
    length: str
    """Its length for people, `30 ms`; "" while it lasts."""
    why: str
    ear: EarName


class TalkDetectEar:
    """Judges one channel's ChannelTalkingStart and ChannelTalkingStop."""

    def __init__(self, settings: TalkDetect) -> None:
        self._settings = settings
        self._bursts: deque[tuple[int, int]] = deque(maxlen=64)
        self._began_at = self._received_at = 0
        self._judged = False
        """The sound under way has been called speech already; its end tells nothing new."""
        self.decide_at: int | None = None
        """When the sound under way must be judged at the latest, epoch ms; None without one to judge."""

    @property
    def sounding_since(self) -> int | None:
        """When the sound that is under way began, epoch ms; None when there is none."""
        return self._began_at if self._judged or self.decide_at is not None else None

    @property
    def told_at(self) -> int | None:
        """When we were told of the sound that is under way, by our clock; None when there is none."""
        return None if self.sounding_since is None else self._received_at

    def forget(self) -> None:
        """The ear was armed afresh: a sound that still lasts will be reported again."""
        self.decide_at = None
        self._judged = False

    def hear(self, event: events.Event, now_ms: int) -> Sound | None:
        """Take in a Start or a Stop; None while nothing is certain."""
        match event:
            case events.SoundStarted():
                return self._started(event, now_ms)
            case events.SoundEnded():
                return self._ended(event, now_ms)
        return None

    def expire(self, now_ms: int) -> Sound | None:
        """A sound that has lasted too long for a click is speech."""
        if self.decide_at is None or now_ms < self.decide_at:
            return None
        self.decide_at = None
        self._judged = True
        return Sound(True, self._began_at, self._received_at, "", "a sound that went on", EarName.TALK_DETECT)

    def _started(self, event: events.SoundStarted, now_ms: int) -> Sound | None:
        """A second Start without a Stop between keeps the earlier clock."""
        if self._settings.min_speech_ms == 0:
            return Sound(True, event.at_ms, now_ms, "", "any sound counts", EarName.TALK_DETECT)
        if self.decide_at is None:
            self._began_at, self._received_at = event.at_ms, now_ms
            self._judged = False
            self.decide_at = now_ms + self._settings.silence_ms + self._settings.min_speech_ms
        return None

    def _ended(self, event: events.SoundEnded, now_ms: int) -> Sound | None:
        """An unknown duration is given the benefit of the doubt, and a Stop without a Start is judged like any."""
        judged, self._judged = self._judged, False
        if judged:
            return None
        began_at, received_at = (event.at_ms, now_ms) if self.decide_at is None else (self._began_at, self._received_at)
        self.decide_at = None
        if event.duration_ms is None:
            return Sound(True, began_at, received_at, "", "a sound of unknown length", EarName.TALK_DETECT)
        self._bursts.append((now_ms, event.duration_ms))
        since = now_ms - self._settings.burst_window_ms
        total_ms = sum(length for at, length in self._bursts if at >= since)
        what = f"{event.duration_ms} ms"
        if max(total_ms, event.duration_ms) < self._settings.min_speech_ms:
            return Sound(False, began_at, received_at, what, "too short for speech", EarName.TALK_DETECT)
        why = "long enough for speech" if event.duration_ms >= self._settings.min_speech_ms else "short sounds add up"
        return Sound(True, began_at, received_at, what, why, EarName.TALK_DETECT)
