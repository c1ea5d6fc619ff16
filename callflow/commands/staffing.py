"""`callflow staffing`: how many agents a load needs."""

import json
import math
from dataclasses import asdict
from itertools import islice
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callflow.commands.terminal import console
from callflow.commands.times import parse_length, shown_seconds
from callflow.core.service.erlang import MOST_AGENTS, Goal, Load, Staffed, agents_needed, staffings
from callflow.errors import CallflowError

ON_ROTA = "on rota"
FEWER, MORE = 4, 5
"""Rows of the table on either side of the chosen number."""


def staffing(
    calls: Annotated[float, typer.Option("--calls", min=0.001, max=1e9, help="Calls that arrive in each interval.")],
    handling_s: Annotated[
        float,
        typer.Option(
            "--handling",
            parser=parse_length,
            metavar="TIME",
            help="Mean time that an agent spends on a call: `180s`, `3m`.",
        ),
    ],
    per_s: Annotated[
        float, typer.Option("--per", parser=parse_length, metavar="TIME", help="The interval: `30m`, `1h`.")
    ] = "30m",  # type: ignore[assignment]
    target: Annotated[
        float, typer.Option(min=0, max=99.999, help="Percent of callers to answer within the threshold.")
    ] = 80.0,
    threshold_s: Annotated[
        float, typer.Option("--threshold", parser=parse_length, metavar="TIME", help="The threshold: `20s`.")
    ] = "20s",  # type: ignore[assignment]
    occupancy: Annotated[
        float, typer.Option(min=1, max=100, help="Greatest percent of their time that agents may be busy.")
    ] = 100.0,
    shrinkage: Annotated[
        float, typer.Option(min=0, max=95, help="Percent of paid time without calls: breaks, training, illness.")
    ] = 0.0,
    agents: Annotated[
        int | None, typer.Option(min=1, max=MOST_AGENTS, help="Show the figures for this many agents instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Calculate how many agents a load of calls needs (Erlang C).

    Erlang C assumes that callers arrive at random, wait in one queue and never give up, so its figures are on the
    safe side.

    Example: `callflow staffing --calls 100 --per 30m --handling 180s --target 80 --threshold 20s`
    """
    load = Load(calls * handling_s / per_s, handling_s)
    goal = Goal(target / 100, threshold_s, occupancy / 100)
    if load.erlangs >= MOST_AGENTS:
        raise CallflowError(
            f"this load keeps {load.erlangs:,.0f} agents busy at every moment",
            remedy="give fewer calls or a longer interval",
        )
    needed = agents or agents_needed(load, goal)
    if needed is None:
        raise CallflowError(
            f"not even {MOST_AGENTS:,} agents meet this target", remedy="set a lower target or a higher occupancy"
        )
    first = max(1, needed - FEWER)
    rows = list(islice(staffings(load, threshold_s), first - 1, needed + MORE))
    chosen = rows[needed - first]
    if as_json:
        _print_json(load, goal, chosen, rows, shrinkage)
    else:
        _print(load, goal, chosen, rows, shrinkage)


def on_the_rota(agents: int, shrinkage: float) -> int:
    """Agents to plan for so that `agents` are present when `shrinkage` percent of the time is lost."""
    return math.ceil(round(agents / (1 - shrinkage / 100), 9))


def _print(load: Load, goal: Goal, chosen: Staffed, rows: list[Staffed], shrinkage: float) -> None:
    out = console()
    out.print(Text(f"load {load.erlangs:,.2f} erlangs: the mean number of busy agents", "bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("agents", ON_ROTA, "must wait", f"in {goal.threshold_s:g} s", "ASA", "occupancy", ""):
        if heading != ON_ROTA or shrinkage:
            table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        grows = row.asa_s is None
        cells = [f"{row.agents:,}", *([f"{on_the_rota(row.agents, shrinkage):,}"] if shrinkage else [])]
        cells += [f"{100 * row.waiting:.1f} %", f"{100 * row.in_time:.1f} %"]
        cells += ["-" if row.asa_s is None else shown_seconds(row.asa_s), f"{100 * row.occupancy:.1f} %"]
        cells += ["queue grows" if grows else "meets the target" if row.reaches(goal) else ""]
        table.add_row(*cells, style="bold green" if row is chosen and row.reaches(goal) else "dim" if grows else "")
    out.print(table)
    limit = f", with agents busy at most {100 * goal.occupancy:g} % of the time" if goal.occupancy < 1 else ""
    wanted = f"{100 * goal.in_time:g} % within {goal.threshold_s:g} s{limit}"
    rota = f", {on_the_rota(chosen.agents, shrinkage):,} on the rota" if shrinkage else ""
    reached = "meet" if chosen.reaches(goal) else "do not meet"
    out.print(Text(f"{chosen.agents:,} agents{rota} {reached} {wanted}", "bold"))


def _print_json(load: Load, goal: Goal, chosen: Staffed, rows: list[Staffed], shrinkage: float) -> None:
    def told(row: Staffed) -> dict[str, object]:
        return asdict(row) | {"on_the_rota": on_the_rota(row.agents, shrinkage), "reaches": row.reaches(goal)}

    print(
        json.dumps(
            {"load": asdict(load), "goal": asdict(goal), "chosen": told(chosen), "rows": list(map(told, rows))},
            indent=2,
        )
    )
