"""The command line: `callflow run | check | settings | calls | callbacks | report | staffing | simulate | lab`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from callflow import __version__
from callflow.commands.backup import backup, downgrade, restore
from callflow.commands.callbacks import callbacks_app
from callflow.commands.calls import calls_app
from callflow.commands.cases import cases_app
from callflow.commands.check import check
from callflow.commands.context import Context
from callflow.commands.doctor import doctor
from callflow.commands.evaluation import evaluation
from callflow.commands.install import install, uninstall
from callflow.commands.lab import lab_app
from callflow.commands.privacy import forget, rotate_key
from callflow.commands.record import record
from callflow.commands.replay import replay
from callflow.commands.report import report
from callflow.commands.settings import settings_app
from callflow.commands.simulate import simulate
from callflow.commands.staffing import staffing
from callflow.commands.standards import standards
from callflow.commands.terminal import mend_stdout
from callflow.commands.web import web
from callflow.commands.webhooks import webhooks_app
from callflow.core.printable import printable
from callflow.errors import CallflowError

app = typer.Typer(
    help="Screens silent callers beside Asterisk: asks them to speak, and never hangs up on a caller it can hear.\n\n"
    "Start with `callflow install`, or with `callflow check` (does it work with this Asterisk?) and `callflow run`; "
    "`callflow calls` shows the outcome of every call. `callflow simulate demo --pretend` needs no PBX.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(callbacks_app, name="callbacks")
app.add_typer(calls_app, name="calls")
app.add_typer(cases_app, name="cases")
app.add_typer(lab_app, name="lab")
app.add_typer(settings_app, name="settings")
app.add_typer(web, name="web")
app.add_typer(webhooks_app, name="webhooks")
app.command()(backup)
app.command()(check)
app.command()(doctor)
app.command()(downgrade)
app.command()(evaluation)
app.command()(forget)
app.command()(install)
app.command()(record)
app.command()(replay)
app.command()(report)
app.command()(restore)
app.command("rotate-key")(rotate_key)
app.command()(simulate)
app.command()(staffing)
app.command()(standards)
app.command()(uninstall)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"callflow {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Settings file. Default: $CALLFLOW_CONFIG, ./config/callflow.toml or /etc/callflow/callflow.toml.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Context(config)


@app.command()
def run(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Settings file, as above.")] = None,
) -> None:
    """Run the daemon until SIGTERM or Ctrl-C.

    The daemon answers FastAGI calls from the dialplan, listens to AMI events, and logs to stderr what it hears, says
    and decides. SIGHUP makes it read its settings again; new calls get them. Exit code 2: you must fix something
    first, such as a setting, a password or a port in use.

    Example: `CALLFLOW_AMI__SECRET=... callflow run --config /etc/callflow/callflow.toml`
    """
    from callflow.daemon import run_daemon
    from callflow.logs import configure_logs

    source: Context = Context(config) if config else context.obj
    settings = source.settings()
    configure_logs(settings.log)
    run_daemon(settings, source.settings)


def main() -> None:
    """Entry point: a user's mistake gives one clear sentence and exit code 2, never a traceback."""
    mend_stdout()
    try:
        try:
            app(prog_name="callflow")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        sys.exit(1)
    except CallflowError as error:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        console.print("[bold red]callflow:[/] ", end="")
        console.print(printable(error.problem), markup=False)
        if error.remedy:
            console.print("[bold]remedy:[/] ", end="")
            console.print(printable(error.remedy), markup=False)
        sys.exit(2)
