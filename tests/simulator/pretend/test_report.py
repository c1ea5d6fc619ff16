"""What the pretend Asterisk reports of a call."""

import pytest

from callflow.simulator.pretend.report import Outcome, PromptHeard


@pytest.mark.parametrize(
    ("ended_s", "cut", "reaction_s"),
    [
        pytest.param(5.3, True, 0.3, id="the caller's sound cut the prompt"),
        pytest.param(4.0, True, None, id="the prompt was cut before the caller's sound"),
        pytest.param(5.3, False, None, id="the prompt was played to its end"),
    ],
)
def test_a_reaction_is_to_a_sound(ended_s: float, cut: bool, reaction_s: float | None) -> None:
    outcome = Outcome(number="1001", caller="speaks", index=0, uniqueid="1.1", life_s=5.0)
    outcome.hear(PromptHeard("goodbye", "zh", 101.0, 100.0 + ended_s, cut), began_at=100.0)
    assert outcome.reaction_s == (None if reaction_s is None else pytest.approx(reaction_s))
