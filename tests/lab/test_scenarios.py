"""Each scenario folder: what must be on the wire, and what the daemon has recorded."""

import warnings
from pathlib import Path
from typing import Any

import pytest

NAMES = sorted(path.parent.name for path in Path(__file__).parent.glob("*/scenario.toml"))
UNRECORDED = {"daemon-absent", "mode-off"}

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # the first test waits for a root directory and all calls


@pytest.mark.parametrize("scenario", NAMES)
def test_scenario(placed: Any, scenario: str) -> None:
    outcome = placed.outcomes[scenario]
    if outcome.at_first:
        warnings.warn(f"{scenario}: placed twice, at first {outcome.at_first}", stacklevel=1)
    assert not outcome.disagreements, f"{outcome.scenario.purpose} {outcome.seen} (stall: {outcome.stall_s:.2f} s)"


@pytest.mark.parametrize("scenario", [name for name in NAMES if name not in UNRECORDED])
def test_the_record_says_what_the_wire_says(placed: Any, scenario: str) -> None:
    outcome = placed.outcomes[scenario]
    record = placed.records[outcome.number]
    assert record["result"] == outcome.scenario.expect.result
    assert record["ended_ms"] is not None
    if outcome.scenario.expect.heard is not None:
        assert record["heard"] == outcome.scenario.expect.heard


def test_observed_speech_is_recorded(placed: Any) -> None:
    silent, speaking = (placed.outcomes[name] for name in ("observed-silent", "observed-speaks-later"))
    assert placed.records[silent.number]["heard_at_ms"] is None
    assert placed.records[speaking.number]["heard_at_ms"] is not None
