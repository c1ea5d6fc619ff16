"""Callers' audio on disk, for debugging only: off unless a folder is set, and deleted after some days."""

import os
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

DAY_S = 86_400.0
ROUND_S = 3600.0


class Recorder:
    """Writes `<call id>.sln` (16-bit, 8 kHz, headerless) and deletes recordings older than the limit.

    A thread deletes them at the start and once an hour, so that no caller waits for the disk.
    """

    def __init__(self, folder: Path, days: float, log: Any) -> None:
        self._folder = folder
        self._days = days
        self._log = log
        remedy = "after debugging, remove [tap] debug_audio_dir from the settings and delete the folder"
        log.warning("callers' audio is being stored", folder=str(folder), days=days, remedy=remedy)
        threading.Thread(target=self._keep_clear, name="recordings", daemon=True).start()

    def open(self, call_id: str) -> BinaryIO | None:
        """A new file for one call; None, with a warning in the log, if it cannot be opened."""
        try:
            return open(self._folder / f"{call_id.replace('/', '_')}.sln", "wb", opener=_private)
        except OSError as error:
            self._log.warning("cannot store a caller's audio", reason=str(error))
            return None

    def clear(self) -> None:
        """Delete recordings older than the limit; raises OSError."""
        limit = time.time() - self._days * DAY_S
        for path in self._folder.glob("*.sln"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)

    def _keep_clear(self) -> None:
        while True:
            try:
                self.clear()
            except OSError as error:
                self._log.warning("cannot delete old recordings; next try in an hour", reason=str(error))
            time.sleep(ROUND_S)


def _private(path: str, flags: int) -> int:
    """Open with mode 0600, whatever the umask, and whatever an older file of this name has."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor
