"""What both ladders of a talk say: a rung to the caller, and at the end the result to the agent."""

from callflow.core.assist.case import Case
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices
from callflow.core.profile import Rung

NOTICE_MS = 3000
PROMPT_OF = {StepKind.SILENT: Prompt.CALLER_IS_SILENT, StepKind.QUIET: Prompt.CALLER_IS_QUIET}


class Telling:
    """Asks the speaker; every prompt waits for its pause."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker) -> None:
        self._case, self._voices, self._speaker = case, voices, speaker

    def ask_caller(self, rung: Rung, purpose: Purpose, why: str, now_ms: int) -> Wish:
        """Say a rung, with `agent_hears` to the agent as well; returns the caller's prompt."""
        wish = Wish(purpose, rung.prompt or "", self._voices.caller, round(rung.prompt_s * 1000), why)
        self._speaker.ask(wish, now_ms)
        if self._case.rules.agent_hears:
            self._speaker.ask(
                Wish(Purpose.NOTICE, wish.prompt, self._voices.agent, wish.prompt_ms, "agent_hears"), now_ms
            )
        return wish

    def tell_agent(self, kind: StepKind, why: str, now_ms: int, *, lasted_ms: int | None = None) -> None:
        """Tell the agent that the caller is silent (SILENT) or too low (QUIET)."""
        self._case.tell(kind, now_ms, why=why, lasted_ms=lasted_ms)
        notice = Wish(Purpose.NOTICE, PROMPT_OF[kind].value, self._voices.agent, NOTICE_MS, "the agent is told")
        self._speaker.ask(notice, now_ms)
