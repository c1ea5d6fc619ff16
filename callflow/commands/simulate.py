"""`callflow simulate`: simulated callers on a pretend or a real Asterisk."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callflow.adapters.agi.options import AUTO
from callflow.commands.context import Context
from callflow.commands.terminal import any_key
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.live import show_while_running
from callflow.scenarios.report import report, write_report
from callflow.scenarios.scenario import Scenario, find_scenario, read_scenario, shipped
from callflow.scenarios.schedule import expected_calls
from callflow.scenarios.site import UNTAPPED_FROM
from callflow.scenarios.tables import aftercare_tables, closing_table, disagreement_lines, summary, what_was_heard
from callflow.scenarios.tally import Run, Tally

if TYPE_CHECKING:
    from callflow.scenarios.site import Version

BUSY = 1.5
"""Programs that want to run, for each processor: from here on, calls may go wrong because the machine is slow."""
_PRETEND = "the pretend Asterisk's own account"
_RECORDS = "the daemon's records"


def simulate(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="A .toml file, or a name from --list.", show_default=False)] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the scenarios that come with callflow.")] = False,
    pretend: Annotated[
        bool, typer.Option("--pretend", help="Use the built-in pretend Asterisk; needs no PBX.")
    ] = False,
    like: Annotated[
        str, typer.Option(help="With --pretend: the release to imitate, 22 or 16; otherwise 22, for many calls 16.")
    ] = "",
    lab: Annotated[str, typer.Option(help="Use a real Asterisk of the lab: 22 or 16.")] = "",
    daemon: Annotated[
        bool,
        typer.Option(
            "--with-daemon/--no-daemon",
            help="With --pretend: start a daemon beside it, or wait for your own on the ports of the settings.",
        ),
    ] = True,
    sip_host: Annotated[str, typer.Option(help="Host of the real Asterisk. Default: [ami] host.")] = "",
    sip_port: Annotated[int, typer.Option(help="Its SIP port (UDP).", min=1, max=65535)] = 5060,
    extension: Annotated[str, typer.Option(help="Extension that the callers dial. Default: as in the lab.")] = "",
    seed: Annotated[int | None, typer.Option(help="Seed to use instead of the file's.")] = None,
    faults: Annotated[
        Path | None, typer.Option(help="With --pretend: file of faults to inject.", show_default=False)
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="With --pretend: keep database, settings and logs in this folder.")
    ] = None,
    report_to: Annotated[Path | None, typer.Option("--report", help="Write a report as JSON to this file.")] = None,
    web: Annotated[
        bool | None,
        typer.Option(
            "--web/--no-web",
            help="With --pretend: keep the daemon and its page until a key is pressed; default: at a terminal.",
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[bool, typer.Option("--repeat", help="Start again at the end, with the next seed.")] = False,
) -> None:
    """Place the calls of a scenario, watch them live, and judge how each one ended.

    Without --pretend or --lab, SIPp places real calls on the Asterisk of the settings.
    Exit code 0: every call ended as the scenario expects. 1: some did not. 2: a mistake in the file or the options.

    Examples:

    - list the scenarios: `callflow simulate --list`

    - twelve different callers, no PBX needed: `callflow simulate demo --pretend`

    - 100 calls per second: `callflow simulate busy --pretend --report busy.json`

    - your own file, with real SIP and RTP: `callflow simulate my.toml --lab 22`

    - on your own Asterisk: `callflow -c /etc/callflow/callflow.toml simulate s3 --extension 5000`
    """
    console = Console(highlight=False)
    if list_ or not scenario:
        console.print(_library_table())
        raise typer.Exit(0 if list_ else 2)
    file = find_scenario(scenario)
    first = _read(file, seed)
    if pretend and lab:
        raise SimulationFailed("--pretend and --lab exclude each other", "keep one of them")
    if not daemon and first.needs_own_daemon:
        raise SimulationFailed(
            "this scenario needs settings, commands or records of its own daemon", "leave --no-daemon out"
        )
    if pretend:
        many = expected_calls(first) > UNTAPPED_FROM
        like = like or ("16" if many else "22")
        stage = _pretend_stage(context.obj, file, daemon=daemon, keep=keep, like=like, faults=faults)
    elif lab:
        stage = lab_stage(lab)
    elif first.brings_its_own:
        raise SimulationFailed(
            "this scenario has phones, a dialplan or settings of its own",
            "add --pretend or --lab: your own Asterisk does not have them",
        )
    else:
        stage = _site_stage(context.obj, sip_host, sip_port, extension)
    keep_page = pretend and daemon and (web if web is not None else _somebody_watches(console)) and not repeat
    well = play(first, stage, console, report_to, keep_page=keep_page)
    while repeat:  # until Ctrl-C
        first = first.model_copy(update={"seed": first.seed + 1})
        well = play(first, stage, console, report_to) and well
    raise typer.Exit(0 if well else 1)


def _somebody_watches(console: Console) -> bool:
    """A person sits at the terminal, and this is no CI job."""
    return console.is_terminal and sys.stdin is not None and sys.stdin.isatty() and os.environ.get("CI") != "true"


@dataclass(frozen=True)
class Stage:
    """Where calls are placed, whose account of them is used, and how to place them."""

    name: str
    witness: str
    place: Callable[[Run], Coroutine[Any, Any, None]]


def _read(file: Path, seed: int | None) -> Scenario:
    scenario = read_scenario(file)
    return scenario if seed is None else scenario.model_copy(update={"seed": seed})


def _pretend_stage(
    context: Context, file: Path, *, daemon: bool, keep: Path | None, like: str, faults: Path | None
) -> Stage:
    _need_extra()
    from callflow.scenarios.faults import read_faults
    from callflow.simulator.run_pretend import PretendOptions, run_pretend, run_pretend_alone

    if faults is not None:
        read_faults(faults)
    options = PretendOptions(like=_version(like), faults=faults)
    name = f"a pretend Asterisk {like}"
    if daemon:
        return Stage(name, _PRETEND, lambda run: run_pretend(run, file, options, keep))
    settings = context.settings()
    token = settings.agi.token.get_secret_value()
    options = replace(
        options,
        ami_port=settings.ami.port,
        agi_port=settings.agi.port,
        agi_script=f"{token}/screen" if token not in ("", AUTO) else "screen",
        username=settings.ami.username,
        secret=settings.ami.secret.get_secret_value(),
    )
    return Stage(name, _PRETEND, lambda run: run_pretend_alone(run, file, options))


def lab_stage(lab: str) -> Stage:
    """On a real Asterisk of the lab. Raises SimulationFailed."""
    _need_extra()
    from callflow.lab.screening.seen import WITNESS
    from callflow.lab.simulate import run_on_lab

    version = _version(lab)
    return Stage(f"Asterisk {version} of the lab", WITNESS, lambda run: run_on_lab(run, version))


def _version(text: str) -> "Version":
    from callflow.scenarios.site import VERSIONS

    for version in VERSIONS:
        if version == text:
            return version
    raise SimulationFailed(f"there is no Asterisk {text} here", f"choose one of {', '.join(VERSIONS)}")


def _site_stage(context: Context, host: str, port: int, extension: str) -> Stage:
    _need_extra()
    from callflow.lab.simulate import run_on_site

    settings = context.settings()
    host = host or settings.ami.host
    return Stage(f"{host}:{port}", _RECORDS, lambda run: run_on_site(run, settings, host, port, extension or None))


def _need_extra() -> None:
    """The simulator makes sounds and packets with the packages of the lab. Raises SimulationFailed."""
    try:
        import dpkt  # noqa: F401
        import numpy  # noqa: F401
        import tomli_w  # noqa: F401
    except ImportError as error:
        problem = f"simulating needs the Python package {error.name}"
        raise SimulationFailed(problem, "install callflow with its lab extra: pip install 'callflow[lab]'") from None


def play(
    scenario: Scenario, stage: Stage, console: Console, report_to: Path | None = None, *, keep_page: bool = False
) -> bool:
    """One run from the first call to the report; True if all went well."""
    run, began = Run(scenario), datetime.now(UTC)
    told = False

    def tell() -> None:
        nonlocal told
        if not told:
            told = True
            if run.tally.placed:
                console.print(closing_table(run.tally, stage.witness))
            for table in aftercare_tables(run.tally):
                console.print(table)
            show_end(run.tally, console)

    async def stay(page: str) -> None:
        tell()
        console.print(f"the calls in the browser: [bold]{page}[/]", soft_wrap=True)
        console.print("press any key to end the daemon and its page", style="dim")
        await any_key()

    run.stay = stay if keep_page else None
    title = f"{scenario.name} on {stage.name}: {escape(scenario.purpose)}"
    try:
        asyncio.run(show_while_running(run, stage.place(run), console, title))
    except asyncio.CancelledError:
        raise typer.Exit(128 + signal.SIGTERM) from None
    tell()
    if said := what_was_heard(run.heard):
        console.print(said, soft_wrap=not console.is_terminal)
    if report_to is not None:
        write_report(report_to, report(scenario, run.tally, stage.name, began))
    return run.tally.succeeded


def show_end(tally: Tally, console: Console) -> None:
    """What did not end as expected, and the closing sentence; in a file each on one line."""
    for wrong in disagreement_lines(tally):
        console.print(wrong, style="red", markup=False, soft_wrap=not console.is_terminal)
    console.print(summary(tally), soft_wrap=not console.is_terminal)
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if not tally.succeeded and load > BUSY * processors:
        busy = f"This machine is busy (load {load:.0f} on {processors} processors). Try again when it is not."
        console.print(busy, style="yellow", soft_wrap=not console.is_terminal)


def _library_table() -> Table:
    table = Table(title="scenarios that come with callflow: callflow simulate NAME --pretend", expand=True)
    table.add_column("name", no_wrap=True)
    table.add_column("purpose")
    table.add_column("calls", justify="right", no_wrap=True)
    for name, file in shipped().items():
        scenario = read_scenario(file)
        table.add_row(name, escape(scenario.purpose), f"{expected_calls(scenario):,.0f}")
    return table
