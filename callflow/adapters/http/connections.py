"""Connections to a web server: a limited number, each with a limited time, so that calls keep the file handles."""

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 64
"""Open at once. One more closes the one that has been idle for longest."""
BACKLOG = 64
"""So many connections the loop accepts in one go, before any of them can be closed for want of room."""
EXCHANGE_S = 10.0
"""From the first byte of a request, or from the connection, to the end of the answer."""
IDLE_S = 75.0
"""Between two requests: Prometheus scrapes over one connection."""


class Config(uvicorn.Config):
    """uvicorn's configuration, with the connections of its server in the order of their last exchange."""

    def __init__(self, app: Any, *, most: int = CONNECTIONS, streams: bool = False) -> None:
        """`most` connections open at once; with `streams` an answer may last, and is not ended for another's sake."""
        super().__init__(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=int(IDLE_S),
            timeout_graceful_shutdown=1,
        )
        self.streams = streams
        self._most = most
        self.open: dict[Connection, None] = {}

    def make_room(self) -> None:
        """Drop one connection when there are too many: the one idle for longest, or else the oldest."""
        if len(self.open) >= self._most:
            idle = (connection for connection in self.open if not connection.answering)
            oldest = next(reversed(self.open)) if self.streams else next(iter(self.open))
            next(idle, oldest).drop()


class Connection(H11Protocol):
    """uvicorn's connection, which waits no longer for a peer than it is told."""

    config: Config

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._in_exchange = True

    @property
    def answering(self) -> bool:
        """A whole request has come, and its answer is not complete."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}  # what answers that last write to
        self.config.make_room()
        self.config.open[self] = None
        self._wait(EXCHANGE_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._in_exchange:
            self._in_exchange = True
            self._wait(EXCHANGE_S)
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._in_exchange = False
        self._wait(IDLE_S)
        if self in self.config.open:
            self.config.open[self] = self.config.open.pop(self)  # now the last to be dropped
        super().on_response_complete()

    def drop(self) -> None:
        """Close now, without an answer."""
        self._forget()
        self.transport.abort()

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._over)

    def _over(self) -> None:
        """The time is over; an answer that is a stream may last."""
        if not (self.config.streams and self.answering):
            self.drop()

    def _forget(self) -> None:
        self.config.open.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server(uvicorn.Server):
    """Signals are the daemon's own business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
