"""Lulls after the caller was heard: silent while the agent explains (D1), stopped in the middle (D2)."""

from callflow.core.assist.case import Case
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.voices import Voices

PROMPT_MS = 3000


class Lulls:
    """Asks at most `most_asked` times for each kind of lull."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker) -> None:
        self._case, self._voices, self._speaker = case, voices, speaker
        self._asked = {Prompt.STILL_HEAR_ME: 0, Prompt.PLEASE_GO_ON: 0}
        self._not_before = 0
        """The last prompt was over then: a lull is timed from here."""

    def begin(self, now_ms: int) -> None:
        """Lulls are timed from here."""
        self._not_before = now_ms

    def proceed(self, now_ms: int) -> None:
        """Ask what is due."""
        due = self._due()
        if due is None or now_ms < due[1] or not self._speaker.silent:
            return
        prompt, _, why = due
        self._asked[prompt] += 1
        self._speaker.ask(Wish(Purpose.LULL, prompt.value, self._voices.caller, PROMPT_MS, why), now_ms)

    def over(self, now_ms: int) -> None:
        """A prompt of ours has ended, or was dropped."""
        self._not_before = now_ms

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        due = self._due()
        return None if due is None or not self._speaker.silent else due[1]

    def _due(self) -> tuple[Prompt, int, str] | None:
        """The prompt that is due next, when, and why; None while the caller makes a sound."""
        caller, agent, rules = self._voices.caller, self._voices.agent, self._case.rules
        if caller.sounding or not self._case.speaks:
            return None
        since = max(caller.silent_since, self._not_before)
        agent_spoke = agent.speaking or (agent.spoke_at or 0) > caller.silent_since
        if agent_spoke:
            if self._asked[Prompt.STILL_HEAR_ME] >= rules.most_asked or not (
                agent.speaking or (agent.spoke_at or 0) > since
            ):
                return None
            why = f"the caller is silent for {rules.still_there_after_s:g} s while the agent speaks"
            return Prompt.STILL_HEAR_ME, since + round(rules.still_there_after_s * 1000), why
        if agent.sounding or (caller.spoke_at or 0) < self._not_before:
            return None
        if self._asked[Prompt.PLEASE_GO_ON] >= rules.most_asked:
            return None
        since = max(since, agent.silent_since)
        why = f"the caller stopped, and nobody speaks for {rules.go_on_after_s:g} s"
        return Prompt.PLEASE_GO_ON, since + round(rules.go_on_after_s * 1000), why
