"""The way up a ladder: what is said, how long is listened, and the certainty that stands before a hang-up."""

from callflow.core import commands
from callflow.core.call_record import Kind
from callflow.core.profile import Rung
from callflow.core.screening.probing import Probing
from callflow.core.screening.states import Input, Result, State

FENCE_TIMEOUT_MS = 1000
FENCE_MS = 30
"""How long Asterisk may take to put an event in line for AMI (measured): the fence begins so much early."""

FRESH_MS = 100
"""Evidence older than this says nothing of a word that has begun since."""


class Climbing(Probing):
    """A call on its rungs, one after the other."""

    _fence_again = False
    _fenced = False
    _listen_from: int | None = None
    """When the listening time began or, while the line carries nothing yet, when it will at the latest."""

    def _begin_rung(self, now_ms: int) -> None:
        rung = self._climb.rung
        self._vain = 0
        if self._climb.last and self._link.may_go_deaf:
            for command in self._ears.witness(self.arrived.call_id, self.arrived.channel):
                self._do(command)
        if rung.prompt is None:
            self._listen(Input.ONLY_LISTEN, now_ms)
        else:
            self._say(rung, now_ms)

    def _say(self, rung: Rung, now_ms: int) -> None:
        self._play_id += 1
        self._playing = True
        prompt = rung.prompt or ""
        self._tell(Kind.SAID, now_ms, prompt, f"{self._climb.where} in {self.journal.language}")
        self._save()
        self._state_at = now_ms + int(2000 * rung.prompt_s) + 5000
        file = self.profile.prompts.get(prompt, prompt)
        self._voice_at = self._look_at = None
        self._echoing = False
        self._begin_window(now_ms)
        self._do(commands.PlayPrompt(self.arrived.call_id, self._play_id, file, self.journal.language))

    def _listen(self, after: Input, now_ms: int) -> None:
        """The listening time begins; while the line carries nothing yet, as late as `media_wait_s` allows."""
        self._go(after)
        since = now_ms
        if self._ears.media_awaited and self._climb.rung.listen_s:
            since = max(now_ms, self.arrived.at_ms + int(1000 * self.profile.media_wait_s))
        self._begin_window(now_ms)
        self._listen_since(since)

    def _listen_since(self, at_ms: int) -> None:
        self._listen_from = at_ms
        listen_ms = int(1000 * self._climb.rung.listen_s)
        self._state_at = at_ms + listen_ms
        self._plan_probe(at_ms, listen_ms)

    def _begin_window(self, now_ms: int) -> None:
        self._window_at = now_ms
        if self._ears.tapped:
            self._do(commands.BeginWindow(self.arrived.call_id))

    def _listened(self, now_ms: int) -> None:
        """Ask what the silence was; nobody needs to where there was no time to be silent in."""
        self._go(Input.LISTENED)
        self._end_probe()
        self._voiced = False
        if self._climb.rung.listen_s:
            self._ask_verdict(now_ms)
        else:
            self._silence(now_ms)

    def _silence(self, now_ms: int) -> None:
        rung = self._climb.rung
        if rung.listen_s:
            self._tell(Kind.SILENCE, now_ms, f"{rung.listen_s:g} s")
        match rung.then:
            case "next":
                self._go(Input.STILL_SILENT)
                self._climb.up_silent()
                self._begin_rung(now_ms)
            case "pass_on":
                self._go(Input.SILENT_PASS_ON)
                self._conclude(Result.PASSED, now_ms, "nobody was heard; the ladder hands over to a person")
            case "hang_up":
                self._go(Input.LAST_RUNG)
                self._tell(Kind.PAUSE, now_ms, f"{rung.pause_s:g} s")
                self._state_at = now_ms + max(0, int(1000 * rung.pause_s) - FENCE_MS)

    # -- certainty ------------------------------------------------------------------------------------------------

    def _ask_and_fence(self, now_ms: int) -> None:
        self._fenced, self._verified_at = False, None
        if self._ears.tapped or self._link.may_go_deaf:
            self._ask(verdict=True)
        self._fence()
        self._state_at = now_ms + FENCE_TIMEOUT_MS

    def _fence(self) -> None:
        self._fence_again = False
        self._do(commands.FenceEvents(self.arrived.call_id))

    def _clicked(self) -> None:
        if self._fence_again and self.state is State.CONFIRMING:
            self._fence()

    def _confirm(self, now_ms: int) -> None:
        """Both have answered, fence and tap: the hang-up, unless a sound has begun meanwhile."""
        if not self._fenced:
            return
        if self._ears.decide_at is not None:
            self._fenced, self._fence_again = False, True
            return
        if self._link.may_go_deaf and self._verified_at is None:
            self._go(Input.DOUBT)
            self._conclude(Result.UNAVAILABLE, now_ms, "nobody can tell whether the caller would have been heard")
            return
        if self._verified_at is not None and now_ms - self._verified_at > FRESH_MS:
            self._ask(verdict=True)
            return
        self._go(Input.CERTAIN)
        if self._climb.quiet:
            self._conclude(Result.QUIET, now_ms, "the voice stayed too low to the end of the ladder")
        else:
            self._conclude(Result.SILENT, now_ms, "nobody was heard to the end of the ladder")

    def _heard(self, how: Result, at_ms: int, now_ms: int) -> None:
        """The caller is there: nothing more is said and nothing is hung up."""
        self._go(Input.HEARD)
        self._unexplained = self._trust_at = self._look_at = None
        self.journal.heard_at_ms = at_ms
        self._conclude(Result.RESCUED if self._climb.last else how, now_ms, "the caller was heard")
