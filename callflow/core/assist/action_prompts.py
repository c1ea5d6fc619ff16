"""Prompts on the agent's word: to the caller what was asked for, to the agent what cannot be done."""

from callflow.core.assist.actions import Action
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.voices import Voices

PROMPT_MS = 6000


class ActionPrompts:
    """Says them in the next pause, and counts those whose end has not been told."""

    def __init__(self, voices: Voices, speaker: Speaker) -> None:
        self._voices, self._speaker = voices, speaker
        self.outstanding = 0
        """Prompts to the caller that wait or are being said."""

    def say(self, prompt: Prompt, action: Action, now_ms: int) -> None:
        """To the caller; `over` follows."""
        self.outstanding += 1
        why = f"the agent asks for {action}"
        self._speaker.ask(Wish(Purpose.ACTION, prompt.value, self._voices.caller, PROMPT_MS, why), now_ms)

    def over(self) -> None:
        """One of them has come to its end, said or not."""
        self.outstanding -= 1

    def tell_agent(self, prompt: Prompt, why: str, now_ms: int) -> None:
        """To the agent, whose code has no other answer."""
        self._speaker.ask(Wish(Purpose.NOTICE, prompt.value, self._voices.agent, PROMPT_MS, why), now_ms)
