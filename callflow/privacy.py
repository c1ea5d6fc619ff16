"""What leaves the daemon of a caller: in logs never a whole number; elsewhere a hash, with a key kept here."""

import os
import secrets
from pathlib import Path


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
        key = bytes.fromhex(path.read_text("ascii").strip())
        if len(key) < 16:
            raise ValueError(f"{path} does not hold a key of at least 16 bytes in hex") from None
        return key
    return _new_key(fd)


def replace_key(path: Path) -> None:
    """Put a new key in the place of the old one, which is gone then; raises OSError."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    _new_key(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if path.exists():
        owner = path.stat()
        os.chown(partial, owner.st_uid, owner.st_gid)
    partial.replace(path)


def _new_key(fd: int) -> bytes:
    """Write 32 random bytes in hex to a new file."""
    key = secrets.token_bytes(32)
    with os.fdopen(fd, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
