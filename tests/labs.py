"""Shared by the tests on real Asterisk: the releases, scenarios by release, rows of a daemon's database."""

import sqlite3
import sys
from collections.abc import Container, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from callflow.scenarios.site import VERSIONS

TRUSTING_DAEMON = (sys.executable, str(Path(__file__).parent / "traces" / "trusting_daemon.py"), "run", "--config")
EACH_ASTERISK = [pytest.param(version, marks=pytest.mark.xdist_group(f"asterisk-{version}")) for version in VERSIONS]


def leave_out_what_cannot_be_done(
    config: pytest.Config, items: list[pytest.Item], fixture: str, where: Mapping[str, Container[str]]
) -> None:
    """Deselect tests of a `scenario` whose `fixture` places it on an Asterisk that it does not name in `where`."""

    def runs(item: pytest.Item) -> bool:
        params = _params(item)
        if not {"scenario", fixture} <= params.keys():
            return True
        return params[fixture] in where[params["scenario"]]

    config.hook.pytest_deselected(items=[item for item in items if not runs(item)])
    items[:] = [item for item in items if runs(item)]


def scenarios_asked_for(session: pytest.Session, fixture: str) -> tuple[str, ...]:
    """Names of the scenarios that the tests of this run want placed by `fixture`."""
    params = [_params(item) for item in session.items]
    return tuple(sorted({one["scenario"] for one in params if {"scenario", fixture} <= one.keys()}))


def rows(database: Path, query: str, *values: str) -> list[sqlite3.Row]:
    """What a query finds in a database that a daemon may be writing to."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(query, values).fetchall()


def _params(item: pytest.Item) -> Mapping[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}
