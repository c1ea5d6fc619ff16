"""Speech or click, told from Asterisk's TALK_DETECT events alone.

A Start says only that there is sound. A Stop that follows carries the length of the sound without the closing silence.
A sound is speech when it lasted at least `min_speech_ms`, or when no Stop has come `silence_ms + min_speech_ms` after
the Start: a shorter sound would have been reported as ended by then. A phone that stops sending RTP in mid-word makes
no Stop at all, and so counts as speech. Short sounds within `burst_window_ms` add up.
"""

from collections import deque

from callflow.core.profile import TalkDetect


class Talking:
    """Judges one channel's sounds; every method that returns bool returns True when the caller has spoken."""

    def __init__(self, ear: TalkDetect) -> None:
        self._ear = ear
        self._bursts: deque[tuple[int, int]] = deque(maxlen=64)
        self.decide_at: int | None = None
        """When the sound under way must be called speech, None when there is none."""

    @property
    def undecided(self) -> bool:
        """A sound is under way that may be speech or a click."""
        return self.decide_at is not None

    def forget(self) -> None:
        """The ear was armed afresh: a sound that still lasts will be reported again."""
        self.decide_at = None

    def started(self, now_ms: int) -> bool:
        """A sound began; a second Start without a Stop between keeps the earlier clock."""
        if self.decide_at is None:
            self.decide_at = now_ms + self._ear.silence_ms + self._ear.min_speech_ms
        return self._ear.min_speech_ms == 0

    def ended(self, now_ms: int, duration_ms: int | None) -> bool:
        """A sound ended; an unknown duration is given the benefit of the doubt, as is a Stop without a Start."""
        self.decide_at = None
        if duration_ms is None:
            return True
        self._bursts.append((now_ms, duration_ms))
        since = now_ms - self._ear.burst_window_ms
        total = sum(length for at, length in self._bursts if at >= since)
        return max(total, duration_ms) >= self._ear.min_speech_ms

    def expired(self, now_ms: int) -> bool:
        """True when the sound under way has lasted too long for a click."""
        return self.decide_at is not None and now_ms >= self.decide_at
