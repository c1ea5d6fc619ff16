"""SIGHUP: the settings are read again. New calls get the new ones; a faulty file changes nothing."""

import asyncio
from collections.abc import Callable

import structlog

from callflow.errors import CallflowError
from callflow.settings.model import Settings
from callflow.settings.reload import change

log = structlog.get_logger()


class Reloading:
    """`apply` gets the settings in force after each reload that changes any."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], apply: Callable[[Settings], None]) -> None:
        self._in_force = settings
        self._read = read
        self._apply = apply
        self._task: asyncio.Task[None] | None = None
        self._asked_again = False

    def ask(self) -> None:
        """Reload; a second request during a reload is served after it. Returns at once."""
        if self._task is not None and not self._task.done():
            self._asked_again = True
            return
        self._asked_again = False
        self._task = asyncio.create_task(self._reload(), name="reload")
        self._task.add_done_callback(lambda task: self.ask() if self._asked_again and not task.cancelled() else None)

    def stop(self) -> None:
        """Give up a reload under way."""
        if self._task is not None:
            self._task.cancel()

    async def _reload(self) -> None:
        try:
            new = await asyncio.to_thread(self._read)
        except CallflowError as error:
            log.error(
                "the settings are not reloaded; the daemon goes on with the old ones",
                reason=error.problem,
                remedy=error.remedy,
            )
            return
        found = change(self._in_force, new)
        if found.applied:
            self._in_force = found.in_force
            self._apply(found.in_force)
        log.info("the settings are reloaded", applied_to_new_calls=list(found.applied))
        if found.need_restart:
            log.warning(
                "some changed settings need a restart; the daemon goes on with their old values",
                settings=list(found.need_restart),
                remedy="systemctl restart callflow",
            )
