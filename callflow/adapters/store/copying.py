"""Copies of a database: made while daemons write to it, and put back while none does."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from callflow.adapters.store.database import explained
from callflow.adapters.store.locks import FileLock, beside
from callflow.adapters.store.migrate import newer
from callflow.adapters.store.schema import HEAD
from callflow.errors import StoreError
from callflow.plain_files import check_replaceable

PAGES = 1000
"""Pages in one step; between two steps progress is told."""
PARTS = ("", "-wal", "-shm")
"""What a database in WAL mode consists of."""
CHUNK_BYTES = 1 << 20

Progress = Callable[[int, int], None]
"""Told what is done and of how much."""


def back_up(source: Path, target: Path, progress: Progress) -> None:
    """Write a consistent copy, one file that only its owner can read; daemons go on writing. Raises StoreError.

    A read transaction holds the state that is copied, so a busy database does not make the copy begin anew.
    """
    if any(_is_same(target, source.with_name(source.name + part)) for part in PARTS):
        raise StoreError(f"{target} is the database itself", "name another file")
    partial = target.with_name(f"{target.name}.partial")
    try:
        check_replaceable(target)
        with suppress(FileNotFoundError):
            partial.unlink()
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_reading(source)) as reading, closing(sqlite3.connect(partial, isolation_level=None)) as writing:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=PAGES, progress=lambda _, left, total: progress(total - left, total), sleep=0)
            writing.execute("PRAGMA journal_mode = DELETE")
        check(partial)
        _to_disk(partial)
        partial.replace(target)
    except sqlite3.Error as error:
        raise explained(error, source) from None
    except OSError as error:
        raise StoreError(
            f"{target} cannot be written: {error.strerror}", "name another file, on a disk with room"
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def check(path: Path) -> str:
    """The schema version of an intact database of callflow; raises StoreError for anything else."""
    try:
        with closing(_reading(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} is not a database of callflow: {error}", "name a file that `callflow backup` wrote"
        ) from None
    if verdict != "ok" or found is None:
        raise StoreError(f"{path} is damaged: {verdict}", "use another backup")
    return str(found[0])


def put_back(backup: Path, database: Path, node: str, kept_as: Path, progress: Progress) -> None:
    """Replace the database by a backup; the old one is kept as `kept_as`. Raises StoreError while a daemon uses it."""
    try:
        check_replaceable(database)
    except OSError as error:
        raise StoreError(f"{database} cannot be replaced: {error.strerror}", "name the database with --db") from None
    if _is_same(backup, database):
        raise StoreError(f"{backup} is the database itself", "name a file that `callflow backup` wrote")
    version = check(backup)
    if version > HEAD:
        raise newer(backup, version)
    with no_daemon(database, node):
        partial = database.with_name(f"{database.name}.restoring")
        try:
            _copy(backup, partial, database if database.exists() else database.parent, progress)
            for part in PARTS:
                with suppress(FileNotFoundError):
                    database.with_name(database.name + part).rename(kept_as.with_name(kept_as.name + part))
            partial.replace(database)
            _to_disk(database.parent)
        except OSError as error:
            raise StoreError(
                f"{database} cannot be replaced: {error.strerror}", "run it as root or as the service"
            ) from None
        finally:
            with suppress(OSError):
                partial.unlink()


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0, isolation_level=None)


@contextmanager
def no_daemon(database: Path, node: str) -> Iterator[None]:
    """Hold the lock of every daemon that ever used the database; raises StoreError if one runs."""
    locks = {beside(database, node), *database.parent.glob(f"{database.name}.*.lock")}
    with ExitStack() as stack:
        for path in sorted(locks):
            lock = FileLock(path)
            try:
                taken = lock.take()
            except OSError as error:
                raise StoreError(
                    f"{path} cannot be made: {error.strerror}", "run it as root or as the service"
                ) from None
            if not taken:
                name = path.name.removeprefix(f"{database.name}.").removesuffix(".lock")
                raise StoreError(f"the daemon {name!r} uses {database}", "systemctl stop callflow, then start again")
            stack.callback(lock.release)
        yield


def _copy(source: Path, target: Path, like: Path, progress: Progress) -> None:
    """Copy with progress; the copy belongs to the owner of `like`."""
    total, done = source.stat().st_size, 0
    with source.open("rb") as reading, open(target, "wb", opener=_group_may_read) as writing:
        while chunk := reading.read(CHUNK_BYTES):
            writing.write(chunk)
            done += len(chunk)
            progress(done, total)
        writing.flush()
        os.fsync(writing.fileno())
    owner = like.stat()
    with suppress(PermissionError):
        shutil.chown(target, owner.st_uid, owner.st_gid)


def _group_may_read(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
