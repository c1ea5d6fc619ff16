"""Viewers of the page, as a process of its own: each holds a live stream and reads it as it comes.

`python -m tests.bench.viewers PORT TOKEN N [STAY_S]` reads until standard input ends, then prints one line of JSON:
frames and bytes received, and how late each viewer saw the probes (`queue/probe`, whose `sent_ns` is the monotonic
clock), in ms. With STAY_S each viewer leaves after about so long and comes again, as somebody who opens the page anew:
half of them say goodbye, half just vanish.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

LIMIT = 1 << 24
OPENED = ("/", "/main.js", "/api/v1/session", "/api/v1/calls?limit=50")
"""What a browser asks for before the live stream."""


@dataclass
class Received:
    """What all viewers of a process have received."""

    frames: int = 0
    bytes: int = 0
    visits: int = 0
    late_ms: list[float] = field(default_factory=list)


async def watch(port: int, token: str, received: Received) -> None:
    """One viewer, until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    try:
        await _read(reader, writer, token, received)
    finally:
        writer.transport.abort() if random.random() < 0.5 else writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, received: Received) -> None:
    writer.write(request("/api/v1/events", token))
    received.visits += 1
    seen_ns = 0
    while line := await reader.readline():
        received.bytes += len(line)
        if not line.startswith(b"data: "):
            continue
        received.frames += 1
        at = line.find(b'"sent_ns":')
        if at >= 0:
            sent_ns = int(line[at + 10 : line.find(b"}", at)].split(b",")[0])
            if seen_ns and sent_ns != seen_ns:
                received.late_ms.append((time.monotonic_ns() - sent_ns) / 1e6)
            seen_ns = sent_ns


def request(path: str, token: str, connection: str = "keep-alive") -> bytes:
    """A GET of this path."""
    head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nConnection: {connection}\r\n\r\n"
    return head.encode()


async def come_and_go(port: int, token: str, received: Received, stay_s: float) -> None:
    """One viewer who opens the page, watches for about `stay_s`, and comes again, until cancelled."""
    while True:
        for path in OPENED:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(path, token, "close"))
            received.bytes += len(await reader.read())
            writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(stay_s * random.uniform(0.5, 1.5)):
                await watch(port, token, received)


async def main(port: int, token: str, viewers: int, stay_s: float) -> None:
    """Watch until standard input ends."""
    received = Received()
    visits = (
        come_and_go(port, token, received, stay_s) if stay_s else watch(port, token, received) for _ in range(viewers)
    )
    tasks = [asyncio.create_task(visit) for visit in visits]
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    lost = [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    print(json.dumps({**asdict(received), "lost": lost}))


@asynccontextmanager
async def watching(port: int, token: str, viewers: int, stay_s: float = 0.0) -> AsyncIterator[dict[str, Any]]:
    """`viewers` in a process of their own while inside; afterwards what they report is in the dictionary."""
    command = [sys.executable, "-m", "tests.bench.viewers", str(port), token, str(viewers), str(stay_s)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LIMIT
    )
    report: dict[str, Any] = {}
    try:
        yield report
        told, _ = await process.communicate(b"")
        report.update(json.loads(told))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]) if sys.argv[4:] else 0.0))
