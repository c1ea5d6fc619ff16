"""A caller whose voice is too low in a talk: the quiet ladder, and the gain. Parts that measure the voice ask here."""

from callflow.core import commands
from callflow.core.assist.case import Case
from callflow.core.assist.steps import StepKind
from callflow.core.events import WindowJudged
from callflow.core.heard import Heard
from callflow.core.profile import Rung
from callflow.core.screening import gain

VOICES = (Heard.SPEECH, Heard.QUIET)
ANSWER_TIMEOUT_MS = 1500
"""For the level, and for the gain."""
MOST_DROPPED = 2
"""Prompts for which no pause came, before the agent is told instead."""
FITTED_DB = 1.0
"""A smaller step down is not worth an action."""
WOULD = "would"
LOW, CLOSER = "the caller's voice is low", "the caller speaks louder"


class LowVoice:
    """One per talk: the place on the quiet ladder, and the level that was measured last."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._rungs: tuple[Rung, ...] = case.procedures.ladders[case.rules.quiet_ladder].rungs
        self._place = 0
        self._would_db = 0.0
        """The gain that observe mode would have set."""
        self._why = ""
        """Of the gain that was asked for."""
        self._level_dbov: float | None = None
        self._noise_dbov: float | None = None

    def measured(self, window: WindowJudged) -> None:
        """The level of the voice, before our gain."""
        self._level_dbov, self._noise_dbov = window.level_dbov, window.noise_dbov

    @property
    def _gain_db(self) -> float:
        """The gain that is set, by this talk, one before, or the screening."""
        return self._would_db or self._case.levels.of(self._case.parties.caller_uniqueid)

    @property
    def is_clear(self) -> bool:
        """The agent can understand the voice with the gain that is set."""
        return gain.is_clear(self._level_dbov, self._gain_db, self._case.profile.quiet)

    def raise_gain(self, now_ms: int) -> bool:
        """Take the rung that raises the gain, if it is the next; True if GainSet or GainRefused will follow."""
        if self._place >= len(self._rungs) or not self._rungs[self._place].raise_gain:
            return False
        self._place += 1
        wanted_db = gain.gain_for(self._level_dbov, self._noise_dbov, self._case.profile.quiet)
        if wanted_db <= self._gain_db:
            return False
        if self._case.pretends:
            self._would_db = wanted_db
            self._case.tell(StepKind.GAIN, now_ms, f"{wanted_db:g} dB", LOW, outcome=WOULD)
            return False
        self._set(wanted_db)
        return True

    def fit(self) -> None:
        """Less gain for a caller who has come closer: the agent must not be shouted at."""
        wanted_db = gain.gain_for(self._level_dbov, self._noise_dbov, self._case.profile.quiet)
        if self._level_dbov is not None and wanted_db <= self._gain_db - FITTED_DB and not self._case.pretends:
            self._set(wanted_db)

    def _set(self, gain_db: float) -> None:
        case, quiet = self._case, self._case.profile.quiet
        target_dbov = gain.target_for(self._level_dbov, gain_db, quiet)
        parties, self._why = case.parties, LOW if gain_db > self._gain_db else CLOSER
        uniqueid, channel = parties.caller_uniqueid, parties.caller_channel
        case.do(commands.SetGain(case.caller_ear, uniqueid, channel, gain_db, quiet.gain, target_dbov))

    def gain_set(self, gain_db: float, now_ms: int) -> None:
        """The agent hears the caller so much louder from here."""
        self._case.tell(StepKind.GAIN, now_ms, f"{gain_db:g} dB", self._why)

    def gain_refused(self, reason: str, now_ms: int) -> None:
        """The caller must be asked instead."""
        self._case.tell(StepKind.GAIN, now_ms, "", f"not raised: {reason}")

    def next_rung(self) -> Rung | None:
        """What to ask next; None if the agent is to be told: callflow hangs up on nobody whose voice it has heard."""
        while self._place < len(self._rungs) and self._rungs[self._place].raise_gain:
            self._place += 1
        if self._place >= len(self._rungs) or not self._case.speaks:
            return None
        rung = self._rungs[self._place]
        return None if rung.then == "hang_up" else rung

    def asked(self) -> None:
        """The rung was said: it is left behind."""
        self._place += 1
