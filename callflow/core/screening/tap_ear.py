"""The ear that listens to the sound itself: told by the tap when a voice begins, asked what a stretch of time was."""

from callflow.core import events
from callflow.core.commands import Command, OpenTap
from callflow.core.screening.ear import Judgement


class TapEar:
    """Deaf until its tap is open, and again once that is lost; Asterisk's own ear then serves alone."""

    name = "tap"
    decide_at: int | None = None

    def __init__(self, uniqueid: str) -> None:
        self._uniqueid = uniqueid
        self.live = False
        self.lost = False
        """It could not be had, or no longer."""
        self.media = False
        """The line has carried something that is not digital silence."""

    def arm(self, call_id: str, channel: str) -> Command:
        """Have the caller's audio brought."""
        return OpenTap(call_id, self._uniqueid, channel)

    def forget(self) -> None:
        """Nothing is pending here: a voice is told when it is certain."""

    def hear(self, event: events.Event, now_ms: int) -> Judgement | None:
        """Take in what the tap tells; None for all but a voice."""
        match event:
            case events.TapOpened():
                self.live = True
            case events.TapLost():
                self.live, self.lost = False, True
            case events.MediaBegan():
                self.media = True
            case events.VoiceBegan() if self.live:
                return Judgement(True, event.at_ms, now_ms, "", "a voice", self.name)
        return None

    def expire(self, now_ms: int) -> Judgement | None:
        """It has no deadlines."""
        return None
