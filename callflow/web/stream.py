"""The answer that carries a live stream: its frames go straight to the connection.

Through the framework every frame would wake a task of its viewer and pass six layers, at ten times the cost.
"""

import socket
from asyncio import Transport
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from callflow.web.live import LiveFeed, View, Viewer

UNSENT = 16_384
"""Bytes that the kernel takes ahead of a viewer's network. More would be old by the time they are sent."""


class Body:
    """The body of an answer whose head has been sent; `chunked` as HTTP/1.1 has it."""

    def __init__(self, transport: Transport, *, chunked: bool) -> None:
        self._transport = transport
        self._chunked = chunked
        if not transport.is_closing():  # a viewer may go before the answer begins
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    @property
    def ready(self) -> bool:
        """The viewer is there, and the kernel has taken everything written so far."""
        return not self._transport.is_closing() and not self._transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Send a frame; returns at once. A viewer who has gone gets nothing."""
        if not self._transport.is_closing():
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame) if self._chunked else frame)

    def end(self) -> None:
        """Close the connection; a viewer who does not read loses what is unsent."""
        if self.ready:
            self._transport.write(b"0\r\n\r\n" if self._chunked else b"")
            self._transport.close()
        else:
            self._transport.abort()


class LiveAnswer(Response):
    """Lasts until the viewer leaves or the feed ends the stream; `allowed` tells whether the visitor may still look."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, feed: LiveFeed, view: View, allowed: Callable[[], bool]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._transport: Transport = request.state.transport
        self._feed, self._view, self._allowed = feed, view, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = Body(self._transport, chunked=scope["http_version"] == "1.1")
        viewer = Viewer(body, self._allowed)
        self._feed.join(self._view, viewer)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._feed.leave(self._view, viewer)
