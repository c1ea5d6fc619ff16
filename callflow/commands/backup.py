"""`callflow backup` and `callflow restore`: the database, copied while the daemon runs, and put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from callflow.adapters.store.copying import back_up, check, no_daemon, put_back
from callflow.adapters.store.fleet import HEAD as FLEET_HEAD
from callflow.adapters.store.fleet.migrate import take_back as take_back_fleet
from callflow.adapters.store.migrate import take_back
from callflow.adapters.store.places import Postgres
from callflow.commands.context import Context
from callflow.commands.terminal import agree
from callflow.errors import StoreError


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write; a folder gets callflow-DATE-TIME.db.")],
    db: Annotated[Path | None, typer.Option(help="Database; default: store.path of the settings.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
) -> None:
    """Copy the database while the daemon goes on writing to it; the copy is checked before it gets its name.

    The key that hashes numbers (privacy.key) and the settings are not in it: keep them as well. Exit code 0: the backup
    is complete. 2: it could not be made; an older file of that name is as it was.

    Example: callflow backup /var/backups/callflow.db --force
    """
    source = db or context.find_object(Context).database_path()  # type: ignore[union-attr]
    target = file / f"callflow-{datetime.now().astimezone():%Y%m%d-%H%M%S}.db" if file.is_dir() else file
    if not source.is_file():
        raise StoreError(f"there is no database at {source}", "name one with --db, or start the daemon once")
    if target.exists() and not force:
        raise StoreError(f"{target} exists", "name another file, or add --force")
    with copying("copying") as told:
        back_up(source, target, told)
    print(f"{target}: {target.stat().st_size:,} bytes, intact")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `callflow backup` wrote.")],
    db: Annotated[Path | None, typer.Option(help="Database to replace; default: store.path of the settings.")] = None,
) -> None:
    """Put a backup in the place of the database; the daemon must be stopped, and the old database is kept.

    A backup of an earlier release is brought up to date by the daemon's next start. Exit code 0: restored. 2: refused;
    nothing has changed.

    Example: systemctl stop callflow && callflow restore /var/backups/callflow.db && systemctl start callflow
    """
    settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    database = db or settings.store.path
    if not file.is_file():
        raise StoreError(f"there is no file {file}", "name a file that `callflow backup` wrote")
    kept_as = database.with_name(f"{database.name}.before-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    there = database.exists()
    with copying("restoring") as told:
        put_back(file, database, settings.node.name, kept_as, told)
    print(f"{database} is restored from {file} (schema {check(database)})")
    if there:
        print(f"the old database is {kept_as}; delete it when you no longer need it")


def downgrade(
    context: typer.Context,
    db: Annotated[Path | None, typer.Option(help="Database; default: store.path of the settings.")] = None,
    fleet: Annotated[bool, typer.Option("--fleet", help="The fleet's database (fleet.database_url) instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; with --fleet.")] = False,
) -> None:
    """Take the database back by one version, for the release of callflow before this one.

    The daemon must be stopped. A backup is made first, because what only this version stores is lost. With `--fleet`
    the collectors must be stopped, and you make the backup (`pg_dump`). Install the older release afterwards; it says
    whether it needs a yet earlier version. Exit code 0: taken back. 2: nothing has changed.

    Examples: systemctl stop callflow && callflow downgrade
              callflow --config /etc/callflow/collect.toml downgrade --fleet
    """
    source: Context = context.find_object(Context)  # type: ignore[assignment]
    settings = source.settings()
    if fleet:
        place = Postgres(source.fleet_url())
        if not yes:
            agree(f"What only this release stores in {place.shown} is lost. Is there a backup (pg_dump), and go on?")
        print(f"{place.shown} is at version {take_back_fleet(place)}, it was at {FLEET_HEAD}")
        return
    database = db or settings.store.path
    if not database.is_file():
        raise StoreError(f"there is no database at {database}", "name one with --db")
    kept_as = database.with_name(f"{database.name}.before-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    before = check(database)
    with no_daemon(database, settings.node.name):
        with copying("copying") as told:
            back_up(database, kept_as, told)
        after = take_back(database)
    print(f"{database} is at version {after}, it was at {before}; a backup is {kept_as}")


@contextmanager
def copying(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, told what is done and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
