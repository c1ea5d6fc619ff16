"""Keeps made sounds in the cache folder, so that they are made once, and again when their makers change."""

import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.bench.hearing.packages import folder

Made = TypeVar("Made")
_MAKERS = (
    "body_sounds", "callers", "cases", "codecs", "grown", "line", "machines", "music", "packages", "recordings",
    "sounds", "voice_changes", "voices",
)  # fmt: skip


def _version() -> str:
    """Changes with every file that has a part in the making."""
    here = Path(__file__).parent
    files = sorted(path for path in here.iterdir() if path.stem in _MAKERS)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def prepared(name: str, make: Callable[[], Made]) -> Made:
    """What `make` makes, from the cache if it is there; older versions of it are deleted."""
    kept = folder() / "prepared"
    kept.mkdir(exist_ok=True)
    path = kept / f"{name}.{_version()}.pickle"
    if not path.exists():
        made = make()
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(pickle.dumps(made, protocol=5))
        for old in kept.glob(f"{name}.*.pickle"):
            old.unlink(missing_ok=True)  # another process may do the same
        partial.rename(path)
    found: Made = pickle.loads(path.read_bytes())
    return found
