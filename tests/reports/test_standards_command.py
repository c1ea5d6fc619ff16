"""`callflow standards`, as people type it; and what the daemon publishes is the same."""

import json
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from callflow.adapters.store.store import Store
from callflow.checks.finding import Verdict
from callflow.checks.host import check_host
from callflow.cli import app
from callflow.core.service.targets import QueueTarget, Targets
from callflow.errors import SettingError
from callflow.publishing.live_states import LiveStates
from callflow.publishing.standing import StandardsWatch
from callflow.settings import standards
from callflow.settings.model import Settings
from callflow.settings.standards import StandardsOptions
from tests.conftest import At
from tests.metrics.scraped import sample_at
from tests.publishing import samples
from tests.publishing.test_schemas import check
from tests.store.plausible_day import MIDNIGHT, plausible_day

DAY_MS = 86_400_000
PERIOD = ["2026-01-31", "--zone", "Asia/Shanghai"]
FILE = """
[[standard]]
name = "In time"
measure = "service_level"
adequate = 50
desired = 99.9
owner = "Ada"
reviewed = 2100-01-01
[[standard]]
name = "Kind"
measure = "attitude"
adequate = 1
desired = 5
owner = "Ada"
[[standard]]
name = "Sales is rarely silent"
measure = "silent_share"
adequate = 90
desired = 80
owner = "Ada"
queues = ["sales"]
"""


@pytest.fixture(scope="module")
def site(kept_at: At, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("standards")
    day = plausible_day()
    day.rate()
    with Store(folder / "callflow.db", "main") as store:
        for record in day:
            store.save(record, final=True)
    (folder / "standards.toml").write_text(FILE)
    (folder / "where").write_text(str(kept_at(folder / "callflow.db")))
    return folder


def run(site: Path, *words: str) -> Result:
    typed = ["standards", *words, "--db", (site / "where").read_text(), "--file", str(site / "standards.toml")]
    return CliRunner(env={"COLUMNS": "200", "CALLFLOW_CONFIG": ""}).invoke(app, typed)


def test_perceived_and_n_come_first(site: Path) -> None:
    done = run(site, *PERIOD)
    assert done.exit_code == 0, done.output
    heading = done.stdout.splitlines()[1].split()
    assert heading == ["standard", "perceived", "n", "adequate", "desired", "MSA", "MSS", "judgement", "trend"]
    in_time, kind, silent = done.stdout.splitlines()[2:5]
    assert "adequate" in in_time
    assert "%" in in_time
    assert "-" in kind.split()
    assert "too few cases: 0 of 30" in silent
    assert "Kind was never reviewed: review it at least once a year" in done.stdout
    assert "In time was" not in done.stdout


def test_json_has_every_value(site: Path) -> None:
    rows = json.loads(run(site, *PERIOD, "--json").stdout)["rows"]
    (in_time, kind, silent) = rows
    assert in_time["msa"] == pytest.approx(in_time["perceived"] - 50, abs=1e-5)
    assert in_time["mss"] == pytest.approx(in_time["perceived"] - 99.9, abs=1e-5)
    assert (in_time["judgement"], in_time["words"], in_time["review_overdue"]) == ("yellow", "adequate", False)
    assert 1 <= kind["perceived"] <= 5
    assert (silent["perceived"], silent["judgement"]) == (None, "none")


def test_a_mistake_in_the_file_is_one_sentence(site: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(FILE.replace('"attitude"', '"kindness"'))
    done = CliRunner().invoke(app, ["standards", "--file", str(broken), "--db", str(site / "callflow.db")])
    assert done.exit_code != 0
    assert "line 11" in str(done.exception)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ('measure = "attitude"', 'measure = "kindness"', 11, "there is no measure 'kindness'; it must be one of"),
        ("adequate = 50", "adequate = 100", 5, "adequate (100) is above desired (99.9), but higher is better"),
        ("adequate = 90", "adequate = 70", 18, "adequate (70) is below desired (80), but lower is better"),
        ('owner = "Ada"\nqueues', "queues", 15, "owner"),
        ("desired = 5", 'desired = "five"', 13, "desired"),
        ("reviewed = 2100-01-01", "reviwed = 2100-01-01", 8, "reviwed"),
        ('name = "Kind"', 'name = "In time"', 10, "two standards called 'In time'"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, before: str, after: str, line: int, said: str) -> None:
    """By the command and by `callflow check` alike."""
    file = tmp_path / "standards.toml"
    assert FILE.count(before) == 1
    file.write_text(FILE.replace(before, after))
    with pytest.raises(SettingError) as refused:
        standards.read_standards(file)
    assert str(refused.value.setting) == f"{file}, line {line}"
    assert said in refused.value.problem
    (finding,) = [one for one in check_host(site_with(file), None) if one.subject == "standards"]
    assert (finding.verdict, f"line {line}" in finding.seen) == (Verdict.FAIL, True)


def site_with(file: Path) -> Settings:
    return Settings(standards=StandardsOptions(file=file))


def test_a_standard_that_was_not_reviewed_for_a_year_is_named_by_check(tmp_path: Path) -> None:
    file = tmp_path / "standards.toml"
    file.write_text(FILE)
    (finding,) = [one for one in check_host(site_with(file), None) if one.subject == "standards"]
    assert (finding.verdict, "Kind, Sales is rarely silent" in finding.seen) == (Verdict.WARN, True)


def test_the_daemon_publishes_the_same_values(site: Path) -> None:
    end_ms = MIDNIGHT + DAY_MS
    options = StandardsOptions(file=site / "standards.toml", days=1)
    watch = StandardsWatch(options, site / "callflow.db", Targets(queues={"default": QueueTarget()}), lambda: end_ms)
    watch.stands = watch.judge()
    rows = json.loads(run(site, *PERIOD, "--json").stdout)["rows"]
    states = watch.states()
    assert [key.name for key in states] == [row["standard"] for row in rows]
    for (key, state), row in zip(states.items(), rows, strict=True):
        shown = state.shown(key)
        check("state.standard", json.dumps(shown))
        for name in ("cases", "adequate", "desired", "judgement", "trend", "words"):
            assert shown[name] == row[name]
        assert shown["perceived"] == (row["perceived"] and pytest.approx(row["perceived"], abs=1e-5))
    registry = CollectorRegistry()
    registry.register(watch)
    for row in rows:
        value = registry.get_sample_value("callflow_standard_msa", {"standard": row["standard"]})
        assert value == (None if row["msa"] is None else pytest.approx(row["msa"], abs=1e-5))


def test_a_name_that_is_too_long_for_a_topic_stops_no_other_state(site: Path) -> None:
    """The file takes 64 characters, a topic 128 bytes."""
    file, long = site / "standards.toml", "每周" * 22
    file.write_text(FILE.replace('name = "Kind"', f'name = "{long}"'))
    targets = Targets(queues={"default": QueueTarget()})
    watch = StandardsWatch(
        StandardsOptions(file=file, days=1), site / "callflow.db", targets, lambda: MIDNIGHT + DAY_MS
    )
    watch.stands = watch.judge()
    live = LiveStates(samples.HIDDEN, sample_at, {}, lambda: samples.T0, watch.states)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            live.update(sample_at())
    assert [key.name for key in watch.states()] == ["In time", "Sales is rarely silent"]
    assert len(live.board) > 2
    assert [line["name"] for line in logs] == [long]


def test_without_a_file_nothing_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standards, "DEFAULT_PATH", tmp_path / "none.toml")
    watch = StandardsWatch(
        StandardsOptions(), tmp_path / "none.db", Targets(queues={"default": QueueTarget()}), lambda: 0
    )
    assert watch.judge() is None
    assert watch.states() == {}
