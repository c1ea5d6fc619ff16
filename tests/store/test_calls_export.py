"""`callflow calls export`: what a spreadsheet gets."""

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from tests.store.command_line import EVIL, fill, run
from tests.store.samples import T0, ended, live_call, observed

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("shanghai")


def _read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_comes_back_as_it_was_without_formulas(database: Path, tmp_path: Path) -> None:
    calls = [
        replace(ended(live_call("1.1")), caller_name=EVIL, dialled="@1001"),
        replace(
            observed(live_call("1.2", T0 + 5), Result.SILENT, spoke_after=True), caller_number="-1", caller_name="王"
        ),
        replace(live_call("1.3", T0 + 9), caller_number="1002", caller_name="\t王", partial=True),
    ]
    fill(database, *calls)
    out = tmp_path / "calls.csv"
    done = run("export", out, "--db", database)
    assert done.exit_code == 0
    assert "wrote 3 calls to" in done.stderr
    text = out.read_text("utf-8")
    assert text == run("export", "--db", database).stdout == run("export", "-", "--db", database).stdout
    rows = _read_csv(text)
    for call, row in zip(calls, rows, strict=True):
        for name in ("caller_number", "caller_name", "dialled", "channel"):
            value = getattr(call, name)
            assert row[name] == (f"'{value}" if value[:1] in "=+-@\t" else value)
        assert row["arrived_ms"] == str(call.arrived_ms)
        assert row["result"] == (call.result or "")
        assert row["partial"] == str(int(call.partial))
    assert rows[0]["arrived"] == "2026-01-31T21:05:03.120+08:00"
    assert (rows[1]["mode"], rows[1]["would"], rows[1]["heard_after_would"]) == (Mode.OBSERVE, "silent", "1")
    assert (rows[2]["ended"], rows[2]["ended_ms"]) == ("", "")


def test_a_lone_carriage_return_ends_no_row(database: Path) -> None:
    """Excel takes it for the end of a row, unless it is quoted."""
    fill(database, replace(ended(live_call("1.1")), caller_name="A\r=1+1", dialled="4000\r\n"))
    assert ',"A\r=1+1","4000\r\n",' in run("export", "--db", database).stdout_bytes.decode()


def test_an_export_replaces_the_file_whole_and_is_private(database: Path, tmp_path: Path) -> None:
    fill(database, ended(live_call("1.1")))
    out = tmp_path / "calls.csv"
    out.write_text("old " * 1000)
    assert run("export", out, "--result", "spoke", "--db", database).exit_code == 0
    assert len(_read_csv(out.read_text("utf-8"))) == 1
    assert out.stat().st_mode & 0o077 == 0
    assert sorted(path.suffix for path in tmp_path.glob("*calls*")) == [".csv"]


def test_an_empty_export_is_a_header(database: Path) -> None:
    fill(database)
    done = run("export", "--db", database)
    assert done.exit_code == 0
    assert done.stdout.startswith("node,call_id,")
    assert len(done.stdout.splitlines()) == 1


def test_a_reader_of_the_export_may_stop_early(database: Path) -> None:
    fill(database, *(ended(live_call(f"1.{n}")) for n in range(3000)))
    export = subprocess.Popen(
        [sys.executable, "-m", "callflow", "calls", "export", "--db", str(database)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert export.stdout is not None
    assert export.stderr is not None
    export.stdout.readline()
    export.stdout.close()
    assert b"Traceback" not in export.stderr.read()
    export.wait()
    export.stderr.close()
