"""The last moments before a hang-up: nothing that the caller did may be on its way, unjudged or unheard.

The fence has every event made before it arrive; then the tap is asked what it has heard, and whether a sound would have
been heard at all. A sound that is under way is held for until it is judged, and then everything is asked again.
"""

from collections.abc import Callable

from callflow.core import commands
from callflow.core.events import WindowJudged
from callflow.core.heard import Heard
from callflow.core.screening.call import Call
from callflow.core.screening.link import Link
from callflow.core.screening.states import IllegalInput, Input, Result, State

ANSWER_TIMEOUT_MS = 1000
FRESH_MS = 100
"""An answer that comes later than this after the fence says nothing of a word that has begun since."""


class Certainty:
    """Asks, and hangs up when the answers leave no doubt. `sounding`: a sound is under way, or not explained yet."""

    def __init__(self, call: Call, link: Link, sounding: Callable[[], bool]) -> None:
        self._call = call
        self._link = link
        self._sounding = sounding
        self._fence_id = 0
        self._fenced_at = 0

    def begin(self, now_ms: int) -> None:
        """The pause is over; all that follows must be done within a second."""
        self._fence(Input.PAUSE_OVER)
        self._call.over_at = now_ms + ANSWER_TIMEOUT_MS

    def fenced(self, fence_id: int, now_ms: int) -> bool:
        """No event is on its way any more; True if no tap and no counter need be asked."""
        self.expect(fence_id)
        if not self._link.proven:
            self.doubt("this ear has not heard any sound since it was connected", now_ms)
        elif self._sounding():
            self._call.go(Input.SOUND)
        else:
            self._call.go(Input.FENCED)
            self._fenced_at = now_ms
            return True
        return False

    def expect(self, fence_id: int) -> None:
        """Raises IllegalInput unless this fence is the one that is waited for."""
        if self._call.state is not State.FENCING or fence_id != self._fence_id:
            raise IllegalInput(self._call.state, Input.FENCED)

    def explained(self) -> None:
        """A sound was judged: what came meanwhile counts, so everything is asked again."""
        if self._call.state is State.HOLDING and not self._sounding():
            self._fence(Input.NO_SPEECH)

    def confirm(self, window: WindowJudged | None, now_ms: int, *, quiet: bool) -> None:
        """Nobody was heard: hang up, if that is certain. `quiet`: on a voice that stayed too low."""
        call = self._call
        if self._link.may_go_deaf and not (window is not None and window.verified):
            self.doubt("nobody can tell whether the caller would have been heard", now_ms)
        elif self._sounding():
            call.go(Input.SOUND)
        elif now_ms - self._fenced_at > FRESH_MS or (window is not None and window.behind):
            self._fence(Input.STALE)
        elif quiet:
            call.journal.heard = Heard.QUIET  # the last window may have been empty
            why = "the voice stayed too low to the end of the ladder"
            call.conclude(call.conduct.certain, Result.QUIET, now_ms, why)
        else:
            why = "nobody was heard to the end of the ladder"
            call.conclude(call.conduct.certain, Result.SILENT, now_ms, why)

    def not_released(self, reason: str, now_ms: int) -> None:
        """The hang-up was not carried out in time: the caller may have spoken since."""
        if self._call.state is not State.RELEASING:
            raise IllegalInput(self._call.state, Input.RELEASED)
        self.doubt(f"the hang-up was not carried out in time: {reason}", now_ms)

    def doubt(self, reason: str, now_ms: int) -> None:
        """Nobody can tell whether the caller was heard just now: not hung up on."""
        self._call.conclude(Input.DOUBT, Result.UNAVAILABLE, now_ms, reason)

    def _fence(self, after: Input) -> None:
        self._call.go(after)
        self._fence_id += 1
        self._call.do(commands.FenceEvents(self._call.id, self._fence_id))
