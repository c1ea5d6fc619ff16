"""A receiver of webhooks that can be told to fail, in a server of its own on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

SECRET = "a secret of sixteen or more"


@dataclass
class Receiver:
    """Answers `status`, after `delay_s`; `fail` gives other answers for events that have this text in them."""

    status: int = 200
    delay_s: float = 0.0
    fail: dict[str, int] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    arrivals: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers and body of every request, confirmed or not."""
    confirmed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By event id: a receiver that inserts or updates."""
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                self.arrivals.append((headers, body))
                await asyncio.sleep(self.delay_s)
                status = next((code for text, code in self.fail.items() if text.encode() in body), self.status)
                if 200 <= status < 300:
                    event = json.loads(body)
                    self.confirmed[event["event_id"]] = event
                more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n".encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    receiver = Receiver(**how)
    await receiver.open()
    try:
        yield receiver
    finally:
        await receiver.close()


def webhooks_to(*receivers: Receiver, **options: Any) -> dict[str, Any]:
    """The sections [webhooks.NAME]: r0, r1, ..."""
    quick = {"retry_min_s": 0.02, "retry_max_s": 0.05, "timeout_s": 20.0, "secret": SECRET} | options
    return {
        f"r{number}": {"url": f"http://127.0.0.1:{receiver.port}/in?a=b", **quick}
        for number, receiver in enumerate(receivers)
    }
