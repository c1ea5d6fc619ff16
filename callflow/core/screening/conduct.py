"""How a call is treated: acted on, or only observed. All differences between the two are here.

Observe mode simulates the same ladder for a call that has already gone on. It plays no prompt and never hangs up;
prompts last their nominal `prompt_s`. What would have been decided is recorded as `would`, and the ears stay on for
`observe_after_s` more: a caller who speaks then would have been hung up on wrongly.
"""

from dataclasses import dataclass

from callflow.core.profile import Mode
from callflow.core.screening.states import Input

FACTOR_MS = 2000
SPARE_MS = 5000
"""A prompt that has not ended after twice its nominal length and 5 s more is given up."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the parts of a call ask; one object for all calls of a mode."""

    acts: bool
    """Prompts are played, and the caller is given back at the end; otherwise at the beginning."""
    any_voice: bool
    """Any voice counts as heard, however low; low voices are not looked for."""
    survives: frozenset[Input]
    """These do not end the screening."""
    certain: Input
    """What the certainty that nobody was heard leads to."""
    prompt_over: Input
    """What it means that the time of a prompt is over."""

    def prompt_ms(self, prompt_s: float) -> int:
        """How long a prompt of this nominal length may last; one that nobody says lasts just that long."""
        return int(FACTOR_MS * prompt_s) + SPARE_MS if self.acts else int(1000 * prompt_s)


ACTING = Conduct(
    acts=True,
    any_voice=False,
    survives=frozenset(),
    certain=Input.CERTAIN,
    prompt_over=Input.PROMPT_FAILED,
)
OBSERVING = Conduct(
    acts=False,
    any_voice=True,
    survives=frozenset((Input.LINK_LOST, Input.TAKEN)),
    certain=Input.WOULD_HANG_UP,
    prompt_over=Input.PROMPT_ENDED,
)


def conduct_of(mode: Mode) -> Conduct:
    """The conduct of a profile's mode."""
    return OBSERVING if mode is Mode.OBSERVE else ACTING
