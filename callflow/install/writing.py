"""Writes files as a whole or not at all, with the owner and mode that they should have."""

import os
from contextlib import suppress
from pathlib import Path

from callflow.errors import InstallError
from callflow.install.parts import Owner
from callflow.install.root import may_write
from callflow.plain_files import check_replaceable

NEW_FOLDER_MODE = 0o755


def write(path: Path, content: bytes, mode: int, owner: tuple[int, int]) -> None:
    """Put a file in place, and its folders. An existing file keeps its owner and mode. Raises InstallError."""
    try:
        check_replaceable(path)
    except OSError as error:
        remedy = "remove it, or `systemctl unmask` a unit that is masked"
        raise InstallError(f"{path} cannot be written: {error.strerror}", remedy) from None
    try:
        _make_folders(path.parent)
        if path.exists():
            there = path.stat()
            mode, owner = there.st_mode & 0o7777, (there.st_uid, there.st_gid)
        _replace(path, content, mode, owner)
    except OSError as error:
        remedy = "run it as root, on a disk with room"
        raise InstallError(f"{path} cannot be written: {error.strerror}", remedy) from None


def _replace(path: Path, content: bytes, mode: int, owner: tuple[int, int]) -> None:
    partial = path.with_name(f".{path.name}.callflow-partial")
    with suppress(FileNotFoundError):
        partial.unlink()
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            if may_write():
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _make_folders(folder: Path) -> None:
    if not folder.exists():
        _make_folders(folder.parent)
        folder.mkdir()
        folder.chmod(NEW_FOLDER_MODE)


def without_line(text: str, line: str) -> str:
    """A text without the last line that is exactly this one."""
    lines = text.splitlines(keepends=True)
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].rstrip("\n") == line:
            return "".join(lines[:number] + lines[number + 1 :])
    return text


def with_line(text: str, line: str) -> str:
    """A text with this line at its end."""
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n"


def resolved(owner: Owner, service: tuple[int, int] | None) -> tuple[int, int]:
    """User id and group id; None stands for root and the group of the service."""
    return owner if owner is not None else (0, service[1] if service else 0)
