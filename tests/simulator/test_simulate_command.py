"""`callflow simulate` as a user starts it: the demo with the real daemon, help, and mistakes."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from callflow.commands.simulate import show_end
from callflow.scenarios.tally import Tally

DEMO_RESULTS = {
    "silent": 3, "spoke": 3, "rescued": 2, "key": 1, "hangup": 1, "observed": 1, "unavailable": 1,
}  # fmt: skip


def callflow(*arguments: str, timeout_s: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callflow", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
    )


@pytest.mark.xdist_group("pretend-demo")
def test_the_demo_ends_as_expected_with_the_real_daemon(tmp_path: Path) -> None:
    done = callflow(
        "simulate", "demo", "--pretend", "--report", f"{tmp_path}/r.json", "--keep", f"{tmp_path}/kept", timeout_s=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert told["passed"] is True, told["disagreeing"]
    assert (told["placed"], told["ended"], told["lost"]) == (12, 12, 0)
    assert told["results"] == DEMO_RESULTS
    assert "12 of 12 as expected" in done.stdout
    recorded = callflow("calls", "--db", f"{tmp_path}/kept/callflow.db")
    assert "rescued" in recorded.stdout, "the daemon's own records were kept"


@pytest.mark.xdist_group("pretend-demo")
def test_a_call_that_ends_otherwise_is_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        'purpose = "says otherwise than is so"\n[[callers]]\nname = "speaks"\nat_s = 0\n'
        'does = [{ at = 0.2, sound = "speech" }]\nexpect = { result = "silent" }\n'
    )
    done = callflow("simulate", str(file), "--pretend", "--seed", "5", timeout_s=60)
    assert done.returncode == 1, done.stderr
    assert "speaks (1001): result spoke, expected silent" in done.stdout


@pytest.mark.xdist_group("pretend-demo")
@pytest.mark.parametrize("where", ["in the scenario", "in a file of their own"])
def test_faults_meet_the_calls_and_harm_nobody(tmp_path: Path, where: str) -> None:
    calls = tmp_path / "calls.toml"
    faults = tmp_path / "faults.toml"
    scenario = (
        'purpose = "AMI is cut in the greeting"\n[[callers]]\nname = "cut"\nat_s = 0\n'
        'expect = { result = "unavailable", prompts = ["greeting"], agent = true }\n'
    )
    cut = '[[faults]]\nwhat = "cut"\nat_s = 2\n'
    calls.write_text(scenario if where == "in a file of their own" else scenario + cut)
    faults.write_text(cut)
    more = ["--faults", str(faults)] if where == "in a file of their own" else []
    done = callflow("simulate", str(calls), "--pretend", *more, timeout_s=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sigterm_ends_everything_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "callflow", "simulate", "demo", "--pretend"]
    with subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("*/callflow.db")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_the_list_names_every_scenario() -> None:
    done = callflow("simulate", "--list")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("demo", "s1", "rescued", "busy"))


def test_help_teaches_with_examples() -> None:
    done = callflow("simulate", "--help")
    assert done.returncode == 0
    assert "callflow simulate demo --pretend" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing", "--pretend"], ["no scenario 'nothing'", "--list"]),
        (["none.toml", "--pretend"], ["none.toml", "No such file"]),
        (["WRONG", "--pretend"], ["wrong.toml, line 4", "callers[1].sais", "known here"]),
        (["demo", "--pretend", "--lab", "22"], ["exclude each other"]),
        (["demo", "--lab", "9"], ["no Asterisk 9", "22, 16"]),
        (["demo", "--pretend", "--like", "9"], ["no Asterisk 9"]),
        (["busy", "--lab", "22"], ["100 calls per second", "--pretend"]),
        (["demo", "--pretend", "--keep", "/dev/null/x"], ["--keep"]),
        (["demo", "--pretend", "--faults", "FAULTS"], ["callflow: ", "faults.toml, line 3: faults[1].at_s"]),
        (["s1", "--sip-host", "no.such.host.invalid"], ["'no.such.host.invalid' cannot be reached", "--sip-host"]),
    ],
)
def test_a_mistake_is_one_sentence_with_its_remedy(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('purpose = "with a mistake"\n[[callers]]\nname = "a"\nsais = "nothing"\nat_s = 0\n')
    (faults := tmp_path / "faults.toml").write_text('[[faults]]\nwhat = "cut"\nat_s = "x"\n')
    files = {"WRONG": str(wrong), "FAULTS": str(faults)}
    done = callflow("simulate", *[files.get(argument, argument) for argument in arguments])
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "remedy:" in done.stderr
    assert all(word in done.stderr.replace("\n", " ") for word in words), done.stderr


@pytest.mark.parametrize(("load", "busy"), [(0.5, False), (20.0, True)])
@pytest.mark.parametrize("wrong", [False, True])
def test_a_busy_machine_is_named_if_calls_went_wrong(
    monkeypatch: pytest.MonkeyPatch, load: float, busy: bool, wrong: bool
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    told = StringIO()
    show_end(Tally(wrong_after=["no call-back was listed"] if wrong else []), Console(file=told))
    assert ("busy (load 20 on 2 processors)" in told.getvalue()) is (busy and wrong)
