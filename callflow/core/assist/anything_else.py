"""Whether the caller wants anything else (D7): one who does not answer is bidden goodbye."""

from callflow.core.assist.action_prompts import ActionPrompts
from callflow.core.assist.actions import Action
from callflow.core.assist.case import Case
from callflow.core.assist.holding import Holding
from callflow.core.assist.rules import Prompt
from callflow.core.assist.states import State
from callflow.core.assist.voices import Voices

ANSWER_MS = 3000
"""A caller who says nothing for so long wants nothing else."""


class AnythingElse:
    """From the end of `anything_else` until somebody answers, or `welcome_again` is asked for."""

    def __init__(self, case: Case, voices: Voices, holding: Holding, prompts: ActionPrompts) -> None:
        self._case, self._voices, self._holding, self._prompts = case, voices, holding, prompts
        self._asked_at: int | None = None
        """The question was over then, epoch ms, and nobody has answered yet."""

    def asked(self, now_ms: int) -> None:
        """The caller has heard the question."""
        self._asked_at = now_ms

    def forget(self) -> None:
        """The caller has pressed a key, or the agent asks for something."""
        self._asked_at = None

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        quiet_since = self._voices.quiet_since(caller_only=False)
        if self._asked_at is None or quiet_since is None:
            return None
        return max(self._asked_at, quiet_since) + ANSWER_MS

    def proceed(self, now_ms: int) -> None:
        """A caller who speaks, or whose agent does, is left alone."""
        if self._asked_at is None:
            return
        spoke_at = max(self._voices.caller.spoke_at or 0, self._voices.agent.spoke_at or 0)
        if spoke_at > self._asked_at or self._holding.waits or self._case.state is not State.TALKING:
            self._asked_at = None
        elif (due := self.next_deadline()) is not None and now_ms >= due:
            self._asked_at = None
            self._prompts.say(Prompt.WELCOME_AGAIN, Action.WRAPUP, now_ms)
