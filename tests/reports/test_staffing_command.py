"""`callflow staffing`, as people type it."""

import json
import sys

import pytest
from typer.testing import CliRunner, Result

from callflow.cli import app, main
from callflow.commands.staffing import on_the_rota

VECTOR = ["--calls", "100", "--per", "30m", "--handling", "180s"]


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["staffing", *words])


def test_the_published_vector_from_the_shell() -> None:
    told = json.loads(run(*VECTOR, "--json").stdout)
    assert told["load"]["erlangs"] == 10.0
    chosen = told["chosen"]
    assert (chosen["agents"], round(chosen["waiting"], 7), round(chosen["in_time"], 5)) == (14, 0.1741319, 0.88835)
    assert (round(chosen["asa_s"], 4), round(chosen["occupancy"], 7)) == (7.8359, 0.7142857)


def test_the_table_shows_fewer_and_more_agents() -> None:
    done = run(*VECTOR)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("load 10.00 erlangs")
    assert [int(line.split()[0]) for line in lines[2:-1]] == list(range(10, 20))
    assert "queue grows" in lines[2]
    assert "meets the target" not in lines[5]
    assert "88.8 %" in lines[6]
    assert lines[-1] == "14 agents meet 80 % within 20 s"


def test_lost_time_and_busy_agents_need_more() -> None:
    last = run(*VECTOR, "--shrinkage", "30", "--occupancy", "60").stdout.splitlines()[-1]
    assert last == "17 agents, 25 on the rota meet 80 % within 20 s, with agents busy at most 60 % of the time"
    assert (on_the_rota(14, 0), on_the_rota(14, 30), on_the_rota(7, 30)) == (14, 20, 10)


def test_a_number_of_agents_can_be_looked_at() -> None:
    assert run(*VECTOR, "--agents", "12").stdout.splitlines()[-1] == "12 agents do not meet 80 % within 20 s"


@pytest.mark.parametrize("words", [["--per", "1h"], ["--per", "60m"], ["--per", "3600"]])
def test_intervals_can_be_written_in_several_ways(words: list[str]) -> None:
    assert "load 5.00 erlangs" in run("--calls", "100", "--handling", "3m", *words).stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--calls", "100"], "Missing option '--handling'"),
        (["--calls", "-1", "--handling", "3m"], "greater than or equal to 0.001"),
        (["--calls", "100", "--handling", "soon"], "'soon' is not a length of time"),
        (["--calls", "100", "--handling", "0s"], "'0s' is not a length of time"),
        (["--calls", "100", "--handling", "25h"], "at most 24h"),
        ([*VECTOR, "--target", "100"], "less than or equal to"),
        ([*VECTOR, "--shrinkage", "100"], "less than or equal to"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words: list[str], sentence: str) -> None:
    done = run(*words)
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_a_load_beyond_reason_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["callflow", "staffing", "--calls", "1e9", "--handling", "1h"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "2,000,000,000 agents" in capsys.readouterr().err
