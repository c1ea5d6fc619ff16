"""Which steps of assistance put a caller on the call-back list."""

from dataclasses import replace

import pytest

from callflow.core.assist.steps import StepKind
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Raising
from callflow.core.callbacks.rules import CallbackRules
from tests.publishing.samples import assist_step


@pytest.mark.parametrize(
    ("kind", "reason"), [(StepKind.CALLBACK_ACCEPTED, Reason.OFFER), (StepKind.HUNG_UP, Reason.SILENT)]
)
def test_who_accepted_or_was_hung_up_on_is_called_back(kind: StepKind, reason: Reason) -> None:
    step = replace(assist_step(kind, ""), caller_number="+15550100")
    (wanted,) = Raising(CallbackRules()).receive(step, True)
    assert (wanted.number, wanted.reason, wanted.queue, wanted.profile) == ("+15550100", reason, "support", "support")


def test_other_steps_and_callers_without_a_number_are_not() -> None:
    raising = Raising(CallbackRules())
    assert [
        one for kind in StepKind for one in raising.receive(replace(assist_step(kind), caller_number=""), True)
    ] == []
    others = [kind for kind in StepKind if kind not in (StepKind.CALLBACK_ACCEPTED, StepKind.HUNG_UP)]
    assert [one for kind in others for one in raising.receive(assist_step(kind, ""), True)] == []
