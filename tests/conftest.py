"""What every test shares: the lab, a PostgreSQL, and a second try for a test that runs by the clock."""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.places import Postgres, Where
from callflow.lab.roots import asterisk_root
from callflow.processes.errors import LabUnavailable
from callflow.scenarios.site import VERSIONS
from tests.services.postgres import Cluster, clear, copy_of, empty, make_database
from tests.services.programs import Missing

CLUSTER = pytest.StashKey[Cluster]()
"""The PostgreSQL of this run; a test that needs it starts it."""
BOTH = ["sqlite", "postgresql"]

At = Callable[[Path], Where]
"""Where to read what was saved in a SQLite file: there, or in a copy in PostgreSQL."""

ASTERISK = "asterisk-"
BY_THE_CLOCK = (ASTERISK, "pretend-", "browser")
"""Groups of tests whose phones, browsers and engines run in real time, on a machine that others use too."""

LAST_LINES = 25
"""Of a first try's failure."""

settings.register_profile("by no clock", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("by no clock")  # all else is as Hypothesis has it: in CI the same examples in every run


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that runs by the clock is tried once more if it fails; the summary lists it as a rerun.

    A group runs on one worker. The folders of labs are groups of their own, for each release of Asterisk: all of them
    in one took longer than everything else together.
    """
    for item in items:
        groups = [str(mark.args[0]) for mark in item.iter_markers("xdist_group")]
        if item.get_closest_marker("lab") or any(group.startswith(BY_THE_CLOCK) for group in groups):
            item.add_marker(pytest.mark.flaky(reruns=1))
        folder = item.path.parent.name
        if folder.startswith("lab_") and any(group.startswith(ASTERISK) for group in groups):
            item.add_marker(pytest.mark.xdist_group(folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test had to be tried twice: its second try hides that, and it is a fault of ours or of the test."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"first try of {report.nodeid}", sep="-")
        terminalreporter.line("\n".join(report.longreprtext.splitlines()[-LAST_LINES:]))


@pytest.fixture(autouse=True)
def _lab_is_there(request: pytest.FixtureRequest) -> None:
    """A lab that cannot be had fails in CI and is skipped elsewhere."""
    if not request.node.get_closest_marker("lab"):
        return
    try:
        for version in VERSIONS:
            asterisk_root(version)
    except LabUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def pytest_configure_node(node: Any) -> None:
    """All workers of pytest-xdist share one cluster."""
    node.workerinput["postgres"] = str(_cluster(node.config).folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the cluster with the run."""
    if CLUSTER in config.stash:
        config.stash[CLUSTER].stop()


def _cluster(config: pytest.Config) -> Cluster:
    if CLUSTER not in config.stash:
        config.stash[CLUSTER] = Cluster.new()
    return config.stash[CLUSTER]


@pytest.fixture(scope="session")
def new_postgres(request: pytest.FixtureRequest, worker_id: str) -> Callable[[], str]:
    """Makes an empty database and returns its URL. Without PostgreSQL a test fails in CI and is skipped elsewhere."""
    told = getattr(request.config, "workerinput", None)
    cluster = Cluster(Path(told["postgres"])) if told else _cluster(request.config)
    try:
        cluster.start()
    except (Missing, OSError, RuntimeError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL is not to be had: {error}")
    numbers = count()
    return lambda: make_database(cluster.folder, f"{worker_id}_{next(numbers)}")


@pytest.fixture(scope="session")
def postgres_database(new_postgres: Callable[[], str]) -> str:
    """The database that the tests of this worker use in turn."""
    return new_postgres()


@pytest.fixture
def postgres(postgres_database: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    yield postgres_database
    empty(postgres_database)


@pytest.fixture(scope="session")
def fleet_database(new_postgres: Callable[[], str]) -> str:
    """One with the tables of a fleet, which the tests of this worker use in turn."""
    url = new_postgres()
    bring_to_head(Postgres(url))
    return url


@pytest.fixture
def fleet(fleet_database: str) -> Iterator[str]:
    """The URL of a database with the tables of a fleet, without rows."""
    yield fleet_database
    clear(fleet_database)


@pytest.fixture(params=BOTH)
def at(request: pytest.FixtureRequest) -> At:
    """A test with this runs on both databases."""
    if request.param == "sqlite":
        return lambda database: database
    url = request.getfixturevalue("fleet")

    def copied(database: Path) -> Where:
        clear(url)
        return copy_of(database, url)

    return copied


@pytest.fixture(scope="module", params=BOTH)
def kept_at(request: pytest.FixtureRequest) -> At:
    """As `at`, for what a whole module reads."""
    if request.param == "sqlite":
        return lambda database: database
    new = request.getfixturevalue("new_postgres")
    return lambda database: copy_of(database, new())
