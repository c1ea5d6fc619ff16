"""What leaves the daemon of a caller: in logs never a whole number; elsewhere a hash, with a key kept here."""

import os
import secrets
from pathlib import Path

from callflow.plain_files import check_replaceable


def mask_number(number: str) -> str:
    """The last two digits behind dots, "" for no number; anything of up to four characters is hidden whole."""
    if not number:
        return ""
    return "•••" + (number[-2:] if len(number) > 4 else "")


def load_key(path: Path) -> bytes:
    """The key of the hashes, made at the first start (32 random bytes, mode 0600); raises OSError or ValueError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        check_replaceable(path)  # a pipe would be read for ever
        key = bytes.fromhex(path.read_text("ascii").strip())
        if len(key) < 16:
            raise ValueError(f"{path} does not hold a key of at least 16 bytes in hex") from None
        return key
    return _new_key(fd)


def key_to_come(path: Path) -> bytes:
    """The key that `replace_key` will put in the place of this one, in a file beside it; raises OSError.

    One that is there already is taken: a rotation has begun with it and has not ended.
    """
    coming = _coming(path)
    try:
        key = load_key(coming)
    except ValueError:  # it was not written to the end, so nothing is hashed with it
        coming.unlink()
        key = load_key(coming)
    if path.exists():
        owner = path.stat()
        os.chown(coming, owner.st_uid, owner.st_gid)
    return key


def replace_key(path: Path) -> None:
    """Put the key to come in the place of the old one, which is gone then; raises OSError."""
    _coming(path).replace(path)


def _coming(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _new_key(fd: int) -> bytes:
    """Write 32 random bytes in hex to a new file."""
    key = secrets.token_bytes(32)
    with os.fdopen(fd, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
