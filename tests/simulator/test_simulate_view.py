"""The live view, and the daemon's database as it sees it."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from callflow.adapters.store.store import Store
from callflow.core.call_record import CallRecord, Kind, TimelineEntry
from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.screening.states import Result
from callflow.scenarios.daemon_view import DaemonView, Row
from callflow.scenarios.live import LiveView
from callflow.scenarios.scenario import find_scenario, read_scenario
from callflow.scenarios.seen import SeenCall
from callflow.scenarios.tables import what_was_heard
from callflow.scenarios.tally import Progress, Run


def record(call_id: str, number: str, arrived_ms: int, result: Result | None, mode: Mode = Mode.ACT) -> CallRecord:
    return CallRecord(
        call_id=call_id, uniqueid=call_id, channel="PJSIP/caller-00000001", profile="support", mode=mode,
        ladder="silent", ear="talk_detect", language="zh", caller_number=number, caller_name="", dialled="s",
        arrived_ms=arrived_ms, ended_ms=None if result is None else arrived_ms + 1, result=result, would=None, rung=1,
        heard_at_ms=None, heard_after_would=False, partial=False,
    )  # fmt: skip


def database(tmp_path: Path) -> DaemonView:
    store = Store(tmp_path / "callflow.db", "main")
    store.open()
    store.save(record("1.1", "1001", 1000, None), final=False)
    store.add_to_timeline("1.1", TimelineEntry(1, 1000, Kind.SAID, "greeting"))
    store.add_to_timeline("1.1", TimelineEntry(2, 1500, Kind.PROMPT_STOPPED, "greeting"))
    store.add_to_timeline("1.1", TimelineEntry(3, 1500, Kind.SPEECH))
    store.save(record("1.2", "1002", 2000, Result.OBSERVED, Mode.OBSERVE), final=True)
    store.add_to_timeline("1.2", TimelineEntry(1, 2000, Kind.SAID, "greeting"))
    store.add_to_timeline("1.2", TimelineEntry(2, 2001, Kind.DECIDED, "observed"))
    store.save(record("1.3", "", 2500, Result.SPOKE), final=True)
    store.close()
    return DaemonView(tmp_path / "callflow.db", 0)


class TestDaemonView:
    def test_tells_what_each_caller_has_heard(self, tmp_path: Path) -> None:
        assert database(tmp_path).rows() == [
            Row("1001", ["S1✂"], "speaks", ""),
            Row("1002", [], "handed on", "observed"),
        ]

    def test_tells_results(self, tmp_path: Path) -> None:
        assert list(database(tmp_path).results()) == [("1001", None), ("1002", "observed"), ("", "spoke")]

    def test_tells_what_was_heard_of_their_sound(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "callflow.db", "main")
        store.open()
        for number, heard in enumerate((Heard.DIGITAL_SILENCE, Heard.QUIET, Heard.DIGITAL_SILENCE, None)):
            store.save(replace(record(f"1.{number}", "1001", 1000, Result.SPOKE), heard=heard), final=True)
        store.add_to_timeline("1.0", TimelineEntry(1, 1000, Kind.HEARD, "digital_silence"))
        store.close()
        view = DaemonView(tmp_path / "callflow.db", 0)
        assert view.rows()[0].now == "digital silence"
        said = "Their sound, as the daemon heard it last: 2 digital silence, 1 quiet."
        assert what_was_heard(view.heard()) == said
        assert what_was_heard(DaemonView(tmp_path / "callflow.db", 1001).heard()) == ""

    def test_leaves_out_what_was_before(self, tmp_path: Path) -> None:
        database(tmp_path)
        assert [row.number for row in DaemonView(tmp_path / "callflow.db", 1500).rows()] == ["1002"]

    def test_no_database_yet_is_no_row_yet(self, tmp_path: Path) -> None:
        assert DaemonView(tmp_path / "none.db", 0).rows() == []
        assert not (tmp_path / "none.db").exists()


def shown(view: LiveView, width: int = 140) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(view.table())
    return captured.get()


class TestLiveView:
    def test_few_callers_are_shown_by_name(self, tmp_path: Path) -> None:
        run = Run(read_scenario(find_scenario("demo")), daemon=database(tmp_path))
        run.tally.add(SeenCall("daemon-absent", "1012", 11, "unavailable"))
        lines = shown(LiveView(Console(), run, "title")).splitlines()
        by_number = {number: line for line in lines for number in ("1001", "1002", "1012") if number in line}
        assert "S1✂" in by_number["1001"]
        assert "speaks" in by_number["1001"]
        assert "observed" in by_number["1002"]
        assert "unavailable" in by_number["1012"]

    @pytest.mark.parametrize("width", [80, 120])
    def test_every_caller_is_one_line_with_all_words(self, tmp_path: Path, width: int) -> None:
        scenario = read_scenario(find_scenario("demo"))
        lines = shown(LiveView(Console(), Run(scenario, daemon=database(tmp_path)), "title"), width).splitlines()
        for caller in scenario.callers:
            assert sum(caller.number in line and caller.about in line for line in lines) == 1
        assert not any("…" in line or len(line) > width for line in lines)

    def test_many_callers_are_shown_by_state(self) -> None:
        run = Run(read_scenario(find_scenario("busy")))
        run.progress = Progress(10.0, 1000, 400, {"greeting": 450, "talking": 150})
        run.tally.add(SeenCall("silent", "1", 0, "silent"))
        text = shown(LiveView(Console(), run, "title"))
        assert "greeting" in text
        assert "450" in text
        assert "silent" in text

    def test_calls_per_second_are_those_of_late(self) -> None:
        run = Run(read_scenario(find_scenario("busy")))
        view = LiveView(Console(quiet=True), run, "title")
        for second in range(21):
            run.progress = Progress(float(second), 10 * second if second < 10 else 100 * second)
            view.refresh()
        assert view.calls_per_s == 100
