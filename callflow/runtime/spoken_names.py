"""The folder of spoken names: where each lies, and when it is deleted.

A name is deleted some hours after its call-back is settled. So is every file here that no call-back names: one that a
crash has left, or that a newer name has replaced.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from callflow.adapters.store.names_of_callers import settle_names
from callflow.core.assist.rules import AssistRules
from callflow.errors import StoreError

PERIOD_S = 600.0
ORPHAN_S = 3600.0
"""A file that no call-back names yet may be of one that is being saved."""
HOUR_MS = 3_600_000
SUFFIX = ".wav"

log = structlog.get_logger()


class SpokenNames:
    """`start` and `stop` in the daemon's loop."""

    def __init__(self, rules: AssistRules, database: Path, now_ms: Callable[[], int]) -> None:
        self._rules, self._database, self._now_ms = rules, database, now_ms
        self._task: asyncio.Task[None] | None = None

    def path_of(self, name_id: str) -> Path:
        """The file of a name."""
        return self._rules.names_dir / f"{name_id}{SUFFIX}"

    def sound_of(self, name_id: str) -> str:
        """What Asterisk plays for a name; "" where there is no file."""
        path = self.path_of(name_id)
        return str(path.with_suffix("")) if name_id and path.is_file() else ""

    def change(self, rules: AssistRules) -> None:
        """Go by these rules from now on."""
        self._rules = rules

    def start(self) -> None:
        """Delete what is over, now and again and again."""
        self._task = asyncio.create_task(self._run(), name="spoken names")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.sweep)
            except (StoreError, OSError) as error:
                log.warning("spoken names could not be deleted; tried again in ten minutes", reason=str(error))
            await asyncio.sleep(PERIOD_S)

    def sweep(self) -> None:
        """Delete the names of settled call-backs and the files that none names. Raises StoreError or OSError."""
        folder = self._rules.names_dir
        if not folder.is_dir() or not self._database.is_file():
            return
        old_s = time.time() - ORPHAN_S
        files = [path for path in folder.glob(f"*{SUFFIX}") if path.stat().st_mtime < old_s]
        now_ms = self._now_ms()
        kept = settle_names(self._database, now_ms - round(self._rules.names_keep_h * HOUR_MS), now_ms)
        over = [path.stem for path in files if path.stem not in kept]
        self.delete(over)
        if over:
            log.info("spoken names were deleted", names=len(over))

    def delete(self, name_ids: Iterable[str]) -> None:
        """Delete these names; one that is gone already is no error. Raises OSError."""
        for name_id in name_ids:
            self.path_of(name_id).unlink(missing_ok=True)
