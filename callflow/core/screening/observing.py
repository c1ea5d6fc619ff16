"""Observe mode: the same ladder climbed in silence beside a call that has already gone on.

Nothing is said and nothing is hung up. Prompts last their nominal `prompt_s`. What would have been decided is written
down as `would`, and the ear stays on for `observe_after_s` more: whoever speaks then would have been hung up wrongly.
"""

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.profile import Rung
from callflow.core.screening.ear import Judgement
from callflow.core.screening.screening import Screening
from callflow.core.screening.states import Input, Result, State


class Observing(Screening):
    """A screening whose words and deeds are only written down; any voice counts as heard, however low."""

    @property
    def done(self) -> bool:
        """The ladder may be at its end while the ear is still on."""
        return self.journal.result is not None

    def start(self, now_ms: int) -> None:
        """Let the caller go on at once; listen from beside."""
        super().start(now_ms)
        self._do(commands.Release(self.arrived.call_id, self.arrived.channel, Result.OBSERVED))

    def expire(self, now_ms: int) -> None:
        """As for any call, and the end of the time after the would-be decision."""
        decide_at = self._ears.decide_at
        if self.journal.would is None or (decide_at is not None and now_ms >= decide_at):
            super().expire(now_ms)
        else:
            self._finish(now_ms, "observed to the end")

    def link_lost(self, reason: str, now_ms: int) -> None:
        """What is missed meanwhile cannot be known: the record is partial, the call goes on regardless."""
        self.journal.partial = True
        self._tell(Kind.LINK_LOST, now_ms, "ami", reason)

    def hung_up(self, at_ms: int, now_ms: int) -> None:
        """The call is over."""
        self._tell(Kind.HUNG_UP, at_ms, "caller")
        self._finish(now_ms, "the call ended")

    def taken(self, at_ms: int, now_ms: int) -> None:
        """The FastAGI connection has ended, as it should."""

    def screened_again(self, at_ms: int, now_ms: int) -> None:
        """The new screening observes from here on."""
        self._finish(now_ms, "screened again")

    def ear_failed(self, reason: str, now_ms: int) -> None:
        """Without an ear there is nothing to observe."""
        self._tell(Kind.EAR, now_ms, "talk_detect", f"not armed: {reason}")
        self.journal.partial = True
        self._finish(now_ms, "no ear")

    def _say(self, rung: Rung, now_ms: int) -> None:
        self._tell(Kind.SAID, now_ms, rung.prompt or "", "only in mind: observe mode")
        self._begin_window(now_ms)
        self._state_at = now_ms + int(1000 * rung.prompt_s)

    def _time_over(self, now_ms: int) -> None:
        if self.state is State.SPEAKING:
            self._listen(Input.PROMPT_ENDED, now_ms)
        else:
            super()._time_over(now_ms)

    def _plan_probe(self, since_ms: int, listen_ms: int) -> None:
        """Who is observed is not asked, so a low voice is not looked for."""

    def _judged(self, sound: Judgement, now_ms: int) -> None:
        self._tell(Kind.SPEECH if sound.speech else Kind.CLICK, sound.at_ms, sound.what, f"{sound.ear}: {sound.why}")
        if sound.speech:
            self._heard(Result.SPOKE, sound.at_ms, now_ms)
        else:
            self._clicked()

    def _voice(self, window: events.WindowJudged, verdict: bool, sound: Judgement | None, now_ms: int) -> None:
        self._heard(Result.SPOKE, now_ms, now_ms)

    def _heard(self, how: Result, at_ms: int, now_ms: int) -> None:
        journal = self.journal
        journal.heard_at_ms = at_ms if journal.heard_at_ms is None else journal.heard_at_ms
        if journal.would is None:
            self._conclude(Result.RESCUED if self._climb.last else how, now_ms, "the caller was heard")
        else:
            journal.heard_after_would = True
            self._finish(now_ms, "heard after all")

    def _conclude(self, result: Result, now_ms: int, why: str) -> None:
        """Write down what would have been done; a would-be hang-up is followed up to see whether it was wrong."""
        if self.journal.partial:
            self._finish(now_ms, "not everything was heard")
            return
        self.journal.would = result
        self._tell(Kind.WOULD, now_ms, result, why)
        if result is Result.SILENT:
            self._state_at = now_ms + int(1000 * self.profile.observe_after_s)
        else:
            self._finish(now_ms, why)

    def _finish(self, now_ms: int, why: str) -> None:
        self.state = State.DONE
        self._state_at = None
        self.journal.result = Result.OBSERVED
        self._tell(Kind.DECIDED, now_ms, Result.OBSERVED, why)
        self._save(now_ms)
        self._do(commands.CloseTap(self.arrived.call_id))
        self._do(commands.DisarmEar(self.arrived.channel))
