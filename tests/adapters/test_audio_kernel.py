"""Even steps by the kernel's timer or the loop's, and sockets that are read on demand."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callflow.adapters.audio import ticker as ticker_module
from callflow.adapters.audio.kernel import READ_BYTES, KernelTimer, OnDemandReader
from callflow.adapters.audio.ticker import PunctualTicker, Ticker
from tests.adapters.waiting import until

STEP_S = 0.004
STEP_NS = round(STEP_S * 1e9)


class Ticks:
    """Counts them; `many` returns when there have been so many more."""

    def __init__(self, kind: type[Ticker] | type[PunctualTicker]) -> None:
        self.ticker = kind(STEP_S, self._tick)
        self.count = 0
        self._more = asyncio.Event()

    def _tick(self) -> None:
        self.count += 1
        self._more.set()

    async def many(self, number: int) -> None:
        wanted = self.count + number
        async with asyncio.timeout(10):
            while self.count < wanted:
                self._more.clear()
                await self._more.wait()


@pytest.fixture(params=["the loop's timer", "the kernel's timer", "too many open files", "no such timers"])
async def ticks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ticks]:
    refusals = {"too many open files": OSError(24, "timerfd_create"), "no such timers": AttributeError()}
    if request.param in refusals:

        def refused(*_: int) -> KernelTimer:
            raise refusals[request.param]

        monkeypatch.setattr(ticker_module, "KernelTimer", refused)
    counted = Ticks(Ticker if request.param == "the loop's timer" else PunctualTicker)
    yield counted
    counted.ticker.stop()


async def test_it_ticks_at_its_steps_and_never_before(ticks: Ticks) -> None:
    begun = time.monotonic()
    ticks.ticker.start()
    ticks.ticker.start()
    await ticks.many(20)
    assert time.monotonic() - begun >= 19 * STEP_S, "a second start does nothing"


async def test_it_stops_and_can_start_again(ticks: Ticks) -> None:
    ticks.ticker.stop()
    for _ in range(2):
        ticks.ticker.start()
        await ticks.many(2)
        ticks.ticker.stop()
        before = ticks.count
        await asyncio.sleep(5 * STEP_S)
        assert ticks.count == before


async def test_missed_steps_are_skipped(ticks: Ticks) -> None:
    ticks.ticker.start()
    await ticks.many(1)
    before, due = ticks.count, ticks.ticker.due
    time.sleep(20 * STEP_S)  # noqa: ASYNC251  # the loop is held up
    begun = time.monotonic()
    await ticks.many(3)
    assert ticks.count - before == 3
    assert time.monotonic() - begun >= STEP_S, "three ticks at once would make up for missed ones"
    assert ticks.ticker.due - due >= 20 * STEP_S


def test_a_kernel_timer_counts_its_steps_and_is_given_back() -> None:
    timer = KernelTimer(time.monotonic_ns() - 10 * STEP_NS, STEP_NS)
    assert timer.steps() >= 10, "the steps before now are over"
    later = KernelTimer(time.monotonic_ns(), 1_000_000_000)
    assert later.steps() == 0
    later.close()
    timer.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(timer.fd)


def test_a_refused_timer_leaves_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="timerfd_settime"):
        KernelTimer(0, -1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


class Silent(asyncio.Protocol):
    """Notes what the event loop delivers."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


@pytest.fixture
async def line() -> AsyncIterator[tuple[socket.socket, asyncio.Transport, Silent]]:
    """The peer's socket, and the transport of our end."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    transport, protocol = await loop.create_connection(Silent, sock=ours)
    yield peer, transport, protocol
    transport.abort()
    peer.close()


async def test_what_comes_waits_until_it_is_read(line: tuple[socket.socket, asyncio.Transport, Silent]) -> None:
    peer, transport, protocol = line
    reader = OnDemandReader(transport)
    came: list[bytes] = []

    def all_read() -> bool:
        came.append(reader.read() or b"")
        return sum(map(len, came)) == READ_BYTES + 1

    assert reader.read() is None
    peer.sendall(bytes(READ_BYTES + 1))
    await until(all_read)
    assert max(map(len, came)) <= READ_BYTES
    transport.write(b"back")
    await until(lambda: peer.recv(4, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b"back")
    assert protocol.received == b"", "the event loop reads nothing"


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_the_end_of_a_peer_is_read_as_nothing(
    line: tuple[socket.socket, asyncio.Transport, Silent], how: str
) -> None:
    peer, transport, _ = line
    reader = OnDemandReader(transport)
    if how == "resets":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    await until(lambda: reader.read() == b"")


async def test_a_closed_transport_is_not_read_though_its_number_is_another_file_now(
    line: tuple[socket.socket, asyncio.Transport, Silent], tmp_path: Path
) -> None:
    _, transport, _ = line
    number = transport.get_extra_info("socket").fileno()
    reader = OnDemandReader(transport)
    transport.abort()
    file = tmp_path / "somebody-else"
    file.write_bytes(b"not the caller's audio")
    with file.open("rb") as other:
        await until(lambda: not Path(f"/proc/self/fd/{number}").exists())
        os.dup2(other.fileno(), number)
        try:
            assert reader.read() == b""
        finally:
            os.close(number)
