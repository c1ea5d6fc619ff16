"""The caller has accepted a call-back and may say a name, which is recorded: asked once more if they spoke too early.

After any failure the call-back is valid without a name and the talk goes on.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

from callflow.core.assist.case import Case
from callflow.core.assist.commands import DropName, RecordName, StopRecording
from callflow.core.assist.facts import NameOver, Outcome
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices

PROMPT_MS = 4000
FIRST_SOUND_MS = 4000
"""A caller who has said nothing for so long says no name."""
LAST_SOUND_MS = 1200
"""A name is over after so much silence."""
GIVE_UP_MS = 3000
"""A recording of whose end nothing is heard is given up after its longest time and this."""
MOST_ASKED = 2
END_KEY = "#"


class _Stage(Enum):
    IDLE = auto()
    ASKING = auto()
    RECORDING = auto()
    ENDING = auto()
    """Asterisk has been told to stop."""


class Naming:
    """One name in a talk. `on_over` is told once that the caller has no more to say."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker, on_over: Callable[[int], None]) -> None:
        self._case, self._voices, self._speaker, self._on_over = case, voices, speaker, on_over
        self._stage = _Stage.IDLE
        self._name_id = re.sub(r"[^0-9A-Za-z-]", "-", case.talk_id)
        """It tells nothing of the caller."""
        self._asked = 0
        self._accepted_ms = 0
        self._began_ms = 0
        self._give_up_at = 0

    @property
    def lasts(self) -> bool:
        """The caller is being asked, or is saying a name."""
        return self._stage is not _Stage.IDLE

    def begin(self, now_ms: int) -> None:
        """Ask for the name."""
        self._accepted_ms = now_ms
        self._ask("the caller may say a name", now_ms)

    def _ask(self, why: str, now_ms: int) -> None:
        self._stage = _Stage.ASKING
        self._asked += 1
        self._speaker.ask(Wish(Purpose.NAME, Prompt.SAY_YOUR_NAME.value, self._voices.caller, PROMPT_MS, why), now_ms)

    def asked(self, outcome: Outcome, now_ms: int) -> None:
        """The question is over: recorded is only what follows a question that the caller has heard to its end."""
        if self._stage is not _Stage.ASKING:
            return
        if outcome is Outcome.REACHED:
            self._record(now_ms)
        elif outcome is Outcome.STOPPED and self._asked < MOST_ASKED:
            self._ask("the caller spoke before the question was over", now_ms)
        else:
            self._conclude("the caller did not hear the question", now_ms)

    def _record(self, now_ms: int) -> None:
        case, longest_s = self._case, self._case.rules.name_longest_s
        self._stage, self._began_ms = _Stage.RECORDING, now_ms
        self._give_up_at = now_ms + longest_s * 1000 + GIVE_UP_MS
        case.do(RecordName(case.talk_id, self._name_id, case.parties.caller_uniqueid, longest_s))

    def key(self, key: str, now_ms: int) -> None:
        """Any key ends the name; END_KEY also the question."""
        if self._stage is _Stage.RECORDING:
            self._stop()
        elif self._stage is _Stage.ASKING and key == END_KEY:
            self._close("the caller wants to say none", now_ms)
            self._speaker.forget(now_ms, "the caller has answered")
            self._on_over(now_ms)

    def over(self, event: NameOver, now_ms: int) -> None:
        """Asterisk has recorded."""
        if self._stage in (_Stage.RECORDING, _Stage.ENDING) and event.name_id == self._name_id:
            self._conclude(event.problem, now_ms)

    def end(self, now_ms: int) -> None:
        """The caller waits no longer: what has been said by now is the name."""
        stage = self._stage
        if stage is _Stage.RECORDING:
            self._stop()
        if stage is not _Stage.IDLE:
            self._close("" if stage is not _Stage.ASKING else "the caller waits no longer", now_ms)

    def _stop(self) -> None:
        self._stage = _Stage.ENDING
        self._case.do(StopRecording(self._name_id))

    def _conclude(self, problem: str, now_ms: int) -> None:
        self._close(problem, now_ms)
        self._on_over(now_ms)

    def _close(self, problem: str, now_ms: int) -> None:
        case, recorded = self._case, self._stage in (_Stage.RECORDING, _Stage.ENDING)
        self._stage = _Stage.IDLE
        if recorded and not problem and self._spoke:
            lasted_ms = now_ms - self._accepted_ms
            case.tell(StepKind.NAME_RECORDED, now_ms, self._name_id, "the caller has said a name", lasted_ms=lasted_ms)
            return
        case.tell(StepKind.NO_NAME, now_ms, why=problem or "the caller said nothing")
        if recorded:
            case.do(DropName(self._name_id))

    @property
    def _spoke(self) -> bool:
        spoke_at = self._voices.caller.spoke_at
        return spoke_at is not None and spoke_at > self._began_ms

    def proceed(self, now_ms: int) -> None:
        """End what is due."""
        at = self.next_deadline()
        if at is None or now_ms < at:
            return
        if self._stage is _Stage.RECORDING and now_ms < self._give_up_at:
            self._stop()
        else:
            self._conclude("nothing was heard of the end of the recording", now_ms)

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        if self._stage is _Stage.ENDING:
            return self._give_up_at
        if self._stage is not _Stage.RECORDING:
            return None
        caller = self._voices.caller
        if caller.sounding:
            return self._give_up_at
        if self._spoke:
            return min(caller.silent_since + LAST_SOUND_MS, self._give_up_at)
        return min(self._began_ms + FIRST_SOUND_MS, self._give_up_at)
