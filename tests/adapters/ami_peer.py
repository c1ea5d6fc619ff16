"""A pretend AMI server on loopback, as friendly or as hostile as a test wants it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog

from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.options import LOGIN_TIMEOUT_S, AmiOptions
from callflow.errors import LoginRefused
from tests.adapters.waiting import WAIT_S

Headers = dict[str, str]
Reply = Callable[[Headers], bytes | None]


def message(**headers: str) -> bytes:
    """One AMI message."""
    return "".join(f"{key}: {value}\r\n" for key, value in headers.items()).encode() + b"\r\n"


def success(action: Headers, **headers: str) -> bytes:
    """The plain answer to an action."""
    return message(Response="Success", ActionID=action["ActionID"], **headers)


def friendly(action: Headers) -> bytes | None:
    """What an obliging Asterisk answers."""
    if action["Action"] == "Login":
        return success(action, Message="Authentication accepted")
    return success(action)


def refusing(action: Headers) -> bytes | None:
    """An Asterisk that knows another secret."""
    if action["Action"] == "Login":
        return message(Response="Error", ActionID=action["ActionID"], Message="Authentication failed")
    return friendly(action)


def mute(*names: str) -> Reply:
    """A peer that answers all but these."""
    return lambda action: None if action["Action"] in names else friendly(action)


class AmiPeer:
    """`reply` answers each action (None: not at all); everything received is kept in `actions`."""

    def __init__(self) -> None:
        self.reply: Reply = friendly
        self.actions: list[Headers] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._came = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def deafen(self) -> None:
        """Listen no longer, and drop whoever is there."""
        assert self._server is not None
        self._server.close()
        self.drop()

    def send(self, raw: bytes) -> None:
        self._writers[-1].write(raw)

    def drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def named(self, name: str) -> list[Headers]:
        return [action for action in self.actions if action.get("Action") == name]

    async def got(self, name: str, count: int = 1) -> Headers:
        """Wait until `count` actions of this name have come; the last of them."""
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(lambda: len(self.named(name)) >= count)
        return self.named(name)[-1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                action = dict(line.split(": ", 1) for line in raw.decode().split("\r\n") if ": " in line)
                async with self._came:
                    self.actions.append(action)
                    self._came.notify_all()
                if (answer := self.reply(action)) is not None:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Watched:
    """A link whose callbacks are written down."""

    def __init__(
        self,
        port: int,
        wanted: frozenset[bytes],
        events: Literal["on", "off"] = "on",
        login_timeout_s: float = LOGIN_TIMEOUT_S,
        **options: Any,
    ) -> None:
        self.events: asyncio.Queue[Headers] = asyncio.Queue()
        self.ups: asyncio.Queue[None] = asyncio.Queue()
        self.downs: asyncio.Queue[str] = asyncio.Queue()
        self.refusals: asyncio.Queue[LoginRefused] = asyncio.Queue()
        self.on_event: Callable[[Headers], None] = self.events.put_nowait
        settings = {"reconnect_min_s": 0.01, "reconnect_max_s": 0.02, "secret": "hush", **options}
        self.link = AmiLink(
            AmiOptions.model_validate({"port": port, **settings}),
            wanted=wanted,
            on_event=lambda event: self.on_event(event),
            on_up=lambda: self.ups.put_nowait(None),
            on_down=self.downs.put_nowait,
            on_refused=self.refusals.put_nowait,
            log=structlog.get_logger(),
            events=events,
            login_timeout_s=login_timeout_s,
        )

    async def up(self) -> None:
        await asyncio.wait_for(self.ups.get(), WAIT_S)

    async def down(self) -> str:
        return await asyncio.wait_for(self.downs.get(), WAIT_S)

    async def event(self) -> Headers:
        return await asyncio.wait_for(self.events.get(), WAIT_S)

    async def refused(self) -> LoginRefused:
        return await asyncio.wait_for(self.refusals.get(), WAIT_S)


@asynccontextmanager
async def connected(
    peer: AmiPeer, wanted: frozenset[bytes] = frozenset({b"Hangup"}), **options: Any
) -> AsyncIterator[Watched]:
    """A link to `peer` that is up; stopped at the end."""
    watched = Watched(peer.port, wanted, **options)
    await watched.link.start()
    try:
        await watched.up()
        yield watched
    finally:
        await watched.link.stop()
