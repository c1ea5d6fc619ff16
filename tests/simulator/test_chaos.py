"""All faults at once, under load: no caller who was there is hung up on, no call is stuck, each is recorded once."""

from dataclasses import replace
from pathlib import Path

import pytest

from callflow.simulator.chaos import ChaosRun, Row, audit, run_chaos
from callflow.simulator.pretend.report import Outcome, PromptHeard

FILES = Path(__file__).parent / "chaos"
EXPECTED = {
    "silent": "silent",
    "dead-line": "silent",
    "at-once": "spoke",
    "queue": "spoke",
    "in-goodbye": "rescued",
    "last-moment": "rescued",
    "key-in-pause": "rescued",
    "gives-up": "hangup",
    "renumbered": "unavailable",
    "new-ssrc": "unavailable",
    "observed": "observed",
}


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("pretend-chaos-murky")
async def test_murky_lines_change_nothing_for_anybody(tmp_path: Path) -> None:
    ran = await run_chaos(FILES / "callers.toml", FILES / "murky.toml", tmp_path)
    assert not audit(ran), ran.daemon_log[-3000:]
    assert {"duplicate", "drop", "reorder", "split", "garbage", "clock_jump", "delay"} <= set(ran.struck)
    odd = [outcome for outcome in ran.outcomes if outcome.result != EXPECTED[outcome.caller]]
    assert {outcome.result for outcome in odd} <= {"unavailable"}, "in doubt, a caller goes on to a person"
    assert len(odd) <= len(ran.outcomes) // 10, (
        "and there is doubt only where this machine is too slow to answer in time"
    )
    assert "Traceback" not in ran.daemon_log


@pytest.mark.timeout(240)
@pytest.mark.xdist_group("pretend-chaos-broken")
async def test_broken_lines_and_killed_daemons_harm_nobody(tmp_path: Path) -> None:
    ran = await run_chaos(FILES / "callers.toml", FILES / "broken.toml", tmp_path, kill_at_s=(39, 47))
    assert not audit(ran), ran.daemon_log[-3000:]
    assert len(ran.killed_s) == 2
    assert {"cut", "restart"} <= set(ran.struck)
    assert {"silent", "rescued", "spoke", "observed", "hangup", "unavailable"} <= set(ran.tally), (
        "all is well until 28 s"
    )
    assert "Traceback" not in ran.daemon_log


# -- the audit finds what is wrong ------------------------------------------------------------------------------------

SILENT = Outcome(
    number="1001",
    caller="silent",
    index=0,
    uniqueid="1.1",
    result="silent",
    prompts=[PromptHeard("goodbye", "zh", 14.0, 20.0, cut=False)],
    answered_s=0.0,
    screened_s=22.0,
    ended_s=22.0,
)
ROW = Row("1.1", "silent", ended=True, interrupted=False)


def ran(
    *outcomes: Outcome, rows: tuple[Row, ...] = (ROW,), killed_s: tuple[float, ...] = (), done: bool = True
) -> ChaosRun:
    return ChaosRun(list(outcomes), list(rows), list(killed_s), 30.0, done)


def test_a_clean_run_passes() -> None:
    assert audit(ran(SILENT)) == []


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (ran(replace(SILENT, life_s=15.0)), "was there at 15.00 s and was hung up on at 22.00 s"),
        (ran(replace(SILENT, life_s=21.8)), "was there at 21.80 s"),
        (ran(replace(SILENT, prompts=[])), "without a goodbye"),
        (
            ran(replace(SILENT, screened_s=45.0, result="spoke"), rows=(replace(ROW, result="spoke"),)),
            "held for 45.0 s",
        ),
        (ran(SILENT, done=False), "a call is stuck"),
        (ran(SILENT, rows=()), "not in the database"),
        (ran(SILENT, rows=(ROW, ROW)), "2 times"),
        (ran(SILENT, SILENT), "ended 2 times"),
        (ran(SILENT, rows=(ROW, replace(ROW, uniqueid="1.2"))), "never placed"),
        (ran(SILENT, rows=(replace(ROW, ended=False),)), "no end in the database"),
        (ran(SILENT, rows=(replace(ROW, result="spoke"),)), "silent in Asterisk and spoke in the database"),
    ],
)
def test_what_must_not_be_is_told(result: ChaosRun, problem: str) -> None:
    assert any(problem in line for line in audit(result))


def test_what_may_be_is_not_told() -> None:
    last_moment = replace(SILENT, life_s=21.95)
    assert audit(ran(last_moment)) == [], "its event may not have been made yet"
    unheard = replace(SILENT, result="unavailable")
    assert audit(ran(unheard)) == [], "the daemon's answer was lost: the caller went on"
    assert audit(ran(unheard, rows=())) == [], "no daemon, no record"
