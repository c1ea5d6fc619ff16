"""The benchmark of the page still works: its quick form, as a process of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("browser")


def test_the_quick_form_measures_everything() -> None:
    command = [sys.executable, "-m", "tests.bench.bench_web", "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    for measured in ("first contentful paint", "live calls drawn", "a change is at 10 viewers", "memory by tenths"):
        assert measured in run.stdout
    assert "streams lost                                     │ 0 " in run.stdout
