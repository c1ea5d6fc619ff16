"""The benchmark of the page still works: its quick form, as a process of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("browser")


def test_the_quick_form_measures_everything() -> None:
    command = [sys.executable, "-m", "tests.bench.bench_web", "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    for measured in (
        "first contentful paint",
        "live calls drawn",
        "a change is at 10 viewers",
        "weight of the whole page",
        "memory by tenths",
    ):
        assert measured in run.stdout
    assert "streams lost                                     │ 0 " in run.stdout


def test_viewers_come_and_go_and_none_is_refused() -> None:
    command = [sys.executable, "-m", "tests.bench.bench_reconnects", "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    rows = [line.split("│") for line in run.stdout.splitlines() if line.count("│") == 3]
    found = {name.strip(): value.strip() for _, name, value, _ in rows}
    assert found["viewers that were refused or failed"] == "0"
    assert found["streams left"] == "0"
    assert int(found["visits of 10 viewers"].replace(",", "")) > 20
    assert len(found["memory by tenths"].split()) == 11
