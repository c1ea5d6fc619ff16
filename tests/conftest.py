"""What every test shares: a test marked `lab` needs the lab."""

import os

import pytest

from callflow.lab.roots import asterisk_root
from callflow.processes.errors import LabUnavailable
from callflow.scenarios.site import VERSIONS


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
