"""RTP that is renumbered in mid-call: no speaking caller is hung up on, on any Asterisk, with the tap and without."""

import asyncio

import pytest

from callflow.scenarios.site import Version
from tests.lab.renumbered import CHANGES, MOMENTS, place, some_cases
from tests.labs import EACH_ASTERISK

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


@pytest.mark.parametrize("version", EACH_ASTERISK)
def test_a_caller_who_cannot_be_judged_is_handed_on(version: Version) -> None:
    outcomes = asyncio.run(place(version, some_cases(version)))
    assert {(case.change, case.moment) for case in outcomes} == {(change, at) for change in CHANGES for at in MOMENTS}
    wrong = {case.name: found for case, outcome in outcomes.items() if (found := case.problems(outcome, version))}
    assert not wrong
