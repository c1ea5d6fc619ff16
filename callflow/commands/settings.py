"""`callflow settings`: every setting with its value, default, bounds and meaning."""

from collections.abc import Iterable

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from callflow.commands.terminal import WIDE, console
from callflow.settings.documentation import all_settings, example
from callflow.settings.in_force import InForce, in_force
from callflow.settings.model import Settings

settings_app = typer.Typer(help="Show, explain and check the settings.", invoke_without_command=True)


@settings_app.callback()
def show(context: typer.Context) -> None:
    """Check the settings and show their values; those that differ from the default are bold.

    Example: `callflow --config /etc/callflow/callflow.toml settings`
    """
    if context.invoked_subcommand:
        return
    settings: Settings = context.obj.settings()
    out = console()
    out.print(_wide(in_force(settings)) if out.width >= WIDE else _narrow(in_force(settings)))


@settings_app.command("check")
def check_file(context: typer.Context) -> None:
    """Check the settings file and say nothing else; exit code 2 names the setting that is wrong, and the remedy.

    Example: `callflow --config /etc/callflow/callflow.toml settings check && systemctl reload callflow`
    """
    context.obj.settings()
    file = context.obj.config_file()
    print(f"{file} is valid" if file else "no settings file: the defaults are valid")


@settings_app.command("example")
def print_example() -> None:
    """Print an example settings file: every setting with its default, commented out.

    Example: `callflow settings example > /etc/callflow/callflow.toml`
    """
    print(example(), end="")


@settings_app.command("reference")
def print_reference() -> None:
    """Print the table of all settings as Markdown, as in docs/settings.md.

    Example: `callflow settings reference | grep tls`
    """
    print("| setting | default | bounds | meaning |\n|---|---|---|---|")
    for setting in all_settings():
        default = f"`{setting.default}`" if setting.default else ""
        reload = " *(reload)*" if setting.reloads else ""
        print(f"| `{setting.name}` | {default} | {setting.bounds} | {setting.text}{reload} |")


def _wide(settings: Iterable[InForce]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "value", "default", "meaning"):
        table.add_column(heading, overflow="fold")
    for one in settings:
        table.add_row(*(Text(cell) for cell in (one.name, one.value, one.default, one.text)), style=_style(one))
    return table


def _narrow(settings: Iterable[InForce]) -> Group:
    """Two lines and more for a setting: its value, then its default and meaning."""
    blocks: list[RenderableType] = []
    for one in settings:
        blocks.append(Text(f"{one.name} = {one.value or '(none)'}", _style(one)))
        default = f"default {one.default or '(none)'}. " if one.changed else ""
        blocks.append(Padding(Text(f"{default}{one.text}", "dim"), (0, 0, 0, 4)))
    return Group(*blocks)


def _style(setting: InForce) -> str:
    return "bold" if setting.changed else ""
