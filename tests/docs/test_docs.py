"""What the documentation says about the code is what the code says."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from prometheus_client.parser import text_string_to_metric_families
from typer.core import TyperGroup

from callflow.cli import app
from callflow.core.screening.states import TRANSITIONS, Result, State
from callflow.settings import documentation
from callflow.settings.model import Settings
from tests.docs.diagram import DOCS, PICTURES, PROJECT, files, generated, mermaid, timeline_svg, transitions_table
from tests.metrics.scraped import Web

PAGES = [*sorted(PROJECT.glob("*.md")), *sorted(DOCS.glob("*.md")), PROJECT / "dialplan" / "sounds" / "README.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INCLUDE = PROJECT / "dialplan" / "callflow.conf"
CODE = PROJECT / "callflow"


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(PROJECT)) for page in pages]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_generated_parts_are_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == generated(path), "run: make settings-docs"


@pytest.mark.parametrize("block", ["settings", "transitions", "mermaid"])
def test_every_generated_part_is_shown_somewhere(block: str) -> None:
    assert any(f"<!-- generated {block} -->" in page.read_text("utf-8") for page in DOCS.glob("*.md"))


def test_the_example_file_is_up_to_date() -> None:
    assert (PROJECT / "config" / "callflow.toml").read_text("utf-8") == documentation.example()


def test_every_transition_is_in_table_and_diagram() -> None:
    for inputs in TRANSITIONS.values():
        for what in inputs:
            assert f"| {what.value} |" in transitions_table()
            assert what.value in mermaid()


def test_every_transition_is_in_a_picture() -> None:
    for source, inputs in TRANSITIONS.items():
        for what, target in inputs.items():
            pictures = [name for name, (_, row) in PICTURES.items() if source in row and target in (*row, State.DONE)]
            assert pictures, f"{source} -> {target}: {what.value}"


def test_the_timeline_ends_two_seconds_after_the_goodbye() -> None:
    assert "hung up" in timeline_svg()
    assert "2 s" in timeline_svg()


# -- links ------------------------------------------------------------------------------------------------------------


MAPPED = re.compile(r"`((?:callflow|tests|dialplan|config)/[\w./-]*)`")


def test_every_place_in_the_map_exists() -> None:
    text = (DOCS / "design.md").read_text("utf-8")
    places = set(MAPPED.findall(text)) - {"callflow/records/NAME.py"}
    assert len(places) > 25
    assert [place for place in sorted(places) if not (PROJECT / place).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_relative_links_resolve(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        assert aim.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in anchors(aim), f"there is no heading for {target}"


def anchors(page: Path) -> set[str]:
    """Headings as GitHub makes anchors of them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


# -- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [PROJECT / "README.md", DOCS / "dialplan.md"], ids=["README", "dialplan"])
def test_the_results_are_a_closed_set_in_the_docs(page: Path) -> None:
    table = re.search(r"^\| (?:`CALLFLOW_RESULT`|value) \|.*?\n\n", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert table is not None
    assert set(re.findall(r"^\| `(\w+)` \|", table[0], re.MULTILINE)) - {"CALLFLOW_RESULT"} == set(Result)


def test_the_results_are_a_closed_set_in_the_include() -> None:
    listed = re.findall(r"^;   (\w+) {2,}.*->", INCLUDE.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(Result)


def test_the_include_sets_only_known_results() -> None:
    used = re.findall(r"CALLFLOW_RESULT=(\w+)", INCLUDE.read_text("utf-8"))
    used += re.findall(r'"\$\{CALLFLOW_RESULT\}" !?= "(\w+)"', INCLUDE.read_text("utf-8"))
    assert used
    assert set(used) <= set(Result)


# -- commands ---------------------------------------------------------------------------------------------------------


def commands_shown() -> Iterator[tuple[str, str]]:
    """(page, what follows `callflow`) for every command in code; fenced blocks hold output."""
    for page in PAGES:
        text = FENCE.sub("", page.read_text("utf-8"))
        for piece in re.findall(r"^    (\S.*)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", text):
            for found in re.finditer(r"(?:^|bin/|\bexec |\$ )callflow ((?:-|[a-z]+\b)(?!:)[^#'>|]*)", piece):
                if found[1].split()[0] != "callflow":
                    yield page.name, found[1].strip()


CALLFLOW = typer.main.get_command(app)


@pytest.mark.parametrize(("page", "line"), sorted(set(commands_shown())))
def test_every_command_shown_exists(page: str, line: str) -> None:
    command: object = CALLFLOW
    words = line.split()
    options = known_options(command)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            assert word.partition("=")[0] in options, f"{page}: callflow {line}"
        elif word in (below := commands_below(command)):
            command = below[word]
            options |= known_options(command)
        elif "run" in below:
            pytest.fail(f"{page}: there is no command callflow {word}")


def commands_below(command: object) -> dict[str, object]:
    """The commands of a group by name; none for a single command."""
    if not isinstance(command, TyperGroup):
        return {}
    context = command.make_context("callflow", ["-"], resilient_parsing=True)
    return {name: command.get_command(context, name) for name in command.list_commands(context)}


def known_options(command: object) -> set[str]:
    """Options of one command, long and short."""
    parameters = getattr(command, "params", [])
    return {name for parameter in parameters for name in parameter.opts if name.startswith("-")}


def test_the_commands_are_found_at_all() -> None:
    shown = {line.split()[0] for _, line in commands_shown()}
    assert {"check", "calls", "settings", "run", "lab"} <= shown


def test_every_make_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        for line in re.findall(r"(?:^    |`|: )make ([a-z][a-z -]*)", page.read_text("utf-8"), re.MULTILINE):
            assert set(line.split()) <= targets, f"{page.name}: make {line}"


# -- metrics ----------------------------------------------------------------------------------------------------------

METRIC = re.compile(r"`(callflow_(?!VERSION)[a-z0-9_]+)`")
NAMED_IN_CODE = {
    "callflow_standard_": CODE / "publishing" / "standing.py",
    "callflow_webhook_": CODE / "publishing" / "webhooks.py",
    "callflow_collector_": CODE / "collecting" / "metrics.py",
}
"""Metrics that a scrape has only with a file of standards, a webhook or a fleet: read from the code that names them."""


def scraped_names() -> set[str]:
    """Every family of a daemon's scrape, as its samples are named."""
    endings = {"counter": "_total", "info": "_info"}
    families = text_string_to_metric_families(Web().text())
    names = {family.name + endings.get(family.type, "") for family in families}
    return {name for name in names if name.startswith("callflow_") and not name.endswith("_created")}


def test_every_metric_named_exists() -> None:
    known, named = scraped_names(), 0
    for page in PAGES:
        for name in METRIC.findall(FENCE.sub("", page.read_text("utf-8"))):
            start = next((start for start in NAMED_IN_CODE if name.startswith(start)), None)
            if start is None:
                assert name in known, f"{page.name}: {name}"
            else:
                stem = re.sub("_(total|info)$", "", name.removeprefix(start))
                assert re.search(rf'[_"]{stem}"', NAMED_IN_CODE[start].read_text("utf-8")), f"{page.name}: {name}"
            named += 1
    assert named > 50


def test_every_metric_of_the_daemon_is_in_the_docs() -> None:
    named = set(METRIC.findall((DOCS / "metrics.md").read_text("utf-8")))
    together = "callflow_store_"  # one row names all counters of the database
    assert {name for name in scraped_names() - named if not name.startswith(together)} == set()


# -- MQTT -------------------------------------------------------------------------------------------------------------


def test_the_events_of_the_docs_are_those_that_have_a_schema() -> None:
    named = set(re.findall(r"`event/call/(\w+)`", (DOCS / "mqtt.md").read_text("utf-8")))
    assert named == {file.name.split(".")[2] for file in (DOCS / "schemas").glob("event.call.*.json")}


# -- settings ---------------------------------------------------------------------------------------------------------


def toml_shown() -> Iterator[tuple[str, str]]:
    for page in (PROJECT / "README.md", DOCS / "settings.md", DOCS / "reports.md"):
        for kind, body in FENCE.findall(page.read_text("utf-8")):
            if kind == "toml":
                yield page.name, body


@pytest.mark.parametrize(("page", "body"), list(toml_shown()))
def test_every_example_of_settings_is_valid(page: str, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLFLOW_AMI__SECRET", "x")
    Settings(**tomllib.loads(body))


def test_every_setting_named_exists() -> None:
    known = {setting.name for setting in documentation.all_settings()}
    sections = "|".join(documentation.SECTIONS)
    for page in PAGES[:-1]:
        text = FENCE.sub("", page.read_text("utf-8"))
        for name in re.findall(rf"`((?:{sections})\.[a-z_]+)(?: = [^`]*)?`", text):
            assert name in known, f"{page.name}: {name}"


# -- systemd ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["callflow-collect", "callflow-web"])
def test_the_units_of_a_fleet_are_as_shut_in_as_the_daemons(name: str) -> None:
    def confined(unit: str) -> set[str]:
        text = (PROJECT / "config" / "systemd" / f"{unit}.service").read_text("utf-8")
        begins = text.index("RestrictAddressFamilies=")
        return {line for line in text[begins:].splitlines() if "=" in line and not line.startswith(("#", "ReadWrite"))}

    assert confined(name) == confined("callflow")
    unit = (PROJECT / "config" / "systemd" / f"{name}.service").read_text("utf-8").splitlines()
    assert {"User=callflow", "RestartPreventExitStatus=2", "Type=notify", "StateDirectory=callflow"} <= {*unit}
    assert not any(line.startswith("WatchdogSec=") for line in unit), "no caller waits for these programs"


def test_the_unit_ends_a_frozen_daemon_and_respects_exit_code_2() -> None:
    unit = (PROJECT / "config" / "systemd" / "callflow.service").read_text("utf-8").splitlines()
    for line in (
        "Type=notify",
        "Restart=always",
        "RestartPreventExitStatus=2",
        "WatchdogSec=2",
        "WatchdogSignal=SIGKILL",
    ):
        assert line in unit
