"""A scenario's callers whom no daemon sees are noted, whoever carries their screening out: simulator or dialplan."""

from typing import Any

import pytest

from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import Places
from tests.simulator.pretend.stage import free_port, in_virtual_time, scenario

DESK = """
[from-lab]
exten => desk,1,Gosub(callflow-screen,s,1(support))
 same => n,Hangup()
"""
GONE_WHILE_ANSWERING: dict[str, Any] = {"media": "none", "does": [{"at": 0.3, "hang_up": True}]}


def noted(callers: list[dict[str, Any]], restarts: bool = False) -> tuple[list[Outcome], dict[str, str], str]:
    """The calls without a daemon, their notes by Uniqueid, and how many were counted."""
    outcomes: list[Outcome] = []

    async def main() -> tuple[dict[str, str], str]:
        plan = scenario([{"name": "one", "language": "zh"} | caller for caller in callers], dialplan=DESK)
        asterisk = PretendAsterisk(plan, Places(free_port()), on_outcome=outcomes.append)
        await asterisk.start(0)
        asterisk.begin()
        await asterisk.done.wait()
        if restarts:
            await asterisk.restart()
        astdb, names = asterisk.world.astdb, (asterisk.world.astdb.read("DB_KEYS(callflow)") or "").split(",")
        asterisk.close()
        counted = "" if restarts else asterisk.world.globals.get("CALLFLOW_NOTED", "")
        return {name: astdb.value("callflow", name) or "" for name in names if name}, counted

    notes, counted = in_virtual_time(main)
    return outcomes, notes, counted


@pytest.mark.parametrize("by", [{"profile": "support"}, {"dials": "desk"}], ids=["simulator", "dialplan"])
@pytest.mark.parametrize(
    ("does", "result"), [({"stays_s": 3.0}, "unavailable"), (GONE_WHILE_ANSWERING, "hangup")], ids=["goes on", "leaves"]
)
def test_a_caller_without_a_daemon_is_noted(by: dict[str, Any], does: dict[str, Any], result: str) -> None:
    (outcome,), notes, _ = noted([by | does])
    ((name, note),) = notes.items()
    assert name == f"{outcome.uniqueid}-1"
    _, _, said, channel, language, profile, number, _ = note.split("|")
    assert (said, profile, number, language) == (result, "support", outcome.number, "zh")
    assert channel.startswith("PJSIP/caller-")


def test_a_restart_keeps_the_notes() -> None:
    _, notes, _ = noted([{"stays_s": 3.0}], restarts=True)
    assert len(notes) == 1
