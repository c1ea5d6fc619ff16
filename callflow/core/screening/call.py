"""One call in our hands: who it is, what is kept of it, and how it is given back."""

from callflow.core import commands, events
from callflow.core.call_record import Kind
from callflow.core.profile import QUIET_LADDER, Ladder, Procedures, Profile
from callflow.core.screening.climb import Climb
from callflow.core.screening.ears import Ears
from callflow.core.screening.journal import Journal
from callflow.core.screening.link import Link
from callflow.core.screening.states import Input, Result, State, next_state

ARM_TIMEOUT_MS = 1000


class Call:
    """What every call has. `commands` fills up as events come in; the engine drains it after each."""

    def __init__(
        self,
        arrived: events.CallArrived,
        profile: Profile,
        ladder: Ladder,
        procedures: Procedures,
        link: Link,
        now_ms: int,
    ) -> None:
        self.arrived = arrived
        self._link = link
        self.profile = profile
        self.state = State.ARMING
        self.commands: list[commands.Command] = []
        self._do = self.commands.append  # no method of ours in the journal: a call is gone at once when it is let go
        self.journal = Journal(arrived, profile, procedures.choose_language(profile, arrived.language), self._do)
        self._ears = Ears(profile, arrived.uniqueid)
        self._climb = Climb(ladder, procedures.ladders.get(profile.quiet.ladder, QUIET_LADDER))
        self._default_language = procedures.default_language
        self._state_at: int | None = now_ms + ARM_TIMEOUT_MS
        self._play_id = 0
        self._playing = False

    @property
    def done(self) -> bool:
        """Nothing more will come of this call."""
        return self.state is State.DONE

    def start(self, now_ms: int) -> None:
        """The first thing: write the call down and arm the ears."""
        a = self.arrived
        self._tell(Kind.ARRIVED, a.at_ms, a.profile, f"{self.profile.mode} with ladder {self.profile.ladder}")
        self._save()
        for command in self._ears.arm(a.call_id, a.channel):
            self._do(command)

    def turn_away(self, result: Result, now_ms: int, why: str) -> None:
        """Hand the caller on without screening."""
        a = self.arrived
        self._tell(Kind.ARRIVED, a.at_ms, a.profile)
        self.state = State.DONE
        Call._conclude(self, result, now_ms, why)

    def _conclude(self, result: Result, now_ms: int, why: str) -> None:
        """Give the call back with `result`, once, and write down why."""
        self._state_at = None
        self.journal.result = result
        gone = result in (Result.HANGUP, Result.TAKEN)
        if not gone:
            self._stop_prompt(now_ms)
        self._tell(Kind.DECIDED, now_ms, result, why)
        self._save(now_ms)
        self._do(commands.CloseTap(self.arrived.call_id))
        if not gone:
            self._do(commands.Release(self.arrived.call_id, self.arrived.channel, result))

    def _stop_prompt(self, now_ms: int) -> None:
        """End what is being said, if anything is; its PromptFinished will be late and count for nothing."""
        if self._playing:
            self._playing = False
            self._play_id += 1
            self._do(commands.StopPrompt(self.arrived.call_id, self.arrived.channel))
            self._tell(Kind.PROMPT_STOPPED, now_ms, self._climb.rung.prompt or "")

    def _go(self, what: Input) -> None:
        self.state = next_state(self.state, what)

    def _tell(self, kind: Kind, at_ms: int, what: str = "", why: str = "") -> None:
        self.journal.tell(kind, at_ms, what, why)

    def _save(self, ended_ms: int | None = None) -> None:
        self.journal.ear = self._ears.name
        self.journal.rung = self._climb.number
        self.journal.save(ended_ms)
