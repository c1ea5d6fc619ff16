"""The lab for ring tests: every scenario's call is placed at once, on each Asterisk, beside a running daemon."""

import asyncio
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callflow.captures.ring_replay import KeptRings
from callflow.lab.rings.judge import judge, record, records_of, rules_of
from callflow.lab.rings.run import SCENARIOS, Placed, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.scenarios.site import Version
from tests.labs import EACH_ASTERISK, leave_out_what_cannot_be_done, rows, scenarios_asked_for


@dataclass(frozen=True)
class Rung:
    """All scenarios on one Asterisk: the wire and AMI, the tracker's records, and what the daemon stored."""

    version: Version
    runs: list[tuple[Placed, KeptRings]]
    """One run, and a second for scenarios that did not agree: the machine may have been late."""
    stored: dict[str, list[dict[str, Any]]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A scenario that a release cannot do is not run there."""
    where = {scenario.name: scenario.asterisk for scenario in read_ring_scenarios(SCENARIOS)}
    leave_out_what_cannot_be_done(config, items, "rung", where)


@pytest.fixture(scope="session", params=EACH_ASTERISK)
def rung(request: pytest.FixtureRequest) -> Rung:
    """The calls of all scenarios this run asks for, placed side by side on one Asterisk."""
    return asyncio.run(_ring(request.param, scenarios_asked_for(request.session, "rung")))


async def _ring(version: Version, names: tuple[str, ...]) -> Rung:
    async with ring_lab(version, read_ring_scenarios(SCENARIOS, names)) as rings:
        cadences = rules_of(rings.scenarios).queue_cadences
        daemon = await rings.lab.start_daemon({"rings": {"queue_cadences": cadences}})
        placed = await rings.place()
        runs = [(placed, record(placed))]
        late = [one for one in rings.scenarios if judge(one, records_of(runs[0][1], one), placed)]
        if late:
            warnings.warn(f"placed twice: {[one.scenario.name for one in late]}", stacklevel=1)
            again = await rings.place(late)
            runs.append((again, record(again)))
        await daemon.stop()
        return Rung(version, runs, _stored(daemon.database))


def _stored(path: Path) -> dict[str, list[dict[str, Any]]]:
    orders = {"stays": "joined_ms", "offers": "began_ms", "legs": "began_ms", "spells": "began_ms"}
    orders |= {"talks": "began_ms", "holds": "began_ms"}
    return {
        table: [dict(row) for row in rows(path, f"select * from {table} order by {order}")]
        for table, order in orders.items()
    }
