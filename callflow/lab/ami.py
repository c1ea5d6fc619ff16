"""The lab's own view of Asterisk: a small AMI client, independent of the one under test."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Self

from callflow.processes.errors import LabStartFailed
from callflow.processes.ports import LOOPBACK

Message = dict[str, str]


class AmiClient:
    """A logged-in AMI session that keeps every event it saw."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.events: list[Message] = []
        self._reader, self._writer = reader, writer
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._numbers = itertools.count(1)
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, port: int, username: str, secret: str) -> Self:
        """Connect and log in. Raises OSError or LabStartFailed."""
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        client = cls(reader, writer)
        reply = await client.action("Login", Username=username, Secret=secret)
        if reply.get("Response") != "Success":
            await client.close()
            problem = f"AMI refused {username}: {reply.get('Message')}"
            raise LabStartFailed(problem, remedy="see manager.conf of the lab")
        return client

    async def action(self, action: str, variables: dict[str, str] | None = None, **headers: str) -> Message:
        """Send one action; its response. Raises TimeoutError after 5 s, ConnectionError if AMI is gone."""
        number = str(next(self._numbers))
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{k}: {v}" for k, v in headers.items())]
        lines += [f"Variable: {name}={value}" for name, value in (variables or {}).items()]
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            raise ConnectionResetError("AMI is gone")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return await asyncio.wait_for(reply, 5)

    async def wait_event(self, matches: Callable[[Message], bool], timeout_s: float) -> Message:
        """The first event, seen already or to come, that matches. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._news:
            seen = 0
            while True:
                for event in itertools.islice(self.events, seen, None):
                    if matches(event):
                        return event
                seen = len(self.events)
                await self._news.wait()

    def user_events(self, name: str) -> list[Message]:
        """The UserEvents of this name, in order."""
        return [event for event in self.events if event.get("UserEvent") == name]

    async def close(self) -> None:
        """Leave AMI."""
        self._reading.cancel()
        self._writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        message: Message = {}
        try:
            while line := await self._reader.readline():
                name, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
                if name:
                    message[name] = f"{message[name]}\n{value}" if name in message else value
                elif message:
                    await self._take(message)
                    message = {}
        except OSError:
            pass
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(ConnectionResetError("AMI is gone"))

    async def _take(self, message: Message) -> None:
        if "Event" in message:
            async with self._news:
                self.events.append(message)
                self._news.notify_all()
        elif (reply := self._replies.pop(message.get("ActionID", ""), None)) and not reply.done():
            reply.set_result(message)
