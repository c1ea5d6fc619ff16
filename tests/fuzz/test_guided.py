"""The long form of fuzzing, for seconds: atheris follows new code to a fault, and every figure is told."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from tests.fuzz.__main__ import Report
from tests.fuzz.readers import READERS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is for Linux on x86_64")

PLANTED = dedent("""
    import sys
    from contextlib import contextmanager
    from pathlib import Path
    import atheris
    from tests.fuzz import guided
    from tests.fuzz.readers import Reader

    def breaks(data):
        if data[:1] == b"S":
            if data[1:2] == b"I":
                if data[2:3] == b"P":
                    raise ValueError("planted")

    @contextmanager
    def begin():
        yield atheris.instrument_func(breaks)

    folder = Path(sys.argv[1])
    (folder / "rtp").mkdir()
    guided.CORPUS, guided.READERS, guided.MOST_KINDS = folder, {"rtp": Reader(begin)}, 1
    guided.Hunt("rtp", folder / "pool", minutes=0.5, seed=1).run()
""")
"""Blind changes meet these three bytes once in 16 million inputs."""


def test_a_fault_behind_three_steps_is_found_by_following_new_code(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PLANTED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    (fault,) = json.loads(ran.stdout.splitlines()[-1])["faults"]
    kind, _, file = fault.rpartition(", ")
    assert kind == "ValueError: planted"
    assert Path(file).read_bytes().startswith(b"SIP")


def test_what_is_no_figure_leaves_the_figures_alone() -> None:
    report = Report("rtp")
    for line in (b'{"inputs": 3, "faults": []}\n', b"\n", b"==7== ERROR: libFuzzer: timeout\n"):
        report.take(line)
    report.ended(70, "timeout")
    assert (report.figures, report.faults) == ({"inputs": 3}, ["the process ended with 70: timeout"])


def fuzz(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.fuzz", *arguments]


def test_every_reader_is_begun_and_reported(tmp_path: Path) -> None:
    command = fuzz("--minutes", "0", "--pool", str(tmp_path))
    ran = subprocess.run(command, capture_output=True, text=True, timeout=250, env={**os.environ, "COLUMNS": "160"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = [line for line in ran.stdout.splitlines() if "none" in line]
    assert [next(name for name in READERS if name in row) for row in rows] == list(READERS)


def test_an_interruption_reports_what_there_is(tmp_path: Path) -> None:
    command = fuzz("--only", "audiosocket", "--minutes", "60", "--pool", str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        pool = tmp_path / "audiosocket"
        while not (pool.is_dir() and len(list(pool.iterdir())) > 1):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "audiosocket" in said.splitlines()[-2]
    assert "none" in said.splitlines()[-2]
