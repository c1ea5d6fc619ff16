"""The lab for tests: every scenario's call is placed at once, on each Asterisk, and judged one by one."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from callflow.lab.screening.run import SCENARIOS, Outcome, run_scenarios, screened_lab
from callflow.lab.screening.scenario import read_scenarios
from callflow.scenarios.site import Version
from release.deb import build
from tests.labs import EACH_ASTERISK, leave_out_what_cannot_be_done, rows, scenarios_asked_for


@dataclass(frozen=True)
class Placed:
    """All scenarios on one Asterisk: outcomes by scenario, and the daemon's own records by caller's number."""

    outcomes: dict[str, Outcome]
    records: dict[str, dict[str, Any]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A scenario that needs the tap is not run where there is none."""
    where = {scenario.name: scenario.asterisk for scenario in read_scenarios(SCENARIOS)}
    leave_out_what_cannot_be_done(config, items, "placed", where)


@pytest.fixture(scope="session", params=EACH_ASTERISK)
def placed(request: pytest.FixtureRequest) -> Placed:
    """The calls of all scenarios this run asks for, placed side by side on one Asterisk."""
    return asyncio.run(_place(request.param, scenarios_asked_for(request.session, "placed")))


@pytest.fixture(scope="session")
def debian_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that `make deb` builds; its tests are one xdist_group, so that it is built once."""
    return build(tmp_path_factory.mktemp("deb"))


async def _place(version: Version, names: tuple[str, ...]) -> Placed:
    async with screened_lab(version) as lab:
        chosen = [scenario for scenario in read_scenarios(SCENARIOS, names) if version in scenario.asterisk]
        outcomes = await run_scenarios(lab, chosen)
        daemon = lab.daemons[0]
        await daemon.stop()
        return Placed({outcome.scenario.name: outcome for outcome in outcomes}, _records(daemon.database))


def _records(path: Path) -> dict[str, dict[str, Any]]:
    found = rows(path, "select * from calls where caller_number != '' order by arrived_ms")
    return {row["caller_number"]: dict(row) for row in found}
