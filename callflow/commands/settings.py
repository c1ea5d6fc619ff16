"""`callflow settings`: every setting with its present value, default, bounds and meaning."""

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callflow.settings.documentation import SECTIONS, all_settings, example, settings_of, toml_value
from callflow.settings.errors import SECRETS
from callflow.settings.model import Settings

settings_app = typer.Typer(help="Show, explain and check the settings.", invoke_without_command=True)


@settings_app.callback()
def show(context: typer.Context) -> None:
    """Show the settings in force, checked; those that differ from the default are marked.

    Example: `callflow --config /etc/callflow/callflow.toml settings`
    """
    if context.invoked_subcommand:
        return
    settings: Settings = context.obj.settings()
    table = Table("setting", "value", "default", "meaning", title="Settings in force")
    for section in SECTIONS:
        _add(table, section, getattr(settings, section))
    for name, ladder in settings.ladders.items():
        for number, rung in enumerate(ladder.rungs, 1):
            _add(table, f"ladders.{name}.rungs[{number}]", rung)
    for name, profile in settings.profiles.items():
        _add(table, f"profiles.{name}", profile)
    for name, target in settings.queues.items():
        _add(table, f"queues.{name}", target)
    Console().print(table)


@settings_app.command("example")
def print_example() -> None:
    """Print config/callflow.toml: every setting, commented.

    Example: `callflow settings example > /etc/callflow/callflow.toml`
    """
    print(example(), end="")


@settings_app.command("reference")
def print_reference() -> None:
    """Print the table of all settings as Markdown (docs/settings.md has it)."""
    print("| setting | default | bounds | meaning |\n|---|---|---|---|")
    for setting in all_settings():
        default = f"`{setting.default}`" if setting.default else ""
        print(f"| `{setting.name}` | {default} | {setting.bounds} | {setting.text} |")


def _add(table: Table, prefix: str, section: BaseModel) -> None:
    for setting in settings_of(type(section), ""):
        value = _value(section, setting.name)
        mark = "bold" if value != setting.default else ""
        cells = (f"{prefix}.{setting.name}", value, setting.default, setting.text)
        table.add_row(*(escape(cell) for cell in cells), style=mark)


def _value(section: BaseModel, dotted: str) -> str:
    value: object = section
    for part in dotted.split("."):
        value = getattr(value, part)
    hidden = dotted in SECRETS and toml_value(value) != '""'
    return "(set)" if hidden else toml_value(value)
