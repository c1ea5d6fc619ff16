"""Every benchmark still works: its quick form, as a process of its own. What it measures then means little."""

import subprocess
import sys

import pytest

FIGURES = {
    "tests.adapters.bench_ami_intake": ("the gate:", "x stock", "and the tracker:"),
    "tests.bench.bench_start": ("CPU until calls are let in", "CPU with the rest"),
    "tests.bench.bench_store": ("calls/s saved", "stream all"),
    "tests.bench.bench_report": ("day by queue", "from the shell"),
    "tests.bench.bench_taps": ("The hearing alone", "All of it"),
    "tests.bench.bench_assist": ("of a core", "prompts/s", "taps:"),
    "tests.bench.bench_soak": ("twice 0", "open files", "in the database exactly once"),
    "tests.bench.bench_fleet": ("CPU for a call: collectors", "0 lost, 0 doubled, 0 of no node, 0 different"),
    "tests.bench.bench_collector": ("500 events in", "CPU for an event: collector", "broker", "PostgreSQL"),
    "tests.bench.bench_assist_faults": ("prompts, 0 went wrong", "were struck"),
}


@pytest.mark.parametrize("module", FIGURES)
def test_the_quick_form_prints_its_figures(module: str) -> None:
    command = [sys.executable, "-m", module, "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    assert not [figure for figure in FIGURES[module] if figure not in run.stdout], run.stdout


@pytest.mark.lab
@pytest.mark.xdist_group("asterisk-22")
def test_the_quick_form_of_the_lab_s_benchmark_prints_its_figures() -> None:
    command = [sys.executable, "-m", "callflow", "lab", "bench", "--quick"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, run.stderr
    assert "reaction, first speech packet to last prompt packet" in " ".join(run.stdout.split())
