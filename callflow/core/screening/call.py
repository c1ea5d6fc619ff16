"""One call in our hands: its state, what is written down of it, and how it is concluded and given back."""

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.profile import Profile
from callflow.core.screening.conduct import conduct_of
from callflow.core.screening.journal import Journal, Standing
from callflow.core.screening.states import Input, Result, State, next_state

RELEASE_TIMEOUT_MS = 3000
LONGEST_SILENCE_MS = 4500
"""A caller hears nothing for so long at most; handing the call on may take another half second."""
SPARE_MS = 500
"""Beyond a longer time of silence that the settings ask for: what the last question may take."""
GONE = (Result.HANGUP, Result.TAKEN)
FAULT = "a fault of callflow's own"


class Call:
    """`commands` fills up as events come in; the engine drains it after each."""

    def __init__(self, arrived: events.CallArrived, profile: Profile, language: str, standing: Standing) -> None:
        self.id = arrived.call_id
        self.channel = arrived.channel
        self.arrived = arrived
        self.profile = profile
        self.conduct = conduct_of(profile.mode)
        self.state = State.ARMING
        self.over_at: int | None = None
        """When the state's time is over, epoch ms."""
        self.speak_by: int | None = None
        """When the caller must hear a prompt or go on to a person, epoch ms; None while a prompt is played."""
        self.commands: list[commands.Command] = []
        self.do = self.commands.append  # no method of ours in the parts: a call is freed at once when it is let go
        self.journal = Journal(arrived, profile, language, self.do, standing)
        self._plays = 0
        self._playing = ""
        """The prompt that is being played."""

    def go(self, what: Input) -> None:
        """Move as the table says; raises IllegalInput, and changes nothing, where it says nothing."""
        self.state = next_state(self.state, what)

    def tell(self, kind: Kind, at_ms: int, what: str = "", why: str = "") -> None:
        """Put one thing into the timeline."""
        self.journal.tell(kind, at_ms, what, why)

    # -- prompts ----------------------------------------------------------------------------------------------------

    def play(self, prompt: str) -> None:
        """Say a prompt over AGI."""
        self._plays += 1
        self._playing = prompt
        self.speak_by = None
        file = self.profile.prompts.get(prompt, prompt)
        self.do(commands.PlayPrompt(self.id, self._plays, file, self.journal.language))

    def played(self, play_id: int) -> bool:
        """This prompt is over; False for one that was stopped, or is not the newest."""
        if play_id != self._plays or not self._playing:
            return False
        self._playing = ""
        return True

    def stop_prompt(self, now_ms: int) -> None:
        """End what is being said, if anything is; its PromptFinished will be late and count for nothing."""
        if self._playing:
            self.do(commands.StopPrompt(self.id, self.channel))
            self.tell(Kind.PROMPT_STOPPED, now_ms, self._playing)
            self._playing = ""
            self.falls_silent(now_ms)

    # -- silence ----------------------------------------------------------------------------------------------------

    def falls_silent(self, now_ms: int, wanted_ms: int = 0) -> None:
        """The caller hears nothing from now on, for `wanted_ms` if the settings ask for so much."""
        if self.conduct.acts:
            since = self.speak_by or now_ms + LONGEST_SILENCE_MS
            self.speak_by = max(since, now_ms + wanted_ms + SPARE_MS)

    def allows_answer(self, now_ms: int) -> None:
        """Asterisk has been asked for something: the caller hears nothing until it had time to answer."""
        if self.speak_by is not None:
            self.speak_by = max(self.speak_by, now_ms + SPARE_MS)

    def within_silence(self, at_ms: int) -> int:
        """`at_ms`, or earlier: time is left for the last question before the caller must hear something."""
        return at_ms if self.speak_by is None else min(at_ms, self.speak_by - SPARE_MS)

    # -- its beginning and its end ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Write the call down, and let one that is only observed go on."""
        a, profile = self.arrived, self.profile
        self.tell(Kind.ARRIVED, a.at_ms, a.profile, f"{profile.mode} with ladder {profile.ladder}")
        self.journal.save()
        if not self.conduct.acts:
            self.do(commands.Release(self.id, self.channel, Result.OBSERVED))

    def turn_away(self, now_ms: int, why: str) -> None:
        """Hand the caller on without screening."""
        self.state = State.DONE
        self.tell(Kind.ARRIVED, self.arrived.at_ms, self.arrived.profile)
        self._decided(Result.UNAVAILABLE, now_ms, why)
        self.journal.save(now_ms)
        self.do(commands.Release(self.id, self.channel, Result.UNAVAILABLE))

    def abandon(self, now_ms: int) -> None:
        """A step has failed in a way nobody foresaw: hand the caller on, whatever is the matter with the call."""
        self.state, self.over_at = State.DONE, None
        self.commands.clear()
        if self.conduct.acts:
            self.do(commands.StopPrompt(self.id, self.channel))  # whether one plays, nobody can tell
        self._let_go(Result.UNAVAILABLE)
        self._decided(Result.UNAVAILABLE if self.conduct.acts else Result.OBSERVED, now_ms, FAULT)
        self.journal.save(now_ms)

    def conclude(self, what: Input, result: Result, now_ms: int, why: str) -> None:
        """Decide: the call is given back, or hung up on, or watched to see whether a hang-up would have been right."""
        self.go(what)
        self.over_at = None
        if result not in GONE:
            self.stop_prompt(now_ms)
        if self.conduct.acts:
            self._decided(result, now_ms, why)
        elif self.journal.would is None and not self.journal.partial and result not in GONE:
            self.journal.would = result
            self.tell(Kind.WOULD, now_ms, result, why)
        match self.state:
            case State.RELEASING:
                self.over_at = now_ms + RELEASE_TIMEOUT_MS
                self.do(commands.Release(self.id, self.channel, result))
            case State.WATCHING if not self.journal.partial:
                self.over_at = now_ms + int(1000 * self.profile.observe_after_s)
            case State.WATCHING:
                self.end(Input.WATCHED, now_ms, why)
            case _:
                self._finish(now_ms, why)
                self._let_go(result)

    def end(self, what: Input, now_ms: int, why: str) -> None:
        """What was decided has been carried out, or watched to the end."""
        self.go(what)
        self.over_at = None
        self._finish(now_ms, why)
        self._stop_listening()

    def _finish(self, now_ms: int, why: str) -> None:
        if not self.conduct.acts:
            self._decided(Result.OBSERVED, now_ms, "not everything was heard" if self.journal.partial else why)
        self.journal.save(now_ms)

    def _decided(self, result: Result, now_ms: int, why: str) -> None:
        self.journal.result = result
        self.tell(Kind.DECIDED, now_ms, result, why)

    def _let_go(self, result: Result) -> None:
        self._stop_listening()
        if self.conduct.acts and result not in GONE:
            self.do(commands.Release(self.id, self.channel, result))

    def _stop_listening(self) -> None:
        """The dialplan itself removes TALK_DETECT from a call that was acted on."""
        self.do(commands.StopListening(self.id, self.channel, disarm=not self.conduct.acts))
