"""The audit of a chaos run has teeth, and its program still works."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from callflow.lab.prompts import Burst
from callflow.lab.wire import Packet, WireCall
from callflow.sound import mulaw
from tests.chaos.audit import Struck, audit

CALM = Struck(100.0, 100.0)
SPOKEN = [Burst("greeting", 0.0, 4.0), Burst("can_you_hear", 7.0, 9.0), Burst("goodbye", 12.0, 15.0)]
ROW: dict[str, Any] = {"call_id": "1", "ended_ms": 17_000, "result": "silent"}
SOUND = mulaw.encode(np.full(160, 4000))


def hung_up(**changes: Any) -> WireCall:
    """A silent caller who was hung up on after the goodbye and its pause."""
    return replace(WireCall("a", "101", "dial_en_support", 0.0, 0.0, 17.0, "asterisk"), **changes)


def problems(call: WireCall, spoken: list[Burst] = SPOKEN, *rows: dict[str, Any], struck: Struck = CALM) -> list[str]:
    return audit([(call, spoken)], {call.number: rows or (ROW,)}, struck).violations


def test_a_silent_caller_s_end_is_no_violation() -> None:
    assert problems(hung_up()) == []


def test_a_sound_before_the_last_prompt_was_weighed_then() -> None:
    assert problems(hung_up(sent=[Packet(11.0, SOUND)])) == []


@pytest.mark.parametrize(
    "life", [{"sent": [Packet(12.5, SOUND)]}, {"keys": [(16.0, "1")]}, {"sent": [Packet(16.6, SOUND)]}]
)
def test_a_hang_up_on_a_caller_who_was_there_is_harm(life: dict[str, Any]) -> None:
    (problem,) = problems(hung_up(**life))
    assert "before the hang-up" in problem


def test_a_sound_that_no_ear_could_have_told_yet_is_none() -> None:
    assert problems(hung_up(sent=[Packet(16.8, SOUND)])) == []


def test_a_hang_up_without_a_goodbye_is_harm() -> None:
    assert problems(hung_up(bye_at=10.0), SPOKEN[:2]) == ["101 was hung up on without a goodbye"]


def test_dead_air_is_told_until_the_agent_s_phone_rings() -> None:
    assert problems(hung_up(agent_rang_at=9.5), SPOKEN[:1]) == ["101 heard nothing for 5.5 s"]
    assert problems(hung_up(agent_rang_at=8.0), SPOKEN[:1]) == []


def test_a_phone_that_was_late_itself_is_told_apart() -> None:
    """Everything has stood still for 0.6 s: the silence of 5.5 s says nothing of callflow."""
    sent = [Packet(5.0, SOUND, 1), Packet(5.62, SOUND, 2)]
    verdict = audit([(hung_up(agent_rang_at=9.5, sent=sent), SPOKEN[:1])], {"101": [ROW]}, CALM)
    assert verdict.violations == []
    assert verdict.late == ["101 heard nothing for 5.5 s, and the phone itself was 0.6 s late"]
    assert verdict.late_phones == 1
    assert verdict.latest_s == pytest.approx(0.6)
    lost = [Packet(5.0, SOUND, 1), Packet(5.62, SOUND, 32)]
    assert problems(hung_up(agent_rang_at=9.5, sent=lost), SPOKEN[:1]) == ["101 heard nothing for 5.5 s"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [([ROW, ROW], "101 is in the database 2 times"), ([ROW | {"ended_ms": None}], "101 has no end in the database")],
)
def test_what_is_not_accounted_for_once_is_told(rows: list[dict[str, Any]], problem: str) -> None:
    assert problems(hung_up(), SPOKEN, *rows) == [problem]


def test_a_call_that_is_missing_is_told() -> None:
    call = hung_up(agent_rang_at=0.5)
    assert audit([(call, [])], {}, CALM).accounts == ["101 is not in the database"]


def test_recovery_ends_with_the_first_caller_after_whom_all_are_greeted() -> None:
    arrived = [(99.0, False), (101.0, False), (102.0, True), (103.0, False), (104.5, True), (105.0, True)]
    calls = [(hung_up(answered_at=at), SPOKEN[:1] if greeted else []) for at, greeted in arrived]
    verdict = audit(calls, {}, CALM)
    assert (verdict.unscreened, verdict.recovered_s) == (2, 4.5)
    assert audit(calls[:4], {}, CALM).recovered_s is None
    assert audit(calls[4:], {}, CALM).recovered_s == 0.0


def test_a_record_of_nobody_is_told() -> None:
    assert audit([], {"999": [ROW]}, CALM).accounts == ["999 is in the database, and never called"]


def test_calls_die_with_their_asterisk() -> None:
    dead = hung_up(bye_at=None, ended_by=None)
    assert audit([(dead, SPOKEN[:1])], {}, Struck(5.0, 8.0, asterisk_dies=True)).calls == 0


@pytest.mark.lab
@pytest.mark.xdist_group("asterisk-22")
def test_the_quick_form_strikes_once_and_harms_nobody() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--quick"], capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "kill -9" in run.stdout
