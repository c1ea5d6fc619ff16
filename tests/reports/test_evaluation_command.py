"""`callflow evaluation`: figures of each agent, hints with their rules, nothing below the stated number of cases."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from callflow.adapters.store.agent_figures import agent_figures
from callflow.adapters.store.places import Where
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.commands.evaluation_page import page
from callflow.core.assist.wrap_up import EndedBy, WrapUp
from callflow.core.service.evaluation import AgentFigures, EvaluationRules, Holds, hints, rules_in_words, team
from callflow.core.service.grouping import Counted
from callflow.core.service.tallies import Ratings, Rings
from callflow.core.service.targets import QueueTarget, Targets
from tests.conftest import At
from tests.publishing import samples
from tests.store.plausible_day import MIDNIGHT, plausible_day

DAY_MS = 86_400_000
RULES = EvaluationRules()
PERIOD = ["2026-01", "--zone", "Asia/Shanghai"]


@pytest.fixture(scope="module")
def database(kept_at: At, tmp_path_factory: pytest.TempPathFactory) -> Where:
    path = tmp_path_factory.mktemp("evaluation") / "callflow.db"
    day = plausible_day()
    day.rate()
    with Store(path, "main") as store:
        for record in day:
            store.save(record, final=True)
        for number in range(30):
            talk = samples.talk(number, at_ms=MIDNIGHT + number * 60_000)
            store.save(replace(talk, agent="201", hold_ms=90_000, longest_hold_ms=90_000), final=True)
        for number, length_s in enumerate((20, 40)):
            asked_ms = MIDNIGHT + number * 60_000
            wrap_up = WrapUp(f"w{number}", f"c{number}", 1, "201", "support", "PJSIP/201", "order", asked_ms)
            ended = wrap_up.begin(asked_ms, "order").end(asked_ms + 1000 * length_s, EndedBy.READY)
            store.save(ended, final=True)
    return kept_at(path)


def run(database: Where, *words: str) -> Result:
    typed = ["evaluation", *PERIOD, *words, "--db", str(database)]
    return CliRunner(env={"COLUMNS": "160", "CALLFLOW_CONFIG": ""}).invoke(app, typed)


def test_figures_are_those_of_the_report(database: Where) -> None:
    told = json.loads(run(database, "--json").stdout)
    report = CliRunner(env={"CALLFLOW_CONFIG": ""}).invoke(
        app, ["report", *PERIOD, "--by", "agent", "--json", "--db", str(database)]
    )
    by_agent = {row["agent"]: row for row in json.loads(report.stdout)["rows"]}
    assert [row["agent"] for row in told["rows"]] == sorted(by_agent)
    for row in told["rows"]:
        same = by_agent[row["agent"]]
        for name in ("rings_late", "within_three_rings", "talks", "mean_attitude", "n_attitude", "talking_s"):
            assert row[name] == same[name], name


def test_holds_are_added_up_by_agent(database: Where) -> None:
    targets = Targets(queues={"default": QueueTarget()})
    with Reader(database) as reader:
        found = {
            one.agent: one for one in agent_figures(reader, MIDNIGHT, MIDNIGHT + DAY_MS, targets, MIDNIGHT + DAY_MS)
        }
        (only,) = agent_figures(reader, MIDNIGHT, MIDNIGHT + DAY_MS, targets, MIDNIGHT + DAY_MS, agents=["202"])
    assert found["201"].holds == Holds(30, 30, 30, 30 * 90_000, 90_000)
    assert only == found["202"]


def test_wrap_ups_are_shown_by_agent(database: Where) -> None:
    rows = {row["agent"]: row for row in json.loads(run(database, "--json").stdout)["rows"]}
    assert (rows["201"]["wrap_ups"], rows["201"]["mean_wrap_up_s"]) == (2, 30.0)
    assert (rows["202"]["wrap_ups"], rows["202"]["mean_wrap_up_s"]) == (None, None)


def test_a_hint_comes_with_its_rule_and_all_rules_are_printed(database: Where) -> None:
    text = run(database, "--agents", "201").stdout
    assert "held callers for 90 s on average, 30 times  [rule: mean hold above 60 s, from 20 holds on]" in text
    for rule in rules_in_words(RULES):
        assert rule in text
    rows = list(csv.DictReader(io.StringIO(run(database, "--csv").stdout)))
    assert rows[-1]["agent"] == "all"
    assert "mean hold above 60 s" in rows[0]["hints"]


def test_the_page_has_a_sheet_for_each_agent_and_escapes_everything(database: Where, tmp_path: Path) -> None:
    file = tmp_path / "january.html"
    done = run(database, "--html", str(file))
    assert done.exit_code == 0, done.output
    text = file.read_text("utf-8")
    agents = json.loads(run(database, "--json").stdout)["rows"]
    assert text.count("<section>") == len(agents)
    assert "<script" not in text
    evil = page("<p>", [('"><script>', [("<b>", "&", "1")], [("<i>", "<u>")])], ["<hr>"])
    assert "<script" not in evil
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(evil)
    assert not {"script", "b", "i", "u", "hr"} & set(tags)


def test_an_agent_without_records_is_a_clear_error(database: Where) -> None:
    done = run(database, "--agents", "999")
    assert "there are no records of agent 999" in str(done.exception)


def figures(agent: str = "8012", *, ratings: Ratings | None = None, rings: Rings | None = None) -> AgentFigures:
    return AgentFigures(agent, Counted(ratings=ratings, rings=rings))


def test_a_rating_below_the_teams_is_a_hint_from_the_stated_number_on() -> None:
    low = Ratings(asked=25, answered=20, attitude_n=20, attitude_sum=60)
    rest = figures("8013", ratings=Ratings(asked=90, answered=80, attitude_n=80, attitude_sum=360))
    mine = figures(ratings=low)
    (hint,) = hints(mine, team([mine, rest]), RULES)
    assert hint.text == "callers rate attitude 3.00 (20 answers), the whole team 4.20"
    fewer = figures(ratings=replace(low, attitude_n=19, attitude_sum=57))
    assert hints(fewer, team([fewer, rest]), RULES) == []
    (praise,) = hints(rest, team([mine, rest]), RULES)
    assert praise.praise


@given(st.lists(st.integers(0, 4), min_size=5, max_size=5), st.integers(0, 6), st.integers(6, 30))
def test_no_hint_below_the_stated_number_of_cases(rang: list[int], answers: int, least: int) -> None:
    early, acceptable, ideal, late, unanswered = rang
    rules = EvaluationRules(min_cases=max(least, sum(rang) + 1, answers + 1))
    rings = Rings(early, acceptable, ideal, late, unanswered)
    mine = figures(rings=rings, ratings=Ratings(answers, answers, answers, answers, answers, answers, answers, answers))
    assert hints(mine, team([mine]), rules) == []
