"""`callflow settings`: every setting with its value, default, bounds and meaning."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import typer
from pydantic import BaseModel
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from callflow.commands.terminal import WIDE, console
from callflow.settings.documentation import SECTIONS, all_settings, example, settings_of, toml_value
from callflow.settings.errors import SECRETS
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


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting with its value."""

    name: str
    value: str
    default: str
    text: str

    @property
    def style(self) -> str:
        """Bold where the value is not the default."""
        return "bold" if self.value != self.default else ""


def in_force(settings: Settings) -> Iterator[InForce]:
    """Every setting with its value; a secret is only said to be set."""
    sections: list[tuple[str, BaseModel]] = [(name, getattr(settings, name)) for name in SECTIONS]
    for name, ladder in settings.ladders.items():
        sections += [(f"ladders.{name}.rungs[{number}]", rung) for number, rung in enumerate(ladder.rungs, 1)]
    sections += [(f"profiles.{name}", profile) for name, profile in settings.profiles.items()]
    sections += [(f"queues.{name}", target) for name, target in settings.queues.items()]
    for prefix, section in sections:
        for setting in settings_of(type(section), ""):
            value = _value(section, setting.name)
            yield InForce(f"{prefix}.{setting.name}", value, setting.default, setting.text)


def _wide(settings: Iterable[InForce]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "value", "default", "meaning"):
        table.add_column(heading, overflow="fold")
    for one in settings:
        table.add_row(*(Text(cell) for cell in (one.name, one.value, one.default, one.text)), style=one.style)
    return table


def _narrow(settings: Iterable[InForce]) -> Group:
    """Two lines and more for a setting: its value, then its default and meaning."""
    blocks: list[RenderableType] = []
    for one in settings:
        blocks.append(Text(f"{one.name} = {one.value or '(none)'}", one.style))
        default = f"default {one.default or '(none)'}. " if one.style else ""
        blocks.append(Padding(Text(f"{default}{one.text}", "dim"), (0, 0, 0, 4)))
    return Group(*blocks)


def _value(section: BaseModel, dotted: str) -> str:
    value: object = section
    for part in dotted.split("."):
        value = getattr(value, part)
    hidden = dotted in SECRETS and toml_value(value) != '""'
    return "(set)" if hidden else toml_value(value)
