"""The quiet ladder of a call: the gain is raised, the caller asked to speak up, or a person is to understand them."""

from collections.abc import Callable
from typing import Literal

from callflow.core import commands
from callflow.core.call_record import Kind
from callflow.core.events import WindowJudged
from callflow.core.screening import gain
from callflow.core.screening.call import Call
from callflow.core.screening.ladder import LadderPosition
from callflow.core.screening.states import Input, Result, State, allows

ANSWER_TIMEOUT_MS = 1000


class Raising:
    """Carries out the gain policy. `begin_rung` speaks to the caller."""

    def __init__(self, call: Call, ladder: LadderPosition, begin_rung: Callable[[int], None]) -> None:
        self._call = call
        self._ladder = ladder
        self._begin_rung = begin_rung
        self._noise_dbov: float | None = None
        self._asked_db = 0.0
        self._how: Literal["volume", "agc"] = call.profile.quiet.gain

    def note(self, window: WindowJudged) -> None:
        """A voice was measured; its noise bounds the gain."""
        self._noise_dbov = window.noise_dbov

    def too_low(self, level_dbov: float | None, now_ms: int, *, tapped: bool) -> None:
        """Up the quiet ladder: raise the gain, ask to speak up, or give up. Without a tap nobody is asked."""
        call, ladder = self._call, self._ladder
        while (rung := ladder.next_quiet) is not None and rung.raise_gain:
            ladder.up_quiet()
            gain_db = gain.gain_for(level_dbov, self._noise_dbov, call.profile.quiet)
            if allows(call.state, Input.RAISE_GAIN) and gain_db > call.journal.gain_db:
                call.go(Input.RAISE_GAIN)
                self._ask(level_dbov, gain_db)
                call.over_at = now_ms + ANSWER_TIMEOUT_MS
                call.allows_answer(now_ms)
                return
        hangs_up = call.profile.quiet.on_exhausted == "hangup"
        if rung is None or not tapped or (rung.then == "hang_up" and not hangs_up):
            why = "the voice stayed too low; a person may understand it"
            call.conclude(Input.LOW_PASS_ON, Result.PASSED, now_ms, why)
        else:
            call.go(Input.ASK_LOUDER)
            ladder.up_quiet()
            self._begin_rung(now_ms)

    def is_set(self, gain_db: float, now_ms: int) -> bool | None:
        """The gain is set: whether the voice is clear now; None where nobody waits for it."""
        call = self._call
        if call.state is not State.RAISING:
            return None
        call.journal.gain_db = gain_db
        call.tell(Kind.GAIN, now_ms, f"{gain_db:g} dB", "the caller's audio is raised for the rest of the call")
        return gain.is_clear(call.journal.level_dbov, gain_db, call.profile.quiet)

    def is_refused(self, reason: str, now_ms: int) -> bool:
        """Without the automatic gain a fixed one is tried; True when the caller must be asked instead."""
        call = self._call
        if call.state is not State.RAISING:
            return False
        if self._how == "volume":
            call.tell(Kind.GAIN, now_ms, "", f"not raised: {reason}")
            return True
        self._how = "volume"
        call.tell(Kind.GAIN, now_ms, "", f"no automatic gain: {reason}")
        self._ask(call.journal.level_dbov, self._asked_db)
        call.over_at = now_ms + ANSWER_TIMEOUT_MS
        return False

    def has_timed_out(self, now_ms: int) -> None:
        """Asterisk has not answered: the caller must be asked."""
        self._call.tell(Kind.GAIN, now_ms, "", "not raised: Asterisk did not answer in time")

    def fit(self, level_dbov: float | None) -> None:
        """Less gain for a caller who has come closer: the agent must not be shouted at."""
        call = self._call
        gain_db = gain.gain_for(level_dbov, self._noise_dbov, call.profile.quiet)
        if level_dbov is not None and gain_db < call.journal.gain_db:
            call.journal.gain_db = gain_db
            self._ask(level_dbov, gain_db)

    def _ask(self, level_dbov: float | None, gain_db: float) -> None:
        call, self._asked_db = self._call, gain_db
        target_dbov = gain.target_for(level_dbov, gain_db, call.profile.quiet)
        call.do(commands.SetGain(call.id, call.arrived.uniqueid, call.channel, gain_db, self._how, target_dbov))
