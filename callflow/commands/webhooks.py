"""`callflow webhooks`: events that a receiver refused, and what is to become of them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from callflow.adapters.store import dead_letters
from callflow.adapters.store.dead_letters import DeadLetter
from callflow.adapters.store.queries import Reader
from callflow.commands.sheets import Sheet, print_json
from callflow.commands.terminal import console
from callflow.commands.times import shown
from callflow.core.printable import printable
from callflow.core.publishing.topics import event_name
from callflow.publishing.webhooks import PREFIX

webhooks_app = typer.Typer(
    help="Webhooks: list the events that a receiver refused, send them again, or drop them.\n\n"
    "The daemon puts an event aside when its receiver answers with an error that will not pass (400, 410, ...), or "
    "fails too often. docs/webhooks.md explains it.",
    no_args_is_help=True,
)
Database = Annotated[Path | None, typer.Option("--db", metavar="PATH", help="Database to use. Default: store.path.")]
Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="[NUMBER]...", min=1, max=2**63 - 1, help="Numbers from the list.")
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
COLUMNS = ("number", "webhook", "event", "event_id", "saved_ms", "refused_ms", "reason")


@webhooks_app.command("list")
def list_refused(
    context: typer.Context,
    webhook: Annotated[str | None, typer.Argument(metavar="[WEBHOOK]", help="Only those of this webhook.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON, with the events themselves.")] = False,
    db: Database = None,
) -> None:
    """List the refused events, the oldest first.

    Example: `callflow webhooks list crm`
    """
    with Reader(db or context.obj.database_path()) as reader:
        found = dead_letters.dead_letters(reader, None if webhook is None else PREFIX + webhook)
    if as_json_:
        print_json(Sheet("callflow webhooks", (*COLUMNS, "body"), [[*_values(one), one.body] for one in found]))
        return
    out = console()
    if not found:
        out.print("no event was refused")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("number", "webhook", "event", "saved", "refused", "reason"):
        table.add_column(heading, overflow="fold")
    for one in found:
        number, name, event, _, _, _, reason = _values(one)
        cells = [str(number), str(name), str(event), shown(one.saved_ms), shown(one.refused_ms), str(reason)]
        table.add_row(*(Text(printable(text)) for text in cells))
    out.print(table)


@webhooks_app.command()
def retry(context: typer.Context, numbers: Numbers = None, everything: All = False, db: Database = None) -> None:
    """Send refused events again, after the waiting ones; a running daemon starts within seconds.

    Example: `callflow webhooks retry 4711 4712`
    """
    path = db or context.obj.database_path()
    number = dead_letters.retry(path, _which(numbers, everything))
    console().print(f"{number} to be sent again")


@webhooks_app.command()
def drop(context: typer.Context, numbers: Numbers = None, everything: All = False, db: Database = None) -> None:
    """Delete refused events; their records stay in the database.

    Example: `callflow webhooks drop --all`
    """
    path = db or context.obj.database_path()
    number = dead_letters.drop(path, _which(numbers, everything))
    console().print(f"{number} dropped")


def _which(numbers: list[int] | None, everything: bool) -> list[int] | None:
    if bool(numbers) is everything:
        raise typer.BadParameter("give numbers from `callflow webhooks list`, or --all")
    return None if everything else numbers


def _values(one: DeadLetter) -> list[int | str]:
    name = one.destination.removeprefix(PREFIX)
    return [one.seq, name, event_name(one.topic), one.event_id, one.saved_ms, one.refused_ms, one.reason]
