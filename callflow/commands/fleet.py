"""`callflow fleet`: the nodes of a fleet, and what is wrong with them."""

import json
import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callflow.adapters.store.fleet.nodes import Node, nodes, unread
from callflow.adapters.store.queries import Reader
from callflow.commands.context import Context
from callflow.commands.terminal import console
from callflow.core.printable import printable


def fleet(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    db: Annotated[str | None, typer.Option("--db", metavar="URL", help="Default: fleet.database_url.")] = None,
) -> None:
    """Show every node that the collector hears: version, clock, delay, gaps, and settings that differ from the others'.

    A node appears once `callflow collect` has heard it. Exit code 0: all is well. 1: something is wrong with a node,
    or events could not be stored; it is said below the table.

    Example: `callflow fleet`
    """
    source: Context = context.obj
    settings = source.settings()
    now_ms = time.time_ns() // 1_000_000
    with Reader(source.fleet_url(db)) as reader:
        found, kept = nodes(reader, now_ms, 1000 * settings.fleet.max_skew_s), unread(reader)
    if as_json:
        print(json.dumps({"nodes": [asdict(node) for node in found], "unread_events": kept}, indent=2))
    else:
        _print(found, kept, now_ms)
    if kept or any(node.wrong for node in found):
        raise typer.Exit(1)


def _print(found: list[Node], kept: int, now_ms: int) -> None:
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("site", "node", "host", "version"):
        table.add_column(heading, overflow="fold")
    for heading in ("heard", "clock", "delay", "events", "gaps"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("settings that differ", overflow="fold")
    for node in found:
        style = "yellow" if node.wrong else ""
        table.add_row(
            Text(printable(node.site), style),
            *(Text(printable(text)) for text in (node.node, node.host, node.version)),
            f"{max(0, now_ms - node.last_ms) / 1000:.0f} s ago",
            _signed_s(node.skew_ms),
            "-" if node.lag_ms is None else f"{node.lag_ms / 1000:.1f} s",
            f"{node.events:,}",
            f"{node.gaps:,}",
            ", ".join(node.differs),
        )
    out.print(table)
    for node in found:
        for wrong in node.wrong:
            out.print(Text(printable(f"{node.site}: {wrong}"), "yellow"))
    if kept:
        out.print(
            Text(f"{kept:,} events cannot be stored by this release and are kept: upgrade the collector", "yellow")
        )
    if not found:
        out.print("no node has been heard yet: start callflow collect, and set mqtt.await_collector at the nodes")


def _signed_s(ms: int | None) -> str:
    return "-" if ms is None else f"{ms / 1000:+.1f} s"
