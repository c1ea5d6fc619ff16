"""Speex's automatic gain on a real Asterisk: what the agent's phone receives once the gain has grown."""

from collections.abc import Mapping

import numpy as np
import pytest

from callflow.lab.lab import Lab, open_lab
from callflow.lab.screening.run import SCENARIO_CONFIG, SCENARIOS, Outcome, run_scenarios
from callflow.lab.screening.scenario import read_scenario
from callflow.lab.sipp import Agents
from callflow.processes.ports import PortBlock
from callflow.scenarios.site import Version
from callflow.sound import mulaw
from callflow.sound.audio import active_level_dbov
from tests import labs

pytestmark = [pytest.mark.lab]

GROWN_S = 2.0


def without_speex(_: PortBlock) -> Mapping[str, str]:
    """What to add to an Asterisk's files so that it lacks func_speex."""
    return {"modules.conf": "noload => func_speex.so\n"}


async def place(lab: Lab, name: str) -> tuple[Outcome, list[str]]:
    """The call of one scenario, and what its record says of the gain; if the machine stalled, also of a second try."""
    daemon = await lab.start_daemon(SCENARIO_CONFIG)
    (outcome,) = await run_scenarios(lab, [read_scenario(SCENARIOS / name)])
    await daemon.stop()
    told = labs.rows(daemon.database, "select why from happenings where kind = 'gain' group by why order by min(at_ms)")
    return outcome, [row["why"] for row in told]


def grown_dbov(outcome: Outcome) -> float:
    """Active level of what the agent's phone received after the first two seconds."""
    assert outcome.seen is not None
    packets = outcome.seen.call.agent_received
    after = [packet.payload for packet in packets if packet.at >= packets[0].at + GROWN_S]
    return active_level_dbov(mulaw.decode(b"".join(after)).astype(np.float64))


@pytest.mark.parametrize(
    ("version", "name", "wanted_dbov"), [("22", "quiet-cleared-by-agc", -31.0), ("16", "agc-without-tap", -38.0)]
)
async def test_a_low_voice_is_held_at_the_level_asked_for(version: Version, name: str, wanted_dbov: float) -> None:
    async with open_lab(version, agents=Agents(talk_s=6.0)) as lab:
        outcome, told = await place(lab, name)
    assert grown_dbov(outcome) == pytest.approx(wanted_dbov, abs=2.0)
    assert told == ["the caller's audio is raised for the rest of the call"]


async def test_without_func_speex_a_fixed_gain_serves() -> None:
    async with open_lab("22", agents=Agents(talk_s=6.0), additions=without_speex) as lab:
        outcome, told = await place(lab, "quiet-cleared-by-agc")
    assert outcome.seen is not None
    assert outcome.seen.result == "spoke"
    assert grown_dbov(outcome) == pytest.approx(-31.0, abs=2.0)
    assert [line.partition(":")[0] for line in told] == [
        "no automatic gain", "the caller's audio is raised for the rest of the call"
    ]  # fmt: skip
