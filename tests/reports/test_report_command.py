"""`callflow report`, as people type it."""

import csv
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from callflow.adapters.store.database import writing_engine
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.retention import Limits, clear
from callflow.adapters.store.store import Store
from callflow.cli import app, main
from callflow.commands.report_figures import make_report
from callflow.commands.report_period import Period
from callflow.core.assist.wrap_up import EndedBy, WrapUp
from callflow.core.call_record import CallRecord
from callflow.core.rings.names import safe_name
from callflow.core.rings.records import AgentInterval, AgentWork, Leg, Offer, Outcome, Stay, Timing
from callflow.core.service.grouping import DAY_MS, Scope, Span
from callflow.core.service.targets import QueueTarget, Targets
from tests.conftest import At
from tests.store.command_line import EVIL
from tests.store.plausible_day import MIDNIGHT, plausible_day

DAY = plausible_day()
PERIOD = ["2026-01-31", "--zone", "Asia/Shanghai"]
SETTINGS = """
[queues.sales]
threshold_s = 10
formula = "B"
"""


@pytest.fixture(scope="module")
def filled(kept_at: At, tmp_path_factory: pytest.TempPathFactory) -> Where:
    database = tmp_path_factory.mktemp("report") / "callflow.db"
    with Store(database, "main") as store:
        for record in DAY:
            if isinstance(record, CallRecord):
                store.save(record, final=True)
            else:
                store.save(record, final=True)
    return kept_at(database)


def run(database: Where, *words: object, config: Path | None = None) -> Result:
    """Run `callflow report WORDS` in a wide window."""
    before = ["--config", str(config)] if config else []
    typed = [*before, "report", *map(str, words), "--db", str(database)]
    return CliRunner(env={"COLUMNS": "240", "CALLFLOW_CONFIG": ""}).invoke(app, typed)


Kept = TypeVar("Kept", Stay, Offer, Leg)


def told(database: Where, *words: object, config: Path | None = None) -> dict[str, Any]:
    done = run(database, *PERIOD, *words, "--json", config=config)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def sure(records: Iterable[Kept]) -> list[Kept]:
    return [record for record in records if record.timing is Timing.STAMPED and not record.partial]


# -- figures ----------------------------------------------------------------------------------------------------------


def test_the_whole_day_in_one_row(filled: Where) -> None:
    figures = told(filled)["total"]
    answered = [s for s in sure(DAY.stays) if s.outcome is Outcome.ANSWERED]
    assert figures["answered"] == figures["talks"] == len(answered)
    assert figures["asa_s"] == pytest.approx(sum(s.wait_ms or 0 for s in answered) / len(answered) / 1000, abs=1e-5)
    assert figures["formula"] == "A"
    assert (figures["threshold_s"], figures["short_abandon_s"]) == (20, 5)
    denominator = figures["answered"] + figures["abandoned"] - figures["abandoned_short"]
    assert figures["service_level"] == pytest.approx(figures["answered_in_time"] / denominator, abs=1e-5)
    assert figures["rings_ideal"] == sum(o.answer_class == "ideal" for o in sure(DAY.offers))
    assert figures["screened"] == len(DAY.calls)
    assert figures["screened_silent"] == figures["unheard_not_judged"] > 0
    assert figures["screened_rescued"] > 0
    busy = figures["talking_s"] / (figures["talking_s"] + figures["ringing_s"] + figures["available_s"])
    assert figures["occupancy"] == pytest.approx(busy, abs=1e-5)


def test_a_queue_is_asked_for_as_asterisk_calls_it(tmp_path: Path) -> None:
    stay = next(record for record in DAY if isinstance(record, Stay))
    with Store(tmp_path / "callflow.db", "main") as store:
        store.save(replace(stay, queue=safe_name("Sales Team")), final=True)
    assert told(tmp_path / "callflow.db", "--queues", "Sales Team")["total"]["offered"] == 1


def test_queues_are_added_up_and_shares_are_never_averaged(filled: Where) -> None:
    by_queue = told(filled, "--by", "queue")
    assert [row["queue"] for row in by_queue["rows"]] == ["sales", "support"]
    total = by_queue["total"]
    for name in ("offered", "answered", "answered_in_time", "abandoned", "rings_late", "talks"):
        assert total[name] == sum(row[name] for row in by_queue["rows"]), name
    both = told(filled, "--queues", "sales, support")["total"]
    assert both["service_level"] == total["service_level"]
    assert total["service_level"] == pytest.approx(
        total["answered_in_time"] / (total["answered"] + total["abandoned"] - total["abandoned_short"]), abs=1e-5
    )


def test_each_queue_is_held_to_its_own_standard(filled: Where, tmp_path: Path) -> None:
    config = tmp_path / "callflow.toml"
    config.write_text(SETTINGS)
    by_queue = told(filled, "--by", "queue", config=config)
    sales, support = by_queue["rows"]
    assert (sales["formula"], sales["threshold_s"], support["formula"], support["threshold_s"]) == ("B", 10, "A", 20)
    assert sales["service_level"] == pytest.approx(sales["answered_in_time"] / sales["offered"], abs=1e-5)
    total = by_queue["total"]
    assert total["answered_in_time"] == sales["answered_in_time"] + support["answered_in_time"]
    assert (total["service_level"], total["formula"], total["threshold_s"]) == (None, "A+B", "10+20")
    assert "mixed formulas" in run(filled, *PERIOD, "--by", "queue", config=config).stdout


def test_all_formulas_side_by_side(filled: Where) -> None:
    total = told(filled, "--all-formulas")["total"]
    assert total["service_level_a"] == total["service_level"]
    assert total["service_level_e"] == pytest.approx(total["answered_in_time"] / total["answered"], abs=1e-5)
    assert all(0 < total[f"service_level_{formula}"] < 1 for formula in "abcdef")
    shown = run(filled, *PERIOD, "--all-formulas").stdout
    assert "Service level by every formula" in shown
    assert "D: answered within T / (answered + abandoned after T)" in shown


def test_nothing_measured_is_null_and_not_zero(filled: Where) -> None:
    by_agent = told(filled, "--by", "agent")
    assert {row["service_level"] for row in by_agent["rows"]} == {None}
    assert {row["offered"] for row in by_agent["rows"]} == {None}
    assert all(row["talks"] > 0 for row in by_agent["rows"] if row["agent"].startswith("2"))
    empty = json.loads(run(filled, "2026-03-03", "--json").stdout)["total"]
    assert empty["service_level"] is None
    assert empty["occupancy"] is None
    assert empty["offered"] in (None, 0)
    assert "there are no records in this period" in run(filled, "2026-03-03").stdout


@pytest.mark.parametrize("by", ["hour", "day", "week", "month", "hour-of-day", "weekday"])
def test_time_parts_add_up_to_the_day(filled: Where, by: str) -> None:
    parted = told(filled, "--by", by)
    whole = told(filled)["total"]
    assert {name: parted["total"][name] for name in whole} == whole
    names = [row[by] for row in parted["rows"]]
    assert names == sorted(names)
    assert len(names) == (12 if "hour" in by else 1)


def test_weeks_without_records_are_passed_over(filled: Where, tmp_path: Path) -> None:
    centuries = Period(MIDNIGHT - 150 * 365 * DAY_MS, MIDNIGHT + 150 * 365 * DAY_MS, UTC)
    targets = Targets(queues={"default": QueueTarget()})
    empty = tmp_path / "callflow.db"
    Store(empty, "main").__enter__().close()
    counted: list[int] = []

    def track(spans: list[Span]) -> list[Span]:
        counted.append(len(spans))
        return spans

    for database in (filled, empty):
        with Reader(database) as reader:
            report = make_report(reader, centuries, (), Scope(), targets, MIDNIGHT + DAY_MS, track)
        assert (report.total.service is not None) == (database is filled)
    assert counted == [1, 1]
    assert told(filled)["total"] == json.loads(run(filled, "--from", "2026-01-01", "--json").stdout)["total"]


def test_hours_are_those_of_the_zone(filled: Where) -> None:
    first = told(filled, "--by", "hour")["rows"][0]["hour"]
    assert first == "2026-01-31 08:00"
    elsewhere = json.loads(run(filled, "2026-01-31", "--zone", "UTC", "--by", "hour", "--json").stdout)["rows"][0][
        "hour"
    ]
    assert elsewhere == "2026-01-31 00:00"


# -- as people see it -------------------------------------------------------------------------------------------------


def test_the_tables(filled: Where) -> None:
    done = run(filled, *PERIOD, "--by", "queue")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "2026-01-31 00:00 to 2026-02-01 00:00 (Asia/Shanghai)"
    assert "Rings" in lines
    assert "Service" in lines
    assert "Screened callers" not in lines, "they know no queue"
    assert any("% (A)" in line for line in lines)
    (drawn,) = (line.split()[-1] for line in lines if line.startswith("sales") and line.rstrip().endswith("u"))
    assert len(drawn) == 24
    assert set(drawn) <= set("eailu")
    assert "A: answered within T / (answered + abandoned - short abandons)" in lines
    assert any(line.endswith("rings by cadence cn") for line in lines)
    assert told(filled)["cadences"] == ["cn"]


def test_colours_tell_how_the_level_stands_to_the_target(filled: Where) -> None:
    environment = {"COLUMNS": "200", "FORCE_COLOR": "1", "TERM": "xterm-256color", "CALLFLOW_CONFIG": ""}
    done = CliRunner(env=environment).invoke(app, ["report", *PERIOD, "--db", str(filled)])
    assert "\x1b[32m" in done.stdout
    assert "█" in done.stdout


@pytest.mark.parametrize("listed", ["abandoned", "silent"])
def test_the_calls_themselves(filled: Where, listed: str) -> None:
    calls = told(filled, "--list", listed)
    if listed == "abandoned":
        expected = [s.call_id for s in DAY.stays if "abandon" in (s.outcome or "")]
    else:
        expected = [c.call_id for c in DAY.calls if c.result == "silent"]
    assert [row["call_id"] for row in calls["rows"]] == expected
    shown = run(filled, *PERIOD, "--list", listed).stdout
    assert f"{len(expected)} calls" in shown
    assert expected[0] in shown


def test_pauses_are_added_up_by_agent_and_reason(kept_at: At, tmp_path: Path) -> None:
    with Store(tmp_path / "callflow.db", "main") as store:
        for agent, reason, began_s, lasted_s in (
            ("201", "lunch", 0, 1800),
            ("201", "wrapup", 3600, 20),
            ("201", "wrapup", 7200, 50),
            ("202", "", 60, 5),
            ("202", "late", DAY_MS // 1000, 5),
        ):
            began_ms = MIDNIGHT + 1000 * began_s
            interval = AgentInterval(agent, began_ms, began_ms + 1000 * lasted_s, AgentWork.PAUSED, reason)
            store.save(interval, final=True)
        store.save(AgentInterval("201", MIDNIGHT + 9_000_000, MIDNIGHT + 9_900_000, AgentWork.TALKING), final=True)
    found = told(kept_at(tmp_path / "callflow.db"), "--list", "pauses")
    assert [tuple(row.values()) for row in found["rows"]] == [
        ("201", "lunch", 1, 1800.0, 1800.0),
        ("201", "wrapup", 2, 70.0, 50.0),
        ("202", "", 1, 5.0, 5.0),
    ]


def test_wrap_ups_are_listed(kept_at: At, tmp_path: Path) -> None:
    asked = WrapUp("w", "c.1", 1, "201", "sales", "PJSIP/201", "", MIDNIGHT + 1000)
    done = asked.begin(MIDNIGHT + 2000, "order").end(MIDNIGHT + 32_000, EndedBy.READY)
    with Store(tmp_path / "callflow.db", "main") as store:
        store.save(done, final=True)
        store.save(replace(asked, wrap_up_id="open"), final=False)
    database = kept_at(tmp_path / "callflow.db")
    (row,) = told(database, "--list", "wrap-ups", "--agents", "201")["rows"]
    assert (row["wrap_up_s"], row["outcome"], row["ended_by"], row["call_id"]) == (30.0, "order", "ready", "c.1")
    assert told(database, "--list", "wrap-ups", "--agents", "202")["rows"] == []
    assert "30.0 s" in run(database, *PERIOD, "--list", "wrap-ups").stdout


def test_abandoned_calls_of_one_queue(filled: Where) -> None:
    rows = told(filled, "--list", "abandoned", "--queues", "sales")["rows"]
    assert {row["queue"] for row in rows} == {"sales"}
    assert any(row["uncertain"] for row in told(filled, "--list", "abandoned")["rows"]) == any(
        s.partial or s.timing is Timing.ARRIVAL for s in DAY.stays if "abandon" in (s.outcome or "")
    )


# -- files ------------------------------------------------------------------------------------------------------------


def test_csv_to_the_shell_and_to_a_file_are_the_same(filled: Where, tmp_path: Path) -> None:
    printed = run(filled, *PERIOD, "--by", "queue", "--csv").stdout
    file = tmp_path / "report.csv"
    assert run(filled, *PERIOD, "--by", "queue", "--file", file).exit_code == 0
    assert file.read_text("utf-8") == printed
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert [row["queue"] for row in rows] == ["sales", "support", "all"]
    assert rows[0]["screened"] == ""
    assert float(rows[2]["service_level"]) < 1


def test_json_file_is_what_is_printed(filled: Where, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert run(filled, *PERIOD, "--by", "agent", "--file", file).exit_code == 0
    assert json.loads(file.read_text("utf-8")) == told(filled, "--by", "agent")


def test_excel_has_numbers_percent_and_a_header(filled: Where, tmp_path: Path) -> None:
    file = tmp_path / "report.xlsx"
    assert run(filled, *PERIOD, "--by", "queue", "--file", file).exit_code == 0
    page = load_workbook(file).worksheets[0]
    rows = list(page.iter_rows(values_only=True))
    head = next(number for number, row in enumerate(rows) if row[0] == "queue")
    names = rows[head]
    sales = dict(zip(names, rows[head + 1], strict=True))
    expected = told(filled, "--by", "queue")["rows"][0]
    assert sales["offered"] == expected["offered"]
    assert sales["screened"] is None
    assert sales["service_level"] == pytest.approx(expected["service_level"], abs=1e-5)
    assert page.cell(head + 2, names.index("service_level") + 1).number_format == "0.0%"
    assert page.freeze_panes == f"A{head + 2}"
    assert rows[head + 3][0] == "all"


@pytest.mark.parametrize("before", ["", "\x01", "\r"])
def test_no_text_from_a_caller_becomes_a_formula_or_steers_the_terminal(tmp_path: Path, before: str) -> None:
    database = tmp_path / "callflow.db"
    stay = next(s for s in DAY.stays if s.outcome is Outcome.SHORT_ABANDON)
    with Store(database, "main") as store:
        evil = replace(stay, caller_name=before + EVIL, caller_number="+1-555-0100", queue="=1+1\x1b[31m")
        store.save(evil, final=True)
    assert "\x1b" not in run(database, *PERIOD, "--by", "queue").stdout
    assert "\x1b" not in run(database, *PERIOD, "--list", "abandoned").stdout
    file = tmp_path / "list.xlsx"
    assert run(database, *PERIOD, "--list", "abandoned", "--file", file).exit_code == 0
    cells = [cell for row in load_workbook(file).worksheets[0].iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    (row,) = csv.DictReader(io.StringIO(run(database, *PERIOD, "--list", "abandoned", "--csv").stdout))
    assert row["caller_name"].startswith(("'=", "'\r=", "'\x01="))
    assert row["caller_number"] == "'+1-555-0100"


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tomorow"], "'tomorow' is not a period: write today"),
        (["--from", "blue"], "'blue' is not a time"),
        (["--to", "2026-01-31"], "--to needs --from"),
        (["today", "--from", "2026-01-31"], "not both"),
        (["--from", "2026-01-31", "--to", "2026-01-01"], "the period is empty"),
        (["--zone", "Mars/Base"], "no time zone is called 'Mars/Base'"),
        (["--by", "team"], "--by 'team' is not known: write queue, agent, line, hour"),
        (["--by", "queue,line"], "no record has both line and queue"),
        (["--queues", "support", "--lines", "8001"], "no record has both line and queue"),
        (["--by", "line", "--agents", "201"], "no record has both agent and line"),
        (["--file", "report.pdf"], "must end in .csv, .json or .xlsx"),
        (["--csv", "--json"], "cannot be combined"),
        (["--list", "busy"], "'busy' is not one of"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(filled: Where, words: list[str], sentence: str) -> None:
    done = run(filled, *words)
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "problem", "remedy"),
    [
        (["--queues", "suport,sales"], "there are no records of queue suport", "this period has sales, support"),
        (["--agents", "999"], "there are no records of agent 999", "201"),
        (["--list", "abandoned", "--agents", "201"], "cannot be filtered by agent", "--queues"),
        (["--file", "/nowhere/report.csv"], "cannot be written", "name another file"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    filled: Where,
    words: list[str],
    problem: str,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CALLFLOW_CONFIG", "")
    monkeypatch.setattr(sys, "argv", ["callflow", "report", *PERIOD, *words, "--db", str(filled)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told_user = capsys.readouterr().err
    assert problem in told_user
    assert remedy in told_user
    assert "Traceback" not in told_user


def test_agents_need_the_details(tmp_path: Path) -> None:
    database = tmp_path / "callflow.db"
    with Store(database, "main") as store:
        for leg in DAY.legs:
            store.save(leg, final=True)
    noon = MIDNIGHT + DAY_MS // 2
    with writing_engine(database, 1.0).connect() as connection:
        clear(connection, Limits(details_ms=noon, records_ms=0), lambda seconds: False)
    assert "have been deleted" in run(database, *PERIOD, "--by", "agent").stdout
    assert "have been deleted" not in run(database, *PERIOD).stdout


def test_a_period_that_has_been_deleted_says_so(tmp_path: Path) -> None:
    database = tmp_path / "callflow.db"
    with Store(database, "main") as store:
        for stay in DAY.stays:
            store.save(stay, final=True)
    noon = MIDNIGHT + DAY_MS // 2
    with writing_engine(database, 1.0).connect() as connection:
        clear(connection, Limits(noon, noon), lambda seconds: False)
    shown = run(database, *PERIOD).stdout
    assert "have been deleted" in shown
    assert told(database)["records_deleted_before_ms"] == noon
    assert "have been deleted" in run(database, *PERIOD, "--list", "abandoned").stdout
    assert told(database, "--list", "abandoned")["records_deleted_before_ms"] == noon


def test_nothing_has_been_deleted_from_long_ago(filled: Where) -> None:
    assert "have been deleted" not in run(filled, "--from", "1960-01-01", "--to", "1960-01-02").stdout
