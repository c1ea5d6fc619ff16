"""TCP proxies between Asterisk and the daemon that carry out a list of faults."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Self

from callflow.captures.recorder import Kind
from callflow.scenarios.faults import AT_ONCE, Fault
from callflow.simulator.faulty_connection import FaultyConnection

LOOPBACK = "127.0.0.1"
_GARBAGE = (b"\xff\xfe\x00 : garbage\r\n\r\n", b"Event\r\nGarbage\r\n\r\n", b"Event: \r\n\r\n", b"\r\n\r\n\r\n")
_AGI_GARBAGE = (b"\xff\xfe\x00\n", b"999\n", b"garbage result=1\n")


class FaultProxy:
    """The proxies of one Asterisk; `on_restart` and `on_jump` do what a proxy cannot."""

    def __init__(
        self,
        faults: Iterable[Fault],
        seed: int = 1,
        *,
        on_restart: Callable[[float], Awaitable[None]] | None = None,
        on_jump: Callable[[int], None] | None = None,
    ) -> None:
        self._faults = tuple(faults)
        self.on_restart, self.on_jump = on_restart, on_jump
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._begun = False
        self._servers: list[asyncio.Server] = []
        self._targets: dict[Kind, int] = {}
        self._connections: set[FaultyConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.chance = Random(seed)
        self.jumped_ms = 0
        self.struck: Counter[str] = Counter()
        """How often each fault struck."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self, kind: Kind, port: int, target: int) -> int:
        """Relay from loopback `port` (0: any) to `target`; returns the port in use. Raises OSError."""
        self._targets[kind] = target

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._spawn(self._connected(kind, reader, writer))

        server = await asyncio.start_server(connected, LOOPBACK, port)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def begin(self) -> None:
        """The faults' clock starts now."""
        self._began, self._begun = self._loop.time(), True
        for fault in self._faults:
            if fault.what in AT_ONCE:
                self._spawn(self._strike_again(fault))

    def now_s(self) -> float:
        """Seconds since `begin`."""
        return self._loop.time() - self._began

    def active(self, line: str, now_s: float) -> list[Fault]:
        """The faults that this connection has now."""
        return [fault for fault in self._faults if self._begun and fault.concerns(line) and fault.active(now_s)]

    # -- connections ----------------------------------------------------------------------------------------------

    async def _connected(self, kind: Kind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if any(fault.refuses for fault in self.active(kind, self.now_s())):
                raise ConnectionRefusedError
            behind, far = await asyncio.open_connection(LOOPBACK, self._targets[kind])
        except OSError:
            writer.transport.abort()
            return
        connection = FaultyConnection(self, kind, writer, far)
        self._connections.add(connection)
        try:
            await connection.run(reader, behind)
        finally:
            self._connections.discard(connection)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- faults of one moment -------------------------------------------------------------------------------

    async def _strike_again(self, fault: Fault) -> None:
        at_s = fault.next_at(-1.0)
        while at_s is not None:
            await asyncio.sleep(max(0.0, at_s - self.now_s()))
            self.struck[fault.what] += 1
            await self._strike(fault)
            at_s = fault.next_at(at_s)

    async def _strike(self, fault: Fault) -> None:
        match fault.what:
            case "cut":
                self.cut(fault)
            case "garbage":
                await self._spoil(fault)
            case "clock_jump" if self.on_jump is not None:
                self.on_jump(fault.ms)
            case "clock_jump":
                self.jumped_ms += fault.ms
            case "restart" if self.on_restart is not None:
                await self.on_restart(fault.for_s or 1.0)
            case "restart":
                self.cut(fault)

    def cut(self, fault: Fault) -> None:
        """End every connection that the fault concerns."""
        for connection in list(self._connections):
            if fault.what == "restart" or fault.concerns(connection.name):
                connection.end(reset=fault.reset)

    async def _spoil(self, fault: Fault) -> None:
        """Garbage from Asterisk on each connection, between two messages; on FastAGI, from strangers too."""
        for connection in list(self._connections):
            if fault.concerns(connection.name):
                texts = _AGI_GARBAGE if connection.kind == "agi" else _GARBAGE
                connection.down.put(self.chance.choice(texts))
        if fault.on == "agi":
            with suppress(OSError):
                _, stranger = await asyncio.open_connection(LOOPBACK, self._targets["agi"])
                stranger.write(self.chance.randbytes(2000))
                stranger.close()
