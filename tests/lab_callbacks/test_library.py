"""Scenarios of the library with call-backs, on a real Asterisk as the command line plays them."""

import os
import subprocess
import sys

import pytest

from callflow.scenarios.site import VERSIONS, Version

pytestmark = [pytest.mark.lab, pytest.mark.timeout(200)]

IN_CI = ("cases",)
EVERY = ("by-hand", "customer-first", "hung-up-on", "keep-place", "repeated", "spoken-name")
"""These take minutes: only with CALLFLOW_EVERY_SCENARIO=1."""


NEVER_QUIET_ON_16 = "hung-up-on"
"""Without a tap callflow never hangs up on a caller as quiet."""
NAMES = (*IN_CI, *(EVERY if os.environ.get("CALLFLOW_EVERY_SCENARIO") else ()))
PLACES = [
    pytest.param(name, version, marks=pytest.mark.xdist_group(f"asterisk-{version}"))
    for name in NAMES
    for version in VERSIONS
    if (name, version) != (NEVER_QUIET_ON_16, "16")
]


@pytest.mark.parametrize(("name", "version"), PLACES)
def test_it_ends_on_a_real_asterisk_as_expected(name: str, version: Version) -> None:
    command = [sys.executable, "-m", "callflow", "simulate", name, "--lab", version]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
