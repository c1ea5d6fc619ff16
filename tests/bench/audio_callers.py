"""Callers for bench_taps: connects for each `UUID HOST:PORT` line on standard input, and talks.

Says `ready` when it is; they talk from the line `talk` on.
"""

import asyncio
import sys
from functools import partial
from typing import cast
from uuid import UUID

import uvloop

from tests.hearing.callers import silence, voice

FRAME_BYTES = 320
FRAME_S = 0.02
GROUPS = 10


class Caller(asyncio.Protocol):
    """One connection; what comes back is silence, and is dropped."""

    def __init__(self, uuid: UUID) -> None:
        self.uuid = uuid
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(b"\x01\x00\x10" + self.uuid.bytes)


async def talk(sound: bytes) -> None:
    """20 ms of every caller every 20 ms, each at a place of its own in the sound; a tenth of them every 2 ms."""
    loop, callers = asyncio.get_running_loop(), []
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    begun = asyncio.Event()

    async def admit() -> None:
        async for line in reader:
            if line == b"talk\n":
                begun.set()
                continue
            uuid, address = line.decode().split()
            host, _, port = address.rpartition(":")
            _, caller = await loop.create_connection(partial(Caller, UUID(uuid)), host, int(port))
            callers.append(caller)

    print("ready", flush=True)
    admitting = asyncio.create_task(admit())
    await begun.wait()
    due, number = loop.time(), 0
    starts = range(0, len(sound) - FRAME_BYTES, FRAME_BYTES)
    frames = [b"\x10\x01\x40" + sound[at : at + FRAME_BYTES] for at in starts]
    while not admitting.done():
        for place in range(number % GROUPS, len(callers), GROUPS):
            transport = callers[place].transport
            if not transport.is_closing():
                transport.write(frames[(number // GROUPS + 7 * place) % len(frames)])
        number, due = number + 1, due + FRAME_S / GROUPS
        await asyncio.sleep(max(0.0, due - loop.time()))


def main() -> None:
    """Talk until ended."""
    sound = voice(-26, 6.0) if sys.argv[1] == "voice" else silence(6.0)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(talk(sound.astype("<i2").tobytes()))


if __name__ == "__main__":
    main()
