"""`callflow doctor`: everything that a report of a fault needs, in one file without callers and secrets."""

import io
import os
import tarfile
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from callflow.checks.bundle import bundle
from callflow.commands.context import Context
from callflow.errors import CallflowError
from callflow.settings.model import Settings


def doctor(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="File; default: callflow-doctor-DATE.tar.gz here.")] = None,
) -> None:
    """Write a bundle for a bug report: versions, settings, health, counters, and the newest records.

    Secrets and callers' names are left out. Numbers are replaced by hashes with a key that is made for this bundle and
    thrown away, so that one caller can be followed but not named. Look at it before you send it: it holds names of
    queues, agents' work numbers and your network's addresses. Exit code 0: written. 2: it could not be written.

    Example: callflow doctor && tar tzf callflow-doctor-*.tar.gz
    """
    settings: Settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    now = datetime.now().astimezone()
    target = file or Path(f"callflow-doctor-{now:%Y%m%d-%H%M%S}.tar.gz")
    columns = SpinnerColumn(), TextColumn("{task.description}")
    try:
        with (
            os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            tarfile.open(fileobj=out, mode="w:gz") as archive,
            Progress(*columns, console=Console(stderr=True), transient=True) as bar,
        ):
            task = bar.add_task("gathering", total=None)
            for name, text in bundle(settings):
                bar.update(task, description=f"gathering: {name}")
                _add(archive, name, text.encode(), int(now.timestamp()))
    except OSError as error:
        raise CallflowError(f"{target} cannot be written: {error.strerror}", "name another file") from None
    print(f"{target}: {target.stat().st_size:,} bytes; look at it before you send it")


def _add(archive: tarfile.TarFile, name: str, content: bytes, at_s: int) -> None:
    entry = tarfile.TarInfo(f"callflow-doctor/{name}")
    entry.size, entry.mtime, entry.mode = len(content), at_s, 0o600
    archive.addfile(entry, io.BytesIO(content))
