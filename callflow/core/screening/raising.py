"""A voice that is too low: the gain is raised, the caller asked to speak up, or a person is to understand it."""

from callflow.core import commands
from callflow.core.call_record import Kind
from callflow.core.profile import Quiet
from callflow.core.screening.call import Call
from callflow.core.screening.states import Input, Result, State

ANSWER_TIMEOUT_MS = 1000


def gain_for(level_dbov: float | None, noise_dbov: float | None, quiet: Quiet) -> float:
    """The gain in dB that brings a voice of this level to the target; never noise above it, and within bounds.

    An unknown level gets half of the most: it may be none so low.
    """
    if level_dbov is None:
        return quiet.max_gain_db / 2
    loudest_dbov = level_dbov if noise_dbov is None else max(level_dbov, noise_dbov)
    return round(min(max(quiet.target_dbov - loudest_dbov, 0.0), quiet.max_gain_db), 1)


def target_for(level_dbov: float | None, gain_db: float, quiet: Quiet) -> float:
    """Where this gain brings a voice of this level, dBov; one of unknown level only to where it is understood."""
    return quiet.below_dbov if level_dbov is None else level_dbov + gain_db


class Raising(Call):
    """The quiet ladder of a call. Above it stand `_heard` and `_begin_rung`."""

    _voice_at: int | None = None
    """When the voice under way began, epoch ms."""
    _look_at: int | None = None
    """When it is looked at next."""
    _noise_dbov: float | None = None
    _asked_db = 0.0
    """The gain that was asked for last."""
    _no_agc = False
    """Asterisk has refused its automatic gain; a fixed one serves."""

    def _clear(self, level_dbov: float | None, margin_db: float = 0.0) -> bool:
        limit_dbov = self.profile.quiet.below_dbov + margin_db
        return level_dbov is None or level_dbov + self.journal.gain_db >= limit_dbov

    def _too_low(self, level_dbov: float | None, now_ms: int) -> None:
        """Up the quiet ladder: raise the gain, ask to speak up, or give up."""
        self.journal.heard_at_ms = self._voice_at or now_ms
        self._look_at = None
        rung = self._climb.next_quiet
        if rung is not None and rung.raise_gain:
            self._climb.up_quiet()
            gain_db = gain_for(level_dbov, self._noise_dbov, self.profile.quiet)
            if self.state is State.WEIGHING and gain_db > self.journal.gain_db:
                self._raise(level_dbov, gain_db, now_ms)
            else:
                self._too_low(level_dbov, now_ms)
        elif rung is None or (rung.then == "hang_up" and not self._may_hang_up_low):
            self._go(Input.LOW_PASS_ON)
            self._conclude(Result.PASSED, now_ms, "the voice stayed too low; a person may understand it")
        else:
            self._go(Input.ASK_LOUDER)
            self._climb.up_quiet()
            self._begin_rung(now_ms)

    @property
    def _may_hang_up_low(self) -> bool:
        """Only the tap can tell a low voice for certain."""
        return self.profile.quiet.on_exhausted == "hangup" and self._ears.tapped

    def _raise(self, level_dbov: float | None, gain_db: float, now_ms: int) -> None:
        self._go(Input.RAISE_GAIN)
        self._state_at = now_ms + ANSWER_TIMEOUT_MS
        self._set_gain(level_dbov, gain_db)

    def _set_gain(self, level_dbov: float | None, gain_db: float) -> None:
        quiet = self.profile.quiet
        self._asked_db = gain_db
        how = "volume" if self._no_agc else quiet.gain
        target_dbov = target_for(level_dbov, gain_db, quiet)
        self._do(commands.SetGain(self.arrived.call_id, self.arrived.channel, gain_db, how, target_dbov))

    def _fit_gain(self, level_dbov: float | None) -> None:
        """A caller who has come closer is not shouted at the agent."""
        gain_db = gain_for(level_dbov, self._noise_dbov, self.profile.quiet)
        if level_dbov is not None and gain_db < self.journal.gain_db:
            self.journal.gain_db = gain_db
            self._set_gain(level_dbov, gain_db)

    def gain_set(self, gain_db: float, now_ms: int) -> None:
        """Judge again, with the gain counted in: the spy hears the sound before it."""
        if self.state is not State.RAISING:
            return
        self.journal.gain_db = gain_db
        self._tell(Kind.GAIN, now_ms, f"{gain_db:g} dB", "the caller's audio is raised for the rest of the call")
        if self._clear(self.journal.level_dbov):
            self._heard(Result.SPOKE, self._voice_at or now_ms, now_ms)
        else:
            self._too_low(self.journal.level_dbov, now_ms)

    def gain_refused(self, reason: str, now_ms: int) -> None:
        """Without the automatic gain a fixed one is tried; without that the caller must be asked."""
        if self.state is not State.RAISING:
            return
        if self.profile.quiet.gain == "volume" or self._no_agc:
            self._not_raised(reason, now_ms)
            return
        self._no_agc = True
        self._tell(Kind.GAIN, now_ms, "", f"no automatic gain: {reason}")
        self._state_at = now_ms + ANSWER_TIMEOUT_MS
        self._set_gain(self.journal.level_dbov, self._asked_db)

    def _not_raised(self, reason: str, now_ms: int) -> None:
        self._tell(Kind.GAIN, now_ms, "", f"not raised: {reason}")
        self._too_low(self.journal.level_dbov, now_ms)

    # -- what stands above ----------------------------------------------------------------------------------------

    def _heard(self, how: Result, at_ms: int, now_ms: int) -> None:
        raise NotImplementedError

    def _begin_rung(self, now_ms: int) -> None:
        raise NotImplementedError
