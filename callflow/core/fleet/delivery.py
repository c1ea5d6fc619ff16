"""The publisher's side: its events are kept until the collector says that they are stored."""

from enum import StrEnum


class Resend(StrEnum):
    """What to send again."""

    ALL = "all"
    """Everything that is not stored: the collector is there, and misses something."""
    FIRST = "first"
    """The oldest event that is not stored, to learn whether a collector is there."""


class Delivery:
    """Of one stream: the events that one life of a daemon numbers. Times are epoch ms."""

    def __init__(self, timeout_ms: int, longest_ms: int) -> None:
        self._timeout_ms = timeout_ms
        self._longest_ms = longest_ms
        self._wait_ms = timeout_ms
        self._sent = 0
        self._is_silent = False
        self._again_from_ms = 0
        """Before this a gap is that of what is being sent again already."""
        self._again_ms = timeout_ms
        """Longer after each attempt without progress: what was sent before may still be on its way."""
        self._due_at: int | None = None
        self.stored = 0
        """Every event up to here is in the fleet's database."""

    def sent(self, seq: int, now_ms: int) -> None:
        """The broker has this event."""
        self._sent = max(self._sent, seq)
        if self._due_at is None and self._sent > self.stored:
            self._due_at = now_ms + self._wait_ms

    def heard(self, upto: int, gap: bool, now_ms: int) -> Resend | None:
        """The collector has stored everything up to `upto`; `gap`: it knows that something after it is missing."""
        progress = upto > self.stored
        self.stored = max(self.stored, upto)
        missing = self._sent > self.stored
        was_silent, self._is_silent = self._is_silent, False
        if progress:
            self._wait_ms = self._again_ms = self._timeout_ms
            if now_ms < self._again_from_ms:  # what goes again is arriving: it may be long
                self._again_from_ms = now_ms + self._timeout_ms
        if progress or not missing:
            self._due_at = now_ms + self._wait_ms if missing else None
        if missing and (was_silent or (gap and now_ms >= self._again_from_ms)):
            self._again_from_ms = now_ms + self._again_ms
            self._again_ms = min(2 * self._again_ms, self._longest_ms)
            return Resend.ALL
        return None

    def expire(self, now_ms: int) -> Resend | None:
        """Nothing was heard for too long: the broker may have forgotten everything, or no collector is there."""
        if self._due_at is None or now_ms < self._due_at:
            return None
        self._is_silent = True
        self._wait_ms = min(2 * self._wait_ms, self._longest_ms)
        self._due_at = now_ms + self._wait_ms
        return Resend.FIRST

    def next_deadline(self) -> int | None:
        """When `expire` has something to do."""
        return self._due_at
