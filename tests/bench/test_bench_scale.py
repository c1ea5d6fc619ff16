"""The scale benchmark still works: its quick form, as a process of its own."""

import re
import subprocess
import sys


def test_the_quick_form_judges_every_call() -> None:
    command = [sys.executable, "-m", "tests.bench.bench_scale", "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    figures = " ".join(run.stdout.split())
    told = re.search(r"(\d+) calls, 0 lost, 0 not as expected \(none\); in the database (\d+), ended (\d+)", figures)
    assert told, run.stdout
    assert int(told[1]) == int(told[2]) == int(told[3]) > 5
    assert re.search(r"CPU per call: daemon \d+\.\d+ ms", figures)
