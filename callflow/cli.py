"""The command line: `callflow run | check | settings | calls | callbacks | report | staffing | simulate | lab`."""

import gc
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from typer.core import TyperGroup

from callflow import __version__
from callflow.commands.context import Context
from callflow.commands.terminal import mend_stdout, open_closed_streams
from callflow.core.printable import is_text, printable
from callflow.errors import CallflowError

COMMANDS = {
    "backup": "backup:backup",
    "callbacks": "callbacks:callbacks_app",
    "calls": "calls:calls_app",
    "cases": "cases:cases_app",
    "check": "check:check",
    "collect": "collect:collect",
    "delete-days": "delete_days:delete_days",
    "doctor": "doctor:doctor",
    "downgrade": "backup:downgrade",
    "evaluation": "evaluation:evaluation",
    "fleet": "fleet:fleet",
    "forget": "privacy:forget",
    "install": "install:install",
    "lab": "lab:lab_app",
    "migrate-store": "migrate_store:migrate_store",
    "record": "record:record",
    "replay": "replay:replay",
    "report": "report:report",
    "restore": "backup:restore",
    "rotate-key": "privacy:rotate_key",
    "settings": "settings:settings_app",
    "simulate": "simulate:simulate",
    "staffing": "staffing:staffing",
    "standards": "standards:standards",
    "uninstall": "install:uninstall",
    "web": "web:web",
    "webhooks": "webhooks:webhooks_app",
}
"""Where each command is, below callflow.commands."""


class Commands(TyperGroup):
    """Imports a command only when it is used: the daemon needs none, and each needs few modules of the others."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the alphabet."""
        return sorted({*self.commands, *COMMANDS})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name; None for no such command."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            found = getattr(import_module(f"callflow.commands.{module}"), attribute)
            self.add_command(_command(found, cmd_name), cmd_name)
        return super().get_command(ctx, cmd_name)


def _command(found: Any, name: str) -> Any:
    """A group of commands, or a function as a command."""
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=Commands,
    help="Screens silent callers beside Asterisk: asks them to speak, and never hangs up on a caller it can hear.\n\n"
    "Start with `callflow install`, or with `callflow check` (does it work with this Asterisk?) and `callflow run`; "
    "`callflow calls` shows the outcome of every call. `callflow simulate demo --pretend` needs no PBX.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


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
    from callflow.runtime.watchdog import start_goes_on

    start_goes_on()
    gc.disable()  # until `keep_pauses_short`: what is loaded stays
    from callflow.daemon import run_daemon
    from callflow.logs import configure_logs

    source: Context = Context(config) if config else context.obj
    settings = source.settings()
    configure_logs(settings.log)
    run_daemon(settings, source.settings)


def main() -> None:
    """Entry point: a user's mistake gives one clear sentence and exit code 2, never a traceback."""
    open_closed_streams()
    mend_stdout()
    try:
        try:
            app(prog_name="callflow")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        sys.exit(1)
    except UnicodeEncodeError:
        unfit = [word for word in sys.argv[1:] if not is_text(word)]
        if not unfit:
            raise
        _refuse(f"{unfit[0]!r} is not text in the encoding of this terminal", "write it in UTF-8")
    except CallflowError as error:
        _refuse(error.problem, error.remedy)


def _refuse(problem: str, remedy: str) -> NoReturn:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print("[bold red]callflow:[/] ", end="")
    console.print(printable(problem), markup=False)
    if remedy:
        console.print("[bold]remedy:[/] ", end="")
        console.print(printable(remedy), markup=False)
    sys.exit(2)
