"""One connection with faults: both its directions pass messages on in order, each when it is due."""

import asyncio
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Protocol

from callflow.captures.recorder import CHUNK, Kind, MessageSplitter
from callflow.scenarios.faults import AT_ONCE, Fault

_LINGER_ZERO = struct.pack("ii", 1, 0)
_STAMP = re.compile(rb"^Timestamp: (\d+)\.(\d+)", re.MULTILINE)
_ACTION = re.compile(rb"^Action: (\w+)", re.MULTILINE)
_TICK_S = 0.05


class ActiveFaults(Protocol):
    """The faults that are on now, and what they share."""

    chance: Random
    jumped_ms: int
    struck: Counter[str]

    def now_s(self) -> float: ...
    def active(self, line: str, now_s: float) -> list[Fault]: ...


class Direction:
    """One direction of one connection: passes messages on in order, each when it is due."""

    def __init__(self, faults: ActiveFaults, kind: Kind, *, from_asterisk: bool) -> None:
        self._faults, self.from_asterisk = faults, from_asterisk
        self.name = "agi" if kind == "agi" else "ami"
        self._messages = MessageSplitter(kind, "<" if from_asterisk else ">")
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._loop_time = asyncio.get_running_loop().time  # the faults' own clock starts anew when calls begin
        self._last_due_at = 0.0
        self.on_message: Callable[[bytes], None] = lambda message: None
        self.on_passed: Callable[[bytes], None] = lambda message: None
        """The message has been passed on."""

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read until the end."""
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                for message in self._messages.feed(data, keep_empty=True):
                    self.on_message(message)
                    self._take(message)
        self.put(self._messages.rest)
        self.put(b"")

    def put(self, message: bytes, late_s: float = 0.0) -> None:
        """Queue a message behind the earlier ones; it passes on `late_s` from now at the earliest."""
        self._last_due_at = max(self._last_due_at, self._loop_time() + late_s)
        self._queue.put_nowait((self._last_due_at, message))

    def _take(self, message: bytes) -> None:
        event = _event_name(message) if self.from_asterisk else ""
        late_s, copies = 0.0, 1
        for fault in self._faults.active(self.name, self._faults.now_s()):
            if fault.what in AT_ONCE or not fault.strikes(event, self._faults.chance):
                continue
            match fault.what:
                case "delay":
                    late_s += fault.ms / 1000
                case "reorder":
                    late_s += self._faults.chance.random() * fault.ms / 1000
                case "drop" if event:
                    copies = 0
                case "duplicate" if event:
                    copies *= 2
                case _:
                    continue
            self._faults.struck[fault.what] += 1
        if event and self._faults.jumped_ms:
            message = _STAMP.sub(self._jumped, message)
        for _ in range(copies):
            self.put(message, late_s)

    def _jumped(self, found: re.Match[bytes]) -> bytes:
        stamp = int(found[1]) * 1_000_000 + int(found[2]) + self._faults.jumped_ms * 1000
        return b"Timestamp: %d.%06d" % divmod(stamp, 1_000_000)

    async def write(self, writer: asyncio.StreamWriter) -> None:
        """Pass messages on when they are due, until the end."""
        with suppress(OSError):
            while True:
                due_at, message = await self._queue.get()
                if not message:
                    return
                if (wait_s := due_at - self._loop_time()) > 0:
                    await asyncio.sleep(wait_s)
                while self._is("stall"):  # noqa: ASYNC110 - the end of a fault raises no event
                    await asyncio.sleep(_TICK_S)
                await self._send(writer, message)
                self.on_passed(message)

    def _is(self, what: str) -> bool:
        return any(fault.what == what for fault in self._faults.active(self.name, self._faults.now_s()))

    async def _send(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        if self._is("split"):
            self._faults.struck["split"] += 1
            for number in range(len(message)):
                writer.write(message[number : number + 1])
                await asyncio.sleep(0)
        else:
            writer.write(message)
        await writer.drain()


class FaultyConnection:
    """One connection of a proxy, both its directions."""

    def __init__(self, faults: ActiveFaults, kind: Kind, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.kind, self.near, self.far = kind, near, far
        self.down = Direction(faults, kind, from_asterisk=True)
        self.up = Direction(faults, kind, from_asterisk=False)
        self.up.on_message = self._who
        self.up.on_passed = self._lose_answer
        self._over = asyncio.Event()
        self._faults = faults

    @property
    def name(self) -> str:
        return self.down.name

    async def run(self, near: asyncio.StreamReader, far: asyncio.StreamReader) -> None:
        """Until both directions have ended; the end of one is passed on, and ends the other."""
        asterisk, daemon = (far, near) if self.kind == "ami" else (near, far)
        to_asterisk, to_daemon = (self.far, self.near) if self.kind == "ami" else (self.near, self.far)
        reading = [asyncio.create_task(self.down.read(asterisk)), asyncio.create_task(self.up.read(daemon))]
        writing = [asyncio.create_task(self.down.write(to_daemon)), asyncio.create_task(self.up.write(to_asterisk))]
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([*writing, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*reading, *writing, over):
                task.cancel()
            self.end(reset=False)

    def end(self, *, reset: bool) -> None:
        """Close both ends."""
        self._over.set()
        for writer in (self.near, self.far):
            sock = writer.get_extra_info("socket")
            if reset and sock is not None and not writer.is_closing():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
                writer.transport.abort()
            writer.close()

    def _lose_answer(self, message: bytes) -> None:
        """Asterisk has received an action; its response is lost."""
        action = _action_name(message) if self.kind == "ami" else ""
        if action in ("", "Login", "Logoff"):
            return
        for fault in self._faults.active(self.name, self._faults.now_s()):
            if fault.what == "lose_answer" and fault.strikes(action, self._faults.chance):
                self._faults.struck[fault.what] += 1
                self.end(reset=fault.reset)
                return

    def _who(self, message: bytes) -> None:
        """The login shows whether this connection carries the events or the actions."""
        if self.kind == "ami" and message.startswith(b"Action: Login"):
            self.down.name = self.up.name = name = "actions" if b"\r\nEvents: off" in message else "events"
            if any(fault.refuses for fault in self._faults.active(name, self._faults.now_s())):
                self.end(reset=True)


def _action_name(message: bytes) -> str:
    found = _ACTION.search(message)
    return found[1].decode("ascii", "replace") if found else ""


def _event_name(message: bytes) -> str:
    if not message.startswith(b"Event: "):
        return ""
    return message[7 : message.find(b"\r\n")].decode("ascii", "replace")
