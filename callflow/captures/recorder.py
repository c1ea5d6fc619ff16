"""Recording a real Asterisk: by a session that only listens, and by relays between the daemon and Asterisk.

The daemon decides from more than AMI events: FastAGI tells it who called and when a prompt ended, and Asterisk
answers its actions. A capture that replays to the same decisions therefore holds the daemon's own connections, read
between the two ends. Nothing in it depends on what the daemon believed or stored.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Literal, Self

from callflow.adapters.ami.framing import END, parse
from callflow.adapters.ami.options import LOGIN_TIMEOUT_S, AmiOptions
from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import Block, CaptureWriter, What
from callflow.errors import LoginRefused, NotConnected

Kind = Literal["ami", "agi"]
CHUNK = 65_536
_QUIET_S = 10.0


class Recorder:
    """Writes messages to a capture in order of arrival, and counts them."""

    def __init__(self, writer: CaptureWriter, anonymizer: Anonymizer, clock: Callable[[], float] = time.time) -> None:
        self._writer, self._anonymizer, self._clock = writer, anonymizer, clock
        self.counts: Counter[str] = Counter()
        """Blocks by the name of the event, or by wire and direction."""

    def take(self, wire: str, what: What, raw: bytes = b"") -> None:
        """Write one message, or the beginning or end of a connection; it arrived now."""
        text = raw.decode("utf-8", "surrogateescape").strip("\r\n")
        lines = tuple(line.rstrip("\r") for line in text.split("\n") if line.rstrip("\r"))
        block = Block(max(0.0, self._clock() - self._writer.began_s), wire, what, lines)
        self.counts[block.name if block.is_event else f"{wire.partition('-')[0]} {what}"] += 1
        self._writer.write(self._anonymizer.block(block))


class MessageSplitter:
    """Splits one direction of a connection into messages, however its bytes arrive."""

    def __init__(self, kind: Kind, what: What) -> None:
        self._kind, self._from_asterisk = kind, what == "<"
        self._header = kind == "agi" and self._from_asterisk
        self._banner = kind == "ami" and self._from_asterisk
        self._tail = b""

    def feed(self, data: bytes, *, keep_empty: bool = False) -> list[bytes]:
        """The messages that these bytes complete; empty ones only with `keep_empty`."""
        self._tail += data
        found = []
        while (end := self._tail.find(mark := self._mark)) >= 0:
            found.append(self._tail[: end + len(mark)])
            self._tail = self._tail[end + len(mark) :]
            self._header = self._banner = False
        return [message for message in found if keep_empty or message.strip(b"\r\n")]

    @property
    def rest(self) -> bytes:
        """A message that was never finished."""
        return self._tail

    @property
    def _mark(self) -> bytes:
        if self._kind == "ami":
            return b"\r\n" if self._banner else END
        return b"\n\n" if self._header else b"\n"


class Relay:
    """Relays every byte between `port` and `target`, and gives the messages to a recorder."""

    def __init__(
        self, recorder: Recorder, kind: Kind, port: int, target: tuple[str, int], host: str = "127.0.0.1"
    ) -> None:
        self._recorder, self._kind, self._target = recorder, kind, target
        self._host, self.port = host, port
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen; raises OSError."""
        self._server = await asyncio.start_server(self._connected, self._host, self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        """End every connection of this relay."""
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        wire = f"{self._kind}-{next(self._numbers)}"
        self._recorder.take(wire, "opened")
        far: asyncio.StreamWriter | None = None
        ended_by: What = "closed by asterisk"
        try:
            behind, far = await asyncio.open_connection(*self._target)
            ended_by = await self._both(wire, (reader, writer), (behind, far))
        except OSError:
            ended_by = "closed by asterisk" if self._kind == "ami" else "closed by daemon"
        except asyncio.CancelledError:
            pass  # cut by us: recorded as closed by Asterisk
        finally:
            self._recorder.take(wire, ended_by)
            writer.close()
            if far is not None:
                far.close()

    async def _both(self, wire: str, near: "Ends", far: "Ends") -> What:
        """Relay both ways until one end closes; returns which."""
        asterisk, daemon = (far, near) if self._kind == "ami" else (near, far)
        down = asyncio.create_task(self._pass_on(wire, "<", asterisk[0], daemon[1]))
        up = asyncio.create_task(self._pass_on(wire, ">", daemon[0], asterisk[1]))
        try:
            done, _ = await asyncio.wait({down, up}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (down, up):
                task.cancel()
        return "closed by asterisk" if down in done else "closed by daemon"

    async def _pass_on(self, wire: str, what: What, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages = MessageSplitter(self._kind, what)
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                for message in messages.feed(data):
                    self._recorder.take(wire, what, message)
                await writer.drain()
        if messages.rest:
            self._recorder.take(wire, what, messages.rest)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Listener:
    """A session of our own that only listens: every event of the AMI user, as bytes."""

    def __init__(self, options: AmiOptions) -> None:
        self._options = options
        self._ends: Ends | None = None
        self._messages = MessageSplitter("ami", "<")

    async def __aenter__(self) -> Self:
        """Connect and log in; raises LinkError."""
        options = self._options
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_S):
                self._ends = await asyncio.open_connection(options.host, options.port, ssl=options.tls_context())
                answer = await self.ask(
                    "Login", f"Username: {options.username}", f"Secret: {options.secret.get_secret_value()}"
                )
        except (OSError, TimeoutError) as error:
            raise NotConnected(str(error) or "no answer to the login") from None
        if answer.get("Response") != "Success":
            raise LoginRefused(options.username, answer.get("Message", "refused"), fatal=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ends:
            self._ends[1].close()

    async def ask(self, name: str, *headers: str) -> dict[str, str]:
        """Send one action and skip to its answer; raises NotConnected."""
        self._send(name, *headers)
        async for message in self.messages():
            answer = parse(message)
            if "Response" in answer and answer.get("ActionID") == f"record-{name}":
                return answer
        raise NotConnected("Asterisk closed the connection")

    async def messages(self) -> AsyncIterator[bytes]:
        """Each message as it comes, until Asterisk closes the connection; a quiet Asterisk gets a Ping."""
        assert self._ends is not None
        reader, _ = self._ends
        while True:
            try:
                async with asyncio.timeout(_QUIET_S):
                    data = await reader.read(CHUNK)
            except TimeoutError:
                self._send("Ping")
                continue
            if not data:
                return
            for message in self._messages.feed(data):
                yield message

    def _send(self, name: str, *headers: str) -> None:
        assert self._ends is not None
        text = "\r\n".join((f"Action: {name}", f"ActionID: record-{name}", *headers))
        self._ends[1].write(text.encode() + END)
