"""The end of the ladder in mode `act`: the agent is freed, the caller hears the goodbye, and may still come back.

Nothing is done without evidence: before the redirect and before the hang-up the fence has every event arrive, and then
the ears are asked whether they heard anybody, and whether they would have.
"""

from collections.abc import Callable

from callflow.core import commands, events
from callflow.core.assist.case import Case
from callflow.core.assist.commands import EndCall, PartCaller, ReturnCaller
from callflow.core.assist.facts import CallerParted, GoodbyeSpoken, PartingFailed
from callflow.core.assist.silence import SILENCES
from callflow.core.assist.states import Input, State
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices
from callflow.core.profile import Rung

ANSWER_TIMEOUT_MS = 1000
FRESH_MS = 100
AGAIN_MS = 50
GOODBYE_SLACK_MS = 5000
FENCES = (State.FENCING, State.LAST_FENCE)
LOOKS = (State.CONFIRMING, State.LAST_LOOK)
UNPLAYED = "Asterisk could not play the goodbye"


class Parting:
    """From the last rung to the hang-up or the return. `tell_agent` takes the talk to TOLD."""

    def __init__(self, case: Case, voices: Voices, tell_agent: Callable[[int, str], None]) -> None:
        self._case, self._voices = case, voices
        self._tell_agent = tell_agent
        self._rung: Rung | None = None
        self._at: int | None = None
        self._fences = 0
        self._asks = 1_000_000
        """Ids of questions: apart from those of the ladder."""
        self._fenced_at = 0
        self._again = False
        """A sound is under way: the fence is asked for again at `_at`."""
        self._heard = False
        """The caller spoke while the redirect was under way."""
        self._unplayed = False
        """Asterisk has told, before it answered the redirect, that it could not play the goodbye."""

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        return self._at

    def stop(self) -> None:
        """The caller was heard in the talk, or the agent speaks."""
        self._at = None

    def begin(self, rung: Rung, now_ms: int) -> None:
        """FENCING was entered: the first of the two proofs."""
        self._rung = rung
        self._fence(now_ms)

    def _fence(self, now_ms: int) -> None:
        self._again = False
        self._fences += 1
        self._case.do(commands.FenceEvents(self._case.caller_ear, self._fences))
        self._at = now_ms + ANSWER_TIMEOUT_MS

    def receive(self, event: object, now_ms: int) -> None:
        """Take in what Asterisk tells of fence, redirect and goodbye."""
        match event:
            case events.EventsFenced(_, fence_id):
                self.fenced(fence_id, now_ms)
            case events.FenceFailed(_, fence_id, reason):
                if self._case.state in FENCES and fence_id == self._fences:
                    self.doubt(reason, now_ms)
            case CallerParted(_, at_ms):
                self.parted(at_ms, now_ms)
            case PartingFailed(_, reason):
                self.failed(reason, now_ms)
            case GoodbyeSpoken(played=True):
                self.spoken(now_ms)
            case GoodbyeSpoken():
                self.unplayed(now_ms)

    def fenced(self, fence_id: int, now_ms: int) -> None:
        """No event is on its way any more."""
        case = self._case
        if case.state not in FENCES or fence_id != self._fences:
            return
        if not case.link.proven:
            self.doubt("no sound has been heard over this AMI connection yet", now_ms)
        elif self._voices.caller.sounding:
            self._again, self._at = True, now_ms + AGAIN_MS
        else:
            case.go(Input.FENCED)
            self._fenced_at = now_ms
            self._asks += 1
            case.judge_window(self._asks)
            self._at = now_ms + ANSWER_TIMEOUT_MS

    def judged(self, window: events.WindowJudged, now_ms: int) -> None:
        """The last answer: act if nobody was heard, and would have been."""
        case = self._case
        if case.state not in LOOKS or window.ask_id != self._asks:
            return
        if window.heard not in SILENCES:
            self.doubt(f"{window.heard}: {window.why}", now_ms)
        elif window.behind or (case.link.may_go_deaf and not window.verified):
            self.doubt("nobody can tell whether the caller would have been heard", now_ms)
        elif self._voices.caller.sounding or now_ms - self._fenced_at > FRESH_MS:
            self.doubt("a sound came in the last moment", now_ms)
        elif case.state is State.CONFIRMING:
            self._part(now_ms)
        else:
            self._end(now_ms)

    def _part(self, now_ms: int) -> None:
        case, rung = self._case, self._rung
        if case.pretends or rung is None:
            case.tell(StepKind.WOULD_HANG_UP, now_ms, why="nobody was heard to the end of the ladder")
            self._at = None
            self._tell_agent(now_ms, "observe mode")
            return
        case.go(Input.CERTAIN)
        recording, language = case.file_of(rung.prompt or "goodbye")
        parties = case.parties
        case.do(PartCaller(case.talk_id, parties.caller_channel, recording, language, parties.queue, case.phone))
        self._at = now_ms + 2 * ANSWER_TIMEOUT_MS

    def _end(self, now_ms: int) -> None:
        case = self._case
        self._at = None
        case.tell(StepKind.HUNG_UP, now_ms, why="nobody was heard to the end of the goodbye")
        case.do(EndCall(case.parties.caller_channel))
        case.go(Input.CERTAIN)

    # -- after the redirect -----------------------------------------------------------------------------------------

    def parted(self, at_ms: int, now_ms: int) -> None:
        """The agent is free."""
        case, rung = self._case, self._rung
        if case.state is not State.PARTING or rung is None:
            return
        case.go(Input.PARTED)
        case.tell(StepKind.PARTED, at_ms, rung.prompt or "", "the agent is free, the caller hears the goodbye")
        case.begin_window()
        self._at = now_ms + round(2000 * rung.prompt_s) + GOODBYE_SLACK_MS
        if self._heard:
            self.heard(now_ms, "the caller spoke while the agent was freed")
        elif self._unplayed:
            self.doubt(UNPLAYED, now_ms)

    def failed(self, reason: str, now_ms: int) -> None:
        """The redirect was refused: the talk goes on as it was."""
        if self._case.state is State.PARTING:
            self._at = None
            self._tell_agent(now_ms, f"the agent could not be freed: {reason}")

    def spoken(self, now_ms: int) -> None:
        """The whole goodbye was played: the pause begins."""
        if self._case.state is State.GOODBYE and self._rung is not None:
            self._case.go(Input.SPOKEN)
            self._at = now_ms + round(1000 * self._rung.pause_s)

    def unplayed(self, now_ms: int) -> None:
        """The caller has heard no goodbye, and hears none in the next talk either: no hang-up without one."""
        case, rung = self._case, self._rung
        if case.state not in (State.PARTING, State.GOODBYE) or rung is None:
            return
        case.link.unplayable.add(case.file_of(rung.prompt or "goodbye"))
        if case.state is State.GOODBYE:
            self.doubt(UNPLAYED, now_ms)
        else:
            self._unplayed = True

    def heard(self, now_ms: int, why: str) -> None:
        """The caller speaks, or presses a key, after the goodbye began: back to an agent."""
        case = self._case
        if case.state is State.PARTING:
            self._heard = True
            return
        case.go(Input.HEARD)
        self._return(now_ms, why)

    def doubt(self, why: str, now_ms: int) -> None:
        """Nobody can tell whether the caller was heard: no hang-up."""
        case = self._case
        if case.state in (State.FENCING, State.CONFIRMING):
            self._at = None
            case.tell(StepKind.DOUBT, now_ms, "hang_up", why)
            self._tell_agent(now_ms, why)
        else:
            case.go(Input.DOUBT)
            self._return(now_ms, why)

    def _return(self, now_ms: int, why: str) -> None:
        self._at = None
        self._case.tell(StepKind.RETURNED, now_ms, why=why)
        self._case.do(ReturnCaller(self._case.parties.caller_channel))

    def proceed(self, now_ms: int) -> None:
        """Do what is due."""
        if self._at is None or now_ms < self._at:
            return
        self._at = None
        match self._case.state:
            case State.FENCING | State.LAST_FENCE if self._again:
                self._fence(now_ms)
            case State.PAUSING:
                self._case.go(Input.PAUSE_OVER)
                self._fence(now_ms)
            case State.PARTING:
                self._heard = True  # late or lost: as soon as the redirect is known, the caller returns
            case State.GOODBYE:
                self.doubt("nothing was heard of the end of the goodbye", now_ms)
            case _:
                self.doubt("Asterisk did not answer in time", now_ms)
