"""Locks between processes: files beside the database, released by the kernel when a process ends in any way."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callflow.errors import StoreError

PAUSE_S = 0.02


class FileLock:
    """One lock file, held from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, wait_s: float = 0.0) -> bool:
        """True when it is ours, within `wait_s`; raises OSError when the file cannot be made."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(fd)
                    return False
                time.sleep(PAUSE_S)
            else:
                self._fd = fd
                return True

    def release(self) -> None:
        """Free it; the file stays, because removing it would let two processes lock two different files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def is_held(path: Path) -> bool:
    """Whether some process holds the lock; False if the file cannot be opened."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def beside(database: Path, name: str) -> Path:
    """The lock file `name` of a database."""
    return database.with_name(f"{database.name}.{name}.lock")


@contextmanager
def held(path: Path, wait_s: float) -> Iterator[None]:
    """Hold a lock; raises StoreError when another process keeps it longer than `wait_s`."""
    lock = FileLock(path)
    try:
        taken = lock.take(wait_s)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}", remedy="make its folder writable") from None
    if not taken:
        raise StoreError(
            f"another process has kept {path} locked for {wait_s:g} s", remedy="wait for it, or end it, and start again"
        )
    try:
        yield
    finally:
        lock.release()
