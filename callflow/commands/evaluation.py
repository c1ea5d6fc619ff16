"""`callflow evaluation`: each agent's month, printable, with hints and the rules that they come from."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.agent_figures import agent_figures
from callflow.adapters.store.queries import Reader
from callflow.commands.evaluation_page import page
from callflow.commands.report_figures import Column, Part, columns
from callflow.commands.report_options import AsCsv, AsJson, Db, OfNode, Zone
from callflow.commands.report_period import Period, named_period, parse_zone
from callflow.commands.report_table import shown_value
from callflow.commands.sheets import Sheet, Unit, print_csv, print_json, whole_file
from callflow.commands.terminal import console
from callflow.core.printable import printable
from callflow.core.service.evaluation import AgentFigures, EvaluationRules, hints, rules_in_words, team
from callflow.errors import CallflowError

SHOWN = (
    "rings_early", "rings_ideal", "rings_late", "rings_unanswered", "within_three_rings", "mean_rings", "talks",
    "mean_talk_s", "rating_asked", "response_rate", "mean_efficiency", "n_efficiency", "mean_attitude", "n_attitude",
    "mean_correctness", "n_correctness", "available_s", "talking_s", "paused_s", "occupancy",
)  # fmt: skip
"""The columns of a report that an evaluation shows, by name."""
WRAP_UPS = (
    Column(
        "wrap_ups", "wrap-ups", Part.AGENTS, Unit.COUNT,
        lambda counted: None if counted.wrap_ups is None else counted.wrap_ups.wrap_ups,
    ),
    Column(
        "mean_wrap_up_s", "mean wrap-up", Part.AGENTS, Unit.SECONDS,
        lambda counted: None if counted.wrap_ups is None else _seconds(counted.wrap_ups.mean_ms),
    ),
)  # fmt: skip
HOLDS = (
    Column("held_talks", "talks with a hold", Part.AGENTS, Unit.COUNT, lambda counted: None),
    Column("holds", "holds", Part.AGENTS, Unit.COUNT, lambda counted: None),
    Column("mean_hold_s", "mean hold", Part.AGENTS, Unit.SECONDS, lambda counted: None),
    Column("longest_hold_s", "longest hold", Part.AGENTS, Unit.SECONDS, lambda counted: None),
)


def evaluation(
    context: typer.Context,
    period: Annotated[
        str,
        typer.Argument(metavar="[PERIOD]", help="`last-month` (the default), `month`, `2026-01`, `last-week`, ..."),
    ] = "last-month",
    agents: Annotated[str | None, typer.Option(metavar="A,B", help="Only these agents, by work number.")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page to print, one sheet for each agent.")
    ] = None,
    as_csv: AsCsv = False,
    as_json_: AsJson = False,
    zone: Zone = None,
    node: OfNode = None,
    db: Db = None,
) -> None:
    """Evaluate each agent's month: rings, talks, holds, wrap-ups, ratings and time, beside the whole team.

    Hints come from the rules printed below them; their numbers are in the settings, [evaluation]. Agents are listed by
    work number: there is no score and no ranking, and with too few cases no hint.

    Example: `callflow evaluation 2026-01 --html january.html`
    """
    settings = context.obj.settings()
    wanted = named_period(period, parse_zone(zone), now_ms := time.time_ns() // 1_000_000)
    with Reader(context.obj.records(db)) as reader:
        everybody = agent_figures(reader, wanted.start_ms, wanted.end_ms, settings.targets(), now_ms, node=node)
    chosen = _chosen(everybody, agents)
    of_team, rules = team(everybody), settings.evaluation
    if html is not None:
        with whole_file(html) as out:
            out.write(page(wanted.shown(), [_told(one, of_team, rules) for one in chosen], rules_in_words(rules)))
        typer.echo(f"wrote {html}", err=True)
    elif as_csv or as_json_:
        (print_json if as_json_ else print_csv)(_sheet(chosen, of_team, rules, wanted))
    else:
        _print(chosen, of_team, rules, wanted)


def _chosen(everybody: list[AgentFigures], names: str | None) -> list[AgentFigures]:
    if names is None:
        return everybody
    asked = [name.strip() for name in names.split(",") if name.strip()]
    known = {one.agent: one for one in everybody}
    if missing := [name for name in asked if name not in known]:
        remedy = f"this period has {', '.join(list(known)[:20])}" if known else "no agent has records in this period"
        raise CallflowError(f"there are no records of agent {', '.join(missing)} in this period", remedy)
    return [known[name] for name in asked]


def _figures() -> list[Column]:
    by_name = {column.name: column for column in columns(all_formulas=False)}
    return [*(by_name[name] for name in SHOWN), *WRAP_UPS]


def _values(one: AgentFigures) -> list[int | float | str | None]:
    holds = one.holds
    own: list[int | float | str | None] = [column.value(one.counted) for column in _figures()]
    longest_ms = holds.longest_hold_ms if holds.holds else None
    return [*own, holds.held_talks, holds.holds, _seconds(holds.mean_ms), _seconds(longest_ms)]


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1000


def _all_columns() -> list[Column]:
    return [*_figures(), *HOLDS]


def _told(
    one: AgentFigures, of_team: AgentFigures, rules: EvaluationRules
) -> tuple[str, list[tuple[str, str, str]], list[tuple[str, str]]]:
    """The agent, (figure, the agent's, the team's) for each figure, and (hint, rule) for each hint."""
    rows = [
        (column.heading if column.heading != "n" else f"answers ({column.name.removeprefix('n_')})", own, all_of_them)
        for column, own, all_of_them in zip(_all_columns(), _shown(one), _shown(of_team), strict=True)
    ]
    return one.agent, rows, [(hint.text, hint.rule) for hint in hints(one, of_team, rules)]


def _shown(one: AgentFigures) -> list[str]:
    return [shown_value(value, column.unit) for value, column in zip(_values(one), _all_columns(), strict=True)]


def _sheet(chosen: list[AgentFigures], of_team: AgentFigures, rules: EvaluationRules, period: Period) -> Sheet:
    start, end = period.iso()
    names = ["agent", *(column.name for column in _all_columns()), "hints"]
    rows = [
        [one.agent, *_values(one), "; ".join(f"{hint.text} ({hint.rule})" for hint in hints(one, of_team, rules))]
        for one in chosen
    ]
    rows.append(["all", *_values(of_team), ""])
    about = {"period": period.shown(), "from": start, "to": end, "rules": rules_in_words(rules)}
    units = {column.name: column.unit for column in _all_columns()}
    return Sheet("callflow evaluation", names, rows, about, units, last_is_total=True)


def _print(chosen: list[AgentFigures], of_team: AgentFigures, rules: EvaluationRules, period: Period) -> None:
    out = console()
    out.print(Text(period.shown(), "bold"))
    if not chosen:
        out.print("there are no records of agents in this period")
        return
    for one in chosen:
        agent, rows, found = _told(one, of_team, rules)
        out.print(Text(f"\nAgent {printable(agent)}", "bold cyan"))
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("figure")
        table.add_column("agent", justify="right")
        table.add_column("team", justify="right")
        for row in rows:
            table.add_row(*map(Text, row))
        out.print(table)
        for text, rule in found:
            out.print(Text(f"- {text}  [rule: {rule}]"))
    out.print(Text("\nRules", "bold"))
    for text in rules_in_words(rules):
        out.print(Text(f"- {text}", "dim"))
