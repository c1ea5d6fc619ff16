"""`callflow forget` erases one caller; `callflow rotate-key` makes earlier hashes of numbers worthless."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from callflow.adapters.store.erasing import Found, Wanted, erase, in_files, inside_longer_numbers, search, spellings
from callflow.adapters.store.fleet.erasing import erase_from_fleet, search_fleet
from callflow.adapters.store.names_of_callers import names_of
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.rehashing import rehash
from callflow.commands.context import Context
from callflow.commands.terminal import agree, console
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.errors import CallflowError, SettingError, StoreError
from callflow.privacy import key_to_come, load_key, mask_number, replace_key
from callflow.publishing.publisher import key_file, pseudonymizer_of
from callflow.runtime.spoken_names import SUFFIX
from callflow.settings.model import Settings


def forget(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The caller's number, with or without spaces and punctuation.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what there is and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    db: Annotated[Path | None, typer.Option(help="Database; default: store.path of the settings.")] = None,
) -> None:
    """Erase one caller everywhere on this node, and in the fleet's database if the settings name one, and prove it.

    The caller's number and name become empty in every record, so that the figures of reports stay right. Events that
    wait for the broker are deleted, and so are stored audio and spoken names. Then callflow searches every table and
    the bytes of the database files, and sees that the names are gone. The daemon may run. Write the number as Asterisk
    gives it; a number with a country code and one without it are two numbers. Not reached: backups, exports, and what
    the broker's consumers have already received.

    Exit code 0: nothing of the number is left. 1: something is left. 2: it could not be done.

    Example: callflow forget +15550104 --dry-run
    """
    settings: Settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    database = db or settings.store.path
    if not database.is_file():
        raise StoreError(f"there is no database at {database}", "name one with --db")
    wanted = _wanted(settings, database, number)
    found, out = search(database, wanted), console()
    audio, names = _recordings(settings, found), _spoken_names(settings, database, wanted)
    out.print(_table(found, audio, names))
    fleet = _fleet_of(settings)
    in_fleet = search_fleet(fleet, wanted) if fleet else {}
    for table, number_of_rows in in_fleet.items():
        out.print(f"{number_of_rows:,} rows of {table} in the fleet's database")
    if dry_run:
        out.print("\nnothing was changed")
        return
    if (found.rows or audio or names or in_fleet) and not yes:
        agree(f"\nErase {mask_number(number)} for good?")
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), transient=True) as progress:
        task = progress.add_task("erasing", total=None)
        for path in (*audio, *names):
            _delete(path)
        if fleet:
            erase_from_fleet(fleet, wanted)
            in_fleet = search_fleet(fleet, wanted)
        erase(database, wanted, lambda what: progress.update(task, description=f"erasing: {what}"))
        progress.update(task, description="searching")
        left, in_bytes = search(database, wanted), in_files(database, wanted.texts)
        longer = inside_longer_numbers(database, wanted) if in_bytes else 0
    if left_names := [path for path in names if path.exists()]:
        out.print(f"[bold red]something is left[/]: {len(left_names)} spoken names in {left_names[0].parent}")
        raise typer.Exit(1)
    if left.rows or in_fleet or (in_bytes and not longer):
        rows = left.rows | in_fleet
        out.print(f"[bold red]something is left[/]: {rows} {in_bytes}; a call of this caller may be in progress")
        raise typer.Exit(1)
    out.print("searched: nothing of this number is in any table, nor in the bytes of the database files")
    if longer:
        out.print(f"its digits are part of {longer} longer numbers, such as ids and other callers' numbers")


def _fleet_of(settings: Settings) -> Postgres | None:
    """The fleet's database, if the settings name one."""
    url = settings.fleet.database_url.get_secret_value()
    return Postgres(url) if url else None


def rotate_key(context: typer.Context) -> None:
    """Replace the key that hashes callers' numbers; hashes made before cannot be made again or compared.

    Consumers of MQTT see every caller as a new one from the daemon's next start on. The old key is not kept. The hashes
    of ratings, by which callflow asks a caller once a week at most, are made anew in the database. Restart the daemon
    at once: until then it hashes with the old key. Exit code 0: replaced. 2: not replaced; start it again.

    Example: callflow rotate-key && systemctl restart callflow
    """
    settings: Settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    if settings.privacy.key.get_secret_value():
        raise SettingError("privacy.key", "the key is in the settings", "change it there, and restart the daemon")
    path, database = key_file(settings).resolve(), settings.store.path
    try:
        before, after = _old_key(path), key_to_come(path)
        if database.is_file():
            hashes, unknown = rehash(
                database, *(Pseudonymizer(key, settings.privacy).hashed for key in (before, after))
            )
            lost = f"; of {unknown} the number is not known any more" if unknown else ""
            print(f"{hashes} ratings have new hashes{lost}")
        replace_key(path)
    except OSError as error:
        remedy = "run it as root or as the service"
        raise CallflowError(f"{path} cannot be replaced: {error.strerror}", remedy) from None
    print(f"{path} holds a new key; restart the daemon to use it: systemctl restart callflow")


def _old_key(path: Path) -> bytes:
    """The key until now; raises OSError. One that cannot be read has hashed nothing: each run made its own."""
    try:
        return load_key(path)
    except ValueError:
        return secrets.token_bytes(32)


def _wanted(settings: Settings, database: Path, number: str) -> Wanted:
    digits = sum(mark.isdigit() for mark in number)
    if not digits:
        raise CallflowError(f"{number!r} has no digits", "write the caller's number as `callflow calls` shows it")
    names = pseudonymizer_of(settings)
    numbers = spellings(database, number)
    hashes = {names.hashed(one) for one in numbers}
    return Wanted(numbers, tuple(sorted(hashes)), digits > settings.privacy.internal_digits)


def _recordings(settings: Settings, found: Found) -> list[Path]:
    """Stored audio of the calls."""
    folder = settings.tap.debug_audio_dir
    if folder is None or not folder.is_dir():
        return []
    names = {call_id.replace("/", "_") for call_id in found.ids}
    return [path for path in sorted(folder.glob("*.sln")) if path.stem in names]


def _spoken_names(settings: Settings, database: Path, wanted: Wanted) -> list[Path]:
    """Files of the names that the caller has said; of some, nothing may be left. Raises StoreError or CallflowError."""
    folder = settings.assist.names_dir
    names = sorted(names_of(database, wanted.numbers))
    if names and not folder.is_dir():
        remedy = "mount the folder, or name the right one in assist.names_dir, and repeat it"
        raise CallflowError(f"the caller has said a name, and {folder} is not there", remedy)
    return [path for name in names if (path := folder / f"{name}{SUFFIX}").exists()]


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        remedy = "run it as root or as the service"
        raise CallflowError(f"{path} cannot be deleted: {error.strerror}", remedy) from None


def _table(found: Found, audio: list[Path], names: list[Path]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("where", "found", "what happens to it"):
        table.add_column(heading)
    for name, count in found.rows.items():
        kept = "deleted" if name == "outbox" else "number and name become empty"
        table.add_row(name, str(count), kept)
    if audio:
        table.add_row("stored audio", str(len(audio)), "deleted")
    if names:
        table.add_row("spoken names", str(len(names)), "deleted")
    if not table.row_count:
        table.add_row("anywhere", "0", "nothing to do")
    return table
