"""One web server on one address: started, tried again where the address is taken, and stopped."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from callflow.adapters.http.connections import BACKLOG, Config, Server

RETRY_S = 30.0
STOP_S = 2.0


class Messages(NamedTuple):
    """What the log says: that it is served, or cannot be, and the remedy."""

    served: str
    failed: str
    remedy: str


class Listener:
    """Serves what `configure` describes."""

    def __init__(
        self, host: str, port: int, configure: Callable[[], Awaitable[Config]], *, messages: Messages, log: Any
    ) -> None:
        self._host = host
        self._port = port
        self._configure = configure
        self._messages = messages
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self.port = 0
        """The port in use; 0 while there is none."""

    def start(self) -> None:
        """Begin to serve; returns at once, never raises. An address that is taken is tried again every 30 s."""
        self._task = asyncio.create_task(self._run(), name=self._messages.served)

    async def serve(self) -> None:
        """Serve until cancelled; raises OSError where the address cannot be had."""
        config = await self._configure()
        with self._listen() as listening:
            self.port = listening.getsockname()[1]
            self._server = Server(config)
            self._log.info(self._messages.served, host=self._host, port=self.port)
            await self._server.serve(sockets=[listening])

    async def stop(self) -> None:
        """End every connection."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            await asyncio.wait({task}, timeout=STOP_S)
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_S)

    async def _run(self) -> None:
        say = self._log.error
        while True:
            try:
                await self.serve()
                return
            except (OSError, OverflowError) as error:
                say(self._messages.failed, reason=str(error), remedy=self._messages.remedy)
                say = self._log.debug
            await asyncio.sleep(RETRY_S)

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        return socket.create_server((self._host, self._port), family=family, backlog=BACKLOG)
