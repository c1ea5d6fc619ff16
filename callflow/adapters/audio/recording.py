"""Callers' audio on disk, for finding faults only: off unless a folder is set, and never kept for long."""

import time
from pathlib import Path
from typing import Any, BinaryIO

DAY_S = 86_400.0


class Recorder:
    """Writes `<call id>.sln` (16-bit, 8 kHz, headerless) and deletes what is older than the limit."""

    def __init__(self, folder: Path, days: float, log: Any) -> None:
        self._folder = folder
        self._days = days
        self._log = log
        remedy = "leave [tap] debug_audio_dir out again as soon as the fault is found"
        log.warning("callers' audio is being stored", folder=str(folder), days=days, remedy=remedy)

    def open(self, call_id: str) -> BinaryIO | None:
        """A file for one call, after clearing away what is too old; None, and told, if that cannot be."""
        try:
            self.clear()
            return (self._folder / f"{call_id.replace('/', '_')}.sln").open("wb")
        except OSError as error:
            self._log.warning("a caller's audio cannot be stored", reason=str(error))
            return None

    def clear(self) -> None:
        """Delete recordings older than the limit."""
        limit = time.time() - self._days * DAY_S
        for path in self._folder.glob("*.sln"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
