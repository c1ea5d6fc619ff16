"""`callflow check`: will it work with this Asterisk?"""

import asyncio
import logging
from collections.abc import AsyncIterator

import structlog
import typer
from rich.console import Console

from callflow.checks.finding import Finding, Verdict
from callflow.settings.model import Settings

SIGNS = {
    Verdict.OK: "[green]  ok [/]",
    Verdict.WARN: "[yellow]warn [/]",
    Verdict.FAIL: "[bold red]FAIL [/]",
    Verdict.HINT: "[cyan]hint [/]",
}


def check(context: typer.Context) -> None:
    """Check whether callflow will work with this Asterisk, line by line, each with its remedy.

    Places a self-test call on a Local channel (no caller is touched). Works while the daemon runs and without it.
    Exit code 0: it will work. 1: something must be mended first. 2: the settings themselves are wrong.

    Example: `callflow --config /etc/callflow/callflow.toml check`
    """
    from callflow.checks.site import check_site  # loads the second ear, which no other command needs

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    settings: Settings = context.obj.settings()
    failed = asyncio.run(_check(check_site(settings, context.obj.config_file())))
    raise typer.Exit(1 if failed else 0)


async def _check(findings: AsyncIterator[Finding]) -> int:
    console = Console(soft_wrap=True, highlight=False)
    count = dict.fromkeys(Verdict, 0)
    async for finding in findings:
        count[finding.verdict] += 1
        _show(console, finding)
    failed = count[Verdict.FAIL]
    if failed:
        console.print(f"\n[bold red]{failed} to mend[/] before callflow can screen callers here.")
    else:
        console.print(f"\n[bold green]callflow will work here[/] (warnings: {count[Verdict.WARN]}).")
    return failed


def _show(console: Console, finding: Finding) -> None:
    console.print(f"{SIGNS[finding.verdict]}[bold]{finding.subject:<16}[/]", end=" ")
    console.print(finding.seen, markup=False)
    if finding.remedy:
        console.print(f"{'':21} [dim]->[/] ", end="")
        console.print(finding.remedy, markup=False)
