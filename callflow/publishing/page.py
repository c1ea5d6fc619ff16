"""The page in the browser beside the daemon. Its framework is loaded after callers are let in, in a thread."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from callflow.core.assist.actions import AgentActions
from callflow.settings.model import Settings

if TYPE_CHECKING:
    from callflow.web.live import State
    from callflow.web.server import WebServer


class Page:
    """Not served before `start`; to load it takes a quarter of the processor time of the whole start."""

    def __init__(
        self,
        settings: Settings,
        now_ms: Callable[[], int],
        read_off: "Callable[[], State]",
        in_force: Callable[[], Settings],
        agent_actions: Callable[[], AgentActions | None],
    ) -> None:
        self._settings = settings
        self._parts = now_ms, read_off, in_force, agent_actions
        self._server: WebServer | None = None

    async def start(self) -> None:
        """Load and begin to serve; never raises what a port in use raises."""
        self._server = await asyncio.to_thread(self._loaded)
        self._server.start()

    async def stop(self) -> None:
        """End every connection."""
        if self._server is not None:
            await self._server.stop()

    def _loaded(self) -> "WebServer":
        from callflow.web.server import WebServer

        return WebServer(self._settings.web, self._settings.store.path, *self._parts)
