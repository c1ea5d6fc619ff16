"""The answer that carries an export: complete, or visibly broken off."""

import socket
import struct
from asyncio import Transport

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from callflow.errors import CallflowError

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: a close is a reset. The end of the connection is the end of a body for clients of HTTP/1.0."""

log = structlog.get_logger()


class Export(StreamingResponse):
    """If its content fails after the first bytes, the connection is reset: no client takes the rest for the whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""
        try:
            await super().__call__(scope, receive, send)
        except CallflowError as error:
            log.warning("an export has broken off; its reader sees that", reason=error.problem, remedy=error.remedy)
            _reset(scope["state"]["transport"])
            while (await receive())["type"] != "http.disconnect":
                pass


def _reset(transport: Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    transport.abort()
