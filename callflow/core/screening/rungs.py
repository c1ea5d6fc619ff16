"""The steps of a ladder: the prompt, the listening time, and the step after silence."""

from typing import Protocol

from callflow.core import commands
from callflow.core.call_record import Kind
from callflow.core.heard import Heard
from callflow.core.profile import Rung
from callflow.core.screening.assessor import Assessor
from callflow.core.screening.call import Call
from callflow.core.screening.ears import Ears
from callflow.core.screening.ladder import LadderPosition
from callflow.core.screening.link import Link
from callflow.core.screening.states import Input, Result, State, allows

ANSWER_TIMEOUT_MS = 1000
FENCE_MS = 30
"""How long Asterisk may take to put an event in line for AMI (measured): the fence begins so much early."""


class LowThreshold(Protocol):
    """What is asked of the probe."""

    def plan(self, since_ms: int, listen_ms: int) -> None: ...
    def end(self) -> None: ...
    def arm(self) -> None: ...


class Rungs:
    """A call on its rungs, one after the other."""

    def __init__(
        self, call: Call, ladder: LadderPosition, ears: Ears, assessor: Assessor, probe: LowThreshold, link: Link
    ) -> None:
        self._call = call
        self._ladder = ladder
        self._ears = ears
        self._assessor = assessor
        self._probe = probe
        self._link = link
        self._listen_from = 0
        """When the listening time began or, while the line carries nothing yet, when it will at the latest."""
        self.inconclusive_voices = 0
        """Voices in this rung that came to nothing."""
        self._on_hold_from: int | None = None
        """When the music began that plays in this rung."""
        self.last_begun = False
        """A rung has begun after which the caller is hung up on."""
        self._listened_on = False
        """This rung has listened on to a sound that had just begun."""

    def begin(self, now_ms: int) -> None:
        """The rung that the ladder stands on begins."""
        self.inconclusive_voices = 0
        self._on_hold_from = None
        self._listened_on = False
        if self._ladder.last:
            self.last_begun = True
            self._call_witnesses()
        if self._ladder.rung.prompt is None:
            self.listen(Input.ONLY_LISTEN, now_ms)
        else:
            self._say(self._ladder.rung, now_ms)

    def _call_witnesses(self) -> None:
        """There must be evidence at the end that a sound would have been heard: a tap, or a count of packets."""
        if self._ears.tapped or not self._link.may_go_deaf:
            return
        call = self._call
        call.do(commands.CountPackets(call.id, call.channel))
        if not self._ears.wants_tap:
            call.do(commands.OpenTap(call.id, call.arrived.uniqueid, call.channel))

    # -- prompts ----------------------------------------------------------------------------------------------------

    def _say(self, rung: Rung, now_ms: int) -> None:
        call, prompt = self._call, rung.prompt or ""
        call.over_at = now_ms + call.conduct.prompt_ms(rung.prompt_s)
        if call.conduct.acts:
            call.tell(Kind.SAID, now_ms, prompt, f"{self._ladder.where} in {call.journal.language}")
            call.journal.save()
        else:
            call.tell(Kind.SAID, now_ms, prompt, "only noted: observe mode")
        self._begin_window(now_ms, prompt=True)
        self._ears.prompt_begins(now_ms)
        if call.conduct.acts:
            call.play(prompt)

    def prompt_finished(self, play_id: int, at_ms: int, now_ms: int) -> None:
        """The prompt has ended by itself: its rung's listening time begins."""
        if self._call.played(play_id):
            self._call.tell(Kind.PROMPT_ENDED, at_ms, self._ladder.rung.prompt or "")
            self.listen(Input.PROMPT_ENDED, now_ms)

    def prompt_failed(self, play_id: int, reason: str, default_language: str, at_ms: int, now_ms: int) -> None:
        """Try the default language once; a caller who cannot be spoken to goes on to a person."""
        call = self._call
        if not call.played(play_id):
            return
        call.tell(Kind.PROMPT_FAILED, at_ms, self._ladder.rung.prompt or "", reason)
        if call.journal.language != default_language:
            call.journal.language = default_language
            self._say(self._ladder.rung, now_ms)
        else:
            call.conclude(Input.PROMPT_FAILED, Result.UNAVAILABLE, now_ms, "the prompt could not be played")

    def prompt_over(self, now_ms: int) -> None:
        """The time of the prompt is over: it does not end, or nobody said it."""
        if self._call.conduct.prompt_over is Input.PROMPT_ENDED:
            self.listen(Input.PROMPT_ENDED, now_ms)
            return
        self._call.conclude(Input.PROMPT_FAILED, Result.UNAVAILABLE, now_ms, "the prompt did not end")

    # -- listening --------------------------------------------------------------------------------------------------

    def listen(self, after: Input, now_ms: int) -> None:
        """The listening time begins; while the line carries nothing yet, as late as `media_wait_s` allows."""
        call = self._call
        call.go(after)
        since = now_ms
        if self._ears.media_awaited and self._ladder.rung.listen_s:
            since = max(now_ms, call.arrived.at_ms + int(1000 * call.profile.media_wait_s))
        if after in (Input.PROMPT_ENDED, Input.ONLY_LISTEN):
            call.falls_silent(now_ms, since - now_ms + self._silence_ms)
        self._listen_since(since, now_ms)

    @property
    def _silence_ms(self) -> int:
        """How long this rung is silent, by the settings."""
        rung = self._ladder.rung
        return int(1000 * (rung.listen_s + (rung.pause_s if rung.then == "hang_up" else 0.0)))

    def on_hold(self, now_ms: int) -> None:
        """Music: listen on and say nothing, up to `music_wait_s`; then a person. Before a hang-up it is a doubt."""
        call = self._call
        since = self._on_hold_from = self._listen_from if self._on_hold_from is None else self._on_hold_from
        goes_on = allows(call.state, Input.ON_HOLD) and not self._ladder.last
        if goes_on and now_ms < since + int(1000 * call.profile.music_wait_s):
            self._assessor.forget_voice()
            call.speak_by = None  # a caller whose line plays music has put the phone down
            call.falls_silent(now_ms)
            self.listen(Input.ON_HOLD, now_ms)
        else:
            call.conclude(Input.DOUBT, Result.PASSED, now_ms, f"{Heard.MUSIC}: the caller has put us on hold")

    @property
    def may_listen_on(self) -> bool:
        """A sound that has just begun may be heard out, once in each rung; before a hang-up it is a doubt."""
        return not (self._listened_on or self._ladder.last) and allows(self._call.state, Input.JUST_BEGUN)

    def listen_on(self, now_ms: int) -> None:
        """It may be music: listen on to the same window, for as long again if the caller may be left in silence."""
        self._listened_on = True
        self._assessor.forget_voice()
        self._call.go(Input.JUST_BEGUN)
        self._listen_from_then(now_ms)

    @property
    def may_ask(self) -> bool:
        """The next rung speaks to the caller, and is not the end."""
        return self._call.state is State.JUDGING and self._ladder.rung.then == "next"

    def media_began(self, now_ms: int) -> None:
        """The line carries something: nothing more is waited for."""
        if self._call.state is State.LISTENING and self._listen_from > now_ms:
            self._listen_since(now_ms, now_ms)

    def _listen_since(self, at_ms: int, now_ms: int) -> None:
        self._begin_window(now_ms)
        self._listen_from_then(at_ms)

    def _listen_from_then(self, from_ms: int) -> None:
        call, listen_ms = self._call, int(1000 * self._ladder.rung.listen_s)
        self._listen_from, call.over_at = from_ms, call.within_silence(from_ms + listen_ms)
        self._probe.plan(from_ms, listen_ms)

    def _begin_window(self, now_ms: int, *, prompt: bool = False) -> None:
        self._assessor.begin_window(now_ms, prompt=prompt)
        if self._ears.tapped:
            self._call.do(commands.BeginWindow(self._call.id))

    def listened(self, now_ms: int) -> None:
        """Ask what the silence was; nobody needs to where there was no time to be silent in."""
        probed = self._call.state is State.PROBING
        self._call.go(Input.LISTENED)
        self._probe.end()
        if probed:
            self._probe.arm()
        if self._ladder.rung.listen_s:
            self._assessor.ask_verdict()
            self._call.over_at = now_ms + ANSWER_TIMEOUT_MS
        else:
            self.silence(now_ms)

    def silence(self, now_ms: int) -> None:
        """Nobody was heard: the next rung, the pause before the hang-up, or a person."""
        call, rung = self._call, self._ladder.rung
        if rung.listen_s:
            call.tell(Kind.SILENCE, now_ms, f"{rung.listen_s:g} s")
        match rung.then:
            case "next":
                call.go(Input.STILL_SILENT)
                self._ladder.up_silent()
                self.begin(now_ms)
            case "pass_on":
                why = "nobody was heard; the ladder hands over to a person"
                call.conclude(Input.SILENT_PASS_ON, Result.PASSED, now_ms, why)
            case "hang_up":
                call.go(Input.LAST_RUNG)
                call.tell(Kind.PAUSE, now_ms, f"{rung.pause_s:g} s")
                call.over_at = now_ms + max(0, int(1000 * rung.pause_s) - FENCE_MS)
