"""`callflow check`: does callflow work with this Asterisk?"""

import asyncio
import logging
from collections.abc import AsyncIterator

import structlog
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.checks.finding import Finding, Verdict
from callflow.commands.terminal import console
from callflow.settings.model import Settings

SIGNS = {
    Verdict.OK: "[green]  ok [/]",
    Verdict.WARN: "[yellow]warn [/]",
    Verdict.FAIL: "[bold red]FAIL [/]",
    Verdict.HINT: "[cyan]hint [/]",
}


def check(context: typer.Context) -> None:
    """Check that callflow works with this Asterisk; each problem comes with a remedy.

    Places a self-test call on a Local channel; no caller is affected. Works with or without a running daemon.
    Exit code 0: callflow works here. 1: something must be fixed first. 2: the settings are wrong.

    Example: `callflow --config /etc/callflow/callflow.toml check`
    """
    from callflow.checks.site import check_site  # loads the voice detector, which no other command needs

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    settings: Settings = context.obj.settings()
    failed = asyncio.run(_check(check_site(settings, context.obj.config_file())))
    raise typer.Exit(1 if failed else 0)


async def _check(findings: AsyncIterator[Finding]) -> int:
    out = console()
    count = dict.fromkeys(Verdict, 0)
    async for finding in findings:
        count[finding.verdict] += 1
        _show(out, finding)
    failed = count[Verdict.FAIL]
    if failed:
        out.print(f"\n[bold red]{failed} to fix[/] before callflow can screen callers here.")
    else:
        out.print(f"\n[bold green]callflow works here[/] (warnings: {count[Verdict.WARN]}).")
    return failed


def _show(out: Console, finding: Finding) -> None:
    """What was seen, and the remedy below it."""
    table = Table.grid(padding=(0, 1))
    for width in (5, 16):
        table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(SIGNS[finding.verdict], Text(finding.subject, "bold"), Text(finding.seen))
    if finding.remedy:
        table.add_row("", "", Text(f"-> {finding.remedy}"))
    out.print(table)
