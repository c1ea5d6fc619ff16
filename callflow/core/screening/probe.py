"""Low voices without a tap: Asterisk's ear is asked at two thresholds, is anybody there, and can they be understood?

In the second half of a listening time the low threshold is set (PROBING). A sound at it is tried at the usual one
(TRYING): heard there too, the caller can be understood. If not, the low one is set again (PACING): a sound that never
pauses is steady, and so noise; one that comes and goes is taken for a voice that is too low; after nothing at all the
caller, who was there, goes on as they are. That is a hint and no more: callflow hangs up on nobody because of it.
"""

from enum import Enum

from callflow.core import commands
from callflow.core.call_record import Kind
from callflow.core.screening.call import Call
from callflow.core.screening.ears import Ears
from callflow.core.screening.states import Input, State
from callflow.core.screening.talk_detect import Sound

TRYING_MS = 600
"""A caller who still talks is reported 60 ms after the usual threshold is set, and judged 280 ms after that."""
SETTLED_MS = 250
"""From setting a threshold to the report of a sound that was there already."""
PACING_MS = 2000
"""Speech pauses at least once in it: Start and Stop came every 0.3 to 1 s (measured)."""
LEAST_PACING_MS = 1000
"""Where the caller must not wait in silence for longer."""


class Pace(Enum):
    """What the second look at the low threshold has shown."""

    NOTHING = "nothing more"
    STEADY = "it never pauses"
    PAUSES = "it comes and goes"


class Probe:
    """Sets the threshold of Asterisk's ear, and says how a low sound goes on."""

    def __init__(self, call: Call, ears: Ears) -> None:
        self._call = call
        self._ears = ears
        self.due_at: int | None = None
        """When PROBING begins, epoch ms; None for not at all."""
        self._pacing_since = 0
        self._heard_again = False

    def plan(self, since_ms: int, listen_ms: int) -> None:
        """A listening time begins."""
        wanted = listen_ms and self._ears.may_probe and not self._call.conduct.any_voice
        self.due_at = since_ms + listen_ms // 2 if wanted else None

    def end(self) -> None:
        """The listening time is over; what comes next is listened to as usual."""
        self.due_at = None

    def arm(self, *, low: bool = False) -> None:
        """Set Asterisk's ear afresh, at the usual threshold or at the low one; a sound that lasts is told again."""
        silence_ms, threshold = self._ears.arm(low=low)
        call = self._call
        call.do(commands.ArmEar(call.id, call.channel, silence_ms, threshold))

    def begin(self) -> None:
        """The low threshold is set, once no sound is under way that this would forget."""
        if (decide_at := self._ears.decide_at) is not None:
            self.due_at = decide_at + 1
            return
        self.due_at = None
        if self._call.state is State.LISTENING and self._ears.may_probe:
            self._call.go(Input.PROBE_DUE)
            self.arm(low=True)

    def hear(self, sound: Sound, now_ms: int) -> None:
        """A sound of the length of speech at the low threshold: somebody is there. Can they be understood?"""
        call = self._call
        if call.state is State.PACING:
            self._heard_again = True
            return
        call.tell(Kind.SPEECH, sound.at_ms, sound.length, f"{sound.ear}: {sound.why}, at the low threshold")
        call.go(Input.LOW_SOUND)
        call.journal.heard_at_ms = sound.at_ms
        self.arm()
        call.over_at = now_ms + TRYING_MS

    def begin_pacing(self, now_ms: int) -> None:
        """Not understood: is it steady?"""
        self._call.go(Input.NOT_UNDERSTOOD)
        self._pacing_since, self._heard_again = now_ms, False
        self.arm(low=True)
        self._call.over_at = max(now_ms + LEAST_PACING_MS, self._call.within_silence(now_ms + PACING_MS))

    def pace(self) -> Pace:
        """How the sound has gone on; the usual threshold is set again."""
        since, heard_again = self._ears.sounding_since, self._heard_again
        self.arm()
        if since is not None and since <= self._pacing_since + SETTLED_MS:
            return Pace.STEADY
        return Pace.PAUSES if heard_again or since is not None else Pace.NOTHING
