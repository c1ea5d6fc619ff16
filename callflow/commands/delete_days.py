"""`callflow delete-days`: the oldest days of a fleet's database, deleted."""

from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from callflow.adapters.store.fleet.aging import delete_before, rows_before
from callflow.adapters.store.places import Postgres
from callflow.commands.context import Context
from callflow.commands.terminal import agree, console
from callflow.core.service.grouping import DAY_MS


def day_of(text: str) -> date:
    """A day as a person writes it; raises typer.BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write 2025-01-01") from None


def delete_days(
    context: typer.Context,
    before: Annotated[date, typer.Argument(parser=day_of, metavar="DAY", help="The first day that stays, in UTC.")],
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
    day = int(datetime.combine(before, time.min, UTC).timestamp() * 1000) // DAY_MS
    old = rows_before(place, day)
    for table, number in old.items():
        out.print(f"{number:,} rows of {table}")
    if dry_run or not old:
        out.print("nothing was changed" if old else f"nothing is older than {before:%Y-%m-%d}")
        return
    if not yes:
        agree(f"Delete everything before {before:%Y-%m-%d}?")
    out.print(f"{sum(delete_before(place, day).values()):,} rows were deleted")
