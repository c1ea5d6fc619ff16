"""What every test shares: a test marked `lab` needs the lab, and one that runs by the clock may be tried twice."""

import os

import pytest

from callflow.lab.roots import asterisk_root
from callflow.processes.errors import LabUnavailable
from callflow.scenarios.site import VERSIONS

BY_THE_CLOCK = ("asterisk-", "pretend-", "browser")
"""Groups of tests whose phones, browsers and engines run in real time, on a machine that others use too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that runs by the clock is tried once more if it fails; the summary lists it as a rerun."""
    for item in items:
        if item.get_closest_marker("lab") or any(
            str(mark.args[0]).startswith(BY_THE_CLOCK) for mark in item.iter_markers("xdist_group")
        ):
            item.add_marker(pytest.mark.flaky(reruns=1))


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
