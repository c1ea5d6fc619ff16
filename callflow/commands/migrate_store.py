"""`callflow migrate-store`: the records of this node's SQLite file, copied to the database of the fleet."""

from pathlib import Path
from typing import Annotated

import typer

from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.places import Postgres
from callflow.commands.backup import copying
from callflow.commands.context import Context
from callflow.publishing.publisher import pseudonymizer_of


def migrate_store(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Argument(metavar="[URL]", help="postgresql://USER@HOST/DATABASE. Default: fleet.database_url."),
    ] = None,
    db: Annotated[Path | None, typer.Option(help="SQLite file to read; default: store.path of the settings.")] = None,
    site: Annotated[
        str | None, typer.Option(help="Site of the records. Default: mqtt.site, else the name of their node.")
    ] = None,
) -> None:
    """Copy calls, timelines, rings, talks, wrap-ups, ratings and agents' times from SQLite to PostgreSQL.

    The daemon may run meanwhile: what it saves later comes through `callflow collect`. Numbers are hidden as they are
    in events (`[privacy]`). If the copy ends early, start it again: what is there already stays, nothing is doubled,
    and the SQLite file is not changed. Call-back lists are copied without notes; cases stay at their node. Exit code
    0: all is copied. 2: not all; the message has the reason.

    Others on this machine see what stands on a command line: a URL with a password belongs into
    CALLFLOW_FLEET__DATABASE_URL.

    Example: `callflow migrate-store postgresql://callflow@db.example.org/callflow`
    """
    source: Context = context.obj
    settings = source.settings()
    target = Postgres(source.fleet_url(to))
    with copying("copying") as told:
        moved = move(db or settings.store.path, target, site or settings.mqtt.site, pseudonymizer_of(settings), told)
    print(f"{moved:,} rows are in {target.shown}")
