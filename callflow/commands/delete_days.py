"""`callflow delete-days`: the oldest days of a fleet's database, deleted."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from callflow.adapters.store.fleet.aging import delete_before, rows_before
from callflow.adapters.store.places import Postgres
from callflow.commands.context import Context
from callflow.commands.terminal import agree, console
from callflow.core.service.grouping import DAY_MS


def delete_days(
    context: typer.Context,
    before: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The first day that stays, in UTC.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what there is and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    db: Annotated[str | None, typer.Option("--db", metavar="URL", help="Default: fleet.database_url.")] = None,
) -> None:
    """Delete the days before a date from the fleet's database: calls, timelines, rings, talks, ratings, agents' times.

    Collectors may run. Nodes delete by age themselves, by `store.records_days`. Exit code 0: done. 2: it could not be
    done, and nothing has changed.

    Example: `callflow delete-days 2025-01-01 --dry-run`
    """
    source: Context = context.obj
    place, out = Postgres(source.fleet_url(db)), console()
    day = int(before.replace(tzinfo=UTC).timestamp() * 1000) // DAY_MS
    old = rows_before(place, day)
    for table, number in old.items():
        out.print(f"{number:,} rows of {table}")
    if dry_run or not old:
        out.print("nothing was changed" if old else f"nothing is older than {before:%Y-%m-%d}")
        return
    if not yes:
        agree(f"Delete everything before {before:%Y-%m-%d}?")
    out.print(f"{sum(delete_before(place, day).values()):,} rows were deleted")
