"""Every connection that waits is accepted in the next passes of the event loop, whichever loop it is."""

import asyncio
import errno
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import structlog
import uvloop

from callflow.accepting import Acceptor
from callflow.adapters.agi.options import AgiOptions
from callflow.adapters.agi.server import AgiServer
from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.server import AudioServer
from tests.adapters.waiting import until

CALLERS = 60
BUSY_S = 0.005
"""What one pass of a busy loop takes."""
FEW_PASSES = 10
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Counting(asyncio.Protocol):
    """Notes that it was connected, and what it read."""

    def __init__(self, made: list["Counting"]) -> None:
        self._made = made
        self.read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._made.append(self)

    def data_received(self, data: bytes) -> None:
        self.read += data


@asynccontextmanager
async def accepting(host: str = "127.0.0.1") -> AsyncIterator[tuple[Acceptor, list[Counting]]]:
    made: list[Counting] = []
    acceptor = Acceptor(host, 0, lambda: Counting(made))
    await acceptor.bind()
    acceptor.listen()
    try:
        yield acceptor, made
    finally:
        acceptor.close()
        for one in made:
            one.transport.close()


@contextmanager
def callers(port: int, count: int = CALLERS) -> Iterator[list[socket.socket]]:
    """Connections that the kernel has made and nobody has accepted."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5.0)) for _ in range(count)]


@contextmanager
def no_file_left() -> Iterator[None]:
    """Every number below the limit is in use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest, fillers = max(int(file.name) for file in Path("/dev/fd").iterdir()), list[int]()
    while not fillers or fillers[-1] < highest:
        fillers.append(os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(highest, *fillers) + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for filler in fillers:
            os.close(filler)


async def passes_until(done: Callable[[], bool]) -> int:
    """How many passes of a busy loop it takes; at most 1,000."""
    for number in range(1000):
        if done():
            return number
        time.sleep(BUSY_S)  # noqa: ASYNC251 - the loop is busy
        await asyncio.sleep(0)
    return 1000


async def taken(server: AgiServer | AudioServer, port: Callable[[], int]) -> int:
    """Passes until all who wait are known to the server."""
    await server.start()
    try:
        with callers(port()):
            return await passes_until(lambda: len(server._strangers) == CALLERS)
    finally:
        await server.stop()


@pytest.mark.parametrize("loop", LOOPS)
def test_calls_that_wait_are_taken_in_a_few_passes(loop: str) -> None:
    async def calls() -> int:
        server = AgiServer(AgiOptions(port=0), lambda script, session: None, structlog.get_logger())
        return await taken(server, lambda: server.port)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(calls()) < FEW_PASSES


@pytest.mark.parametrize("loop", LOOPS)
def test_taps_that_wait_are_taken_in_a_few_passes(loop: str) -> None:
    async def taps() -> int:
        server = AudioServer(TapOptions(port=0), structlog.get_logger(), Patience())
        return await taken(server, lambda: int(server.address.rpartition(":")[2]))

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        assert runner.run(taps()) < FEW_PASSES


@pytest.mark.parametrize("loop", LOOPS)
def test_a_caller_goes_on_when_no_file_is_left(loop: str) -> None:
    """The connection is closed at once, and the next is served as soon as there is room."""

    async def turned_away() -> None:
        async with accepting() as (acceptor, made):
            assert acceptor.address is not None
            ahead = [socket.socket() for _ in range(3)]
            with no_file_left():
                for one in ahead[:2]:
                    one.settimeout(5.0)
                    one.connect(acceptor.address)
                    assert await asyncio.to_thread(one.recv, 1) == b""
            assert made == []
            ahead[2].connect(acceptor.address)
            await until(lambda: len(made) == 1)
            for one in ahead:
                one.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(turned_away())


async def test_what_a_peer_sends_arrives() -> None:
    async with accepting() as (acceptor, made):
        assert acceptor.address is not None
        with callers(acceptor.address[1], 1) as (caller,):
            caller.sendall(b"agi_network: yes\n")
            await until(lambda: bool(made) and made[0].read == b"agi_network: yes\n")


async def test_an_address_of_version_6_is_taken() -> None:
    try:
        async with accepting("::1") as (acceptor, _):
            assert acceptor.address is not None
            assert acceptor.address[0] == "::1"
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        pytest.skip("this machine has no IPv6")


async def test_a_closed_acceptor_refuses_and_its_connections_go_on() -> None:
    async with accepting() as (acceptor, made):
        assert acceptor.address is not None
        with callers(acceptor.address[1], 1) as (caller,):
            await until(lambda: bool(made))
            port = acceptor.address[1]
            acceptor.close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=5.0)
            caller.sendall(b"still there")
            await until(lambda: made[0].read == b"still there")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "\0", "x" * 300])
async def test_a_host_that_is_none_is_an_error_of_the_system(host: str) -> None:
    with pytest.raises(OSError, match=r"."):
        await Acceptor(host, 0, asyncio.Protocol).bind()


def test_it_can_be_made_before_a_loop_runs() -> None:
    """As the daemon makes the server of taps."""
    acceptor = Acceptor("127.0.0.1", 0, asyncio.Protocol)

    async def binds() -> bool:
        await acceptor.bind()
        try:
            return acceptor.address is not None
        finally:
            acceptor.close()

    assert asyncio.run(binds())
