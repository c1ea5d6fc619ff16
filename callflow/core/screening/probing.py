"""Low voices without a tap: Asterisk's ear is asked at two thresholds, is anybody there, and can they be understood?

In the second half of a listening time the low threshold is set. A sound at it is tried at the usual one: heard there
too, the caller can be understood. If not, the low one is set again: a sound that never pauses is steady, and so noise;
one that comes and goes is taken for a voice that is too low; after nothing at all the caller, who was there, goes on as
they are. That is a hint and no more: nobody is hung up on it.
"""

from callflow.core import events
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.screening.ear import Judgement
from callflow.core.screening.states import Result, State
from callflow.core.screening.weighing import Weighing

UNDERSTOOD_MS = 600
"""A caller who still talks is reported 60 ms after the usual threshold is set, and judged 280 ms after that."""
SETTLED_MS = 250
"""From setting a threshold to the report of a sound that was there already."""
STEADY_MS = 2000
"""Speech pauses at least once in it: Start and Stop came every 0.3 to 1 s (measured)."""


class Probing(Weighing):
    """A call whose tap could not be had."""

    _arms_awaited = 1
    _probe_at: int | None = None
    _low = False
    """The low threshold is set."""
    _steady_since: int | None = None
    """The second look at the low threshold has begun."""
    _again = False
    """It has heard something."""

    def _plan_probe(self, since_ms: int, listen_ms: int) -> None:
        self._probe_at = since_ms + listen_ms // 2 if self._ears.probes and listen_ms else None

    def _probe_due(self, now_ms: int) -> bool:
        """Set the low threshold when its time has come; True when it had."""
        if self._probe_at is None or now_ms < self._probe_at:
            return False
        if self._ears.decide_at is not None:
            self._probe_at = self._ears.decide_at + 1  # setting it anew would forget the sound under way
            return True
        self._probe_at = None
        if self.state is State.LISTENING and self._ears.probes:
            self._arm(low=True)
        return True

    def _arm(self, *, low: bool) -> None:
        if low or self._low:
            self._low = low
            self._arms_awaited += 1
            self._ears.forget()
            self._do(self._ears.arm_again(self.arrived.call_id, self.arrived.channel, low=low))

    def _end_probe(self) -> None:
        """The usual threshold again, whatever comes next."""
        self._probe_at = self._steady_since = None
        self._arm(low=False)

    def _judged(self, sound: Judgement, now_ms: int) -> None:
        """At the low threshold a sound is no caller yet."""
        if not (self._low and sound.speech and sound.ear != "tap"):
            super()._judged(sound, now_ms)
        elif self._steady_since is not None:
            self._again = True
        elif self.state is State.LISTENING:
            self._tell(Kind.SPEECH, sound.at_ms, sound.what, f"{sound.ear}: {sound.why}, at the low threshold")
            self._weigh(sound.at_ms, now_ms)
            self._arm(low=False)
            self._state_at = now_ms + UNDERSTOOD_MS

    def _weighing_over(self, now_ms: int) -> None:
        """Not understood: is it steady? Then noise, else a low voice."""
        if not (self._voiced and self._ears.probes):
            super()._weighing_over(now_ms)
        elif self._steady_since is None:
            self._steady_since, self._again = now_ms, False
            self._arm(low=True)
            self._state_at = now_ms + STEADY_MS
        else:
            since = self._ears.sounding_since
            steady = since is not None and since <= self._steady_since + SETTLED_MS
            there = self._again or since is not None
            self._end_probe()
            self._probed(steady, there, now_ms)

    def _probed(self, steady: bool, there: bool, now_ms: int) -> None:
        if not there:
            self._heard(Result.SPOKE, self._voice_at or now_ms, now_ms)
            return
        heard, why = (Heard.NOISE, "it never pauses") if steady else (Heard.QUIET, "it comes and goes")
        window = events.WindowJudged(self.arrived.call_id, self._ask_id, heard, why=f"{why}, below the usual threshold")
        self.journal.judged(window, now_ms)
        if steady:
            self._no_voice(window, now_ms)
        else:
            self._too_low(None, now_ms)
