"""The lab for tests: every scenario's call is placed at once, on each Asterisk, and judged one by one."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callflow.lab.roots import VERSIONS, Version
from callflow.lab.run import SCENARIOS, Outcome, run_scenarios, screened_lab
from callflow.lab.scenario import read_scenarios

EACH_ASTERISK = [pytest.param(version, marks=pytest.mark.xdist_group(f"asterisk-{version}")) for version in VERSIONS]


@dataclass(frozen=True)
class Placed:
    """All scenarios on one Asterisk: outcomes by scenario, and the daemon's own records by caller's number."""

    outcomes: dict[str, Outcome]
    records: dict[str, dict[str, Any]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A scenario that needs the tap is not run where there is none."""
    where = {scenario.name: scenario.asterisk for scenario in read_scenarios(SCENARIOS)}
    apart = [item for item in items if not _runs(item, where)]
    config.hook.pytest_deselected(items=apart)
    items[:] = [item for item in items if item not in apart]


def _runs(item: pytest.Item, where: dict[str, tuple[str, ...]]) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    scenario, version = params.get("scenario"), params.get("placed")
    return scenario is None or version is None or version in where[scenario]


@pytest.fixture(scope="session", params=EACH_ASTERISK)
def placed(request: pytest.FixtureRequest) -> Placed:
    """The calls of all scenarios this run asks for, placed side by side on one Asterisk."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    names = {call.params["scenario"] for call in calls if call and {"scenario", "placed"} <= call.params.keys()}
    return asyncio.run(_place(request.param, tuple(sorted(names))))


async def _place(version: Version, names: tuple[str, ...]) -> Placed:
    async with screened_lab(version) as lab:
        chosen = [scenario for scenario in read_scenarios(SCENARIOS, names) if version in scenario.asterisk]
        outcomes = await run_scenarios(lab, chosen)
        daemon = lab.daemons[0]
        await daemon.stop()
        return Placed({outcome.scenario.name: outcome for outcome in outcomes}, _records(daemon.database))


def _records(path: Path) -> dict[str, dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("select * from calls where caller_number != '' order by arrived_ms")
        return {row["caller_number"]: dict(row) for row in rows}
