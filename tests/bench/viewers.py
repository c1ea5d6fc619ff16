"""Viewers of the page, as a process of its own: each holds a live stream and reads it as it comes.

`python -m tests.bench.viewers PORT TOKEN N [--stay S] [--idle]` reads until standard input ends, then prints one line
of JSON: frames and bytes received, and how late each viewer saw the probes (`queue/probe`, whose `sent_ns` is the
monotonic clock), in ms. With --stay each viewer leaves after about so long and comes again, as somebody who opens the
page anew: half of them say goodbye, half just vanish. With --idle the process runs only where a processor is free:
real viewers are on other machines and take no time from the daemon.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, cast

LIMIT = 1 << 24
PROBE = re.compile(rb'"sent_ns":(\d+)')
OPENED = ("/", "/main.js", "/api/v1/session", "/api/v1/calls?limit=50")
"""What a browser asks for before the live stream."""


@dataclass
class Received:
    """What all viewers of a process have received."""

    frames: int = 0
    bytes: int = 0
    visits: int = 0
    late_ms: list[float] = field(default_factory=list)


class Watching(asyncio.Protocol):
    """One live stream; it is read as it comes, at as little cost as possible."""

    def __init__(self, token: str, received: Received) -> None:
        self._request = request("/api/v1/events", token)
        self._received = received
        self._rest = b""
        self._seen = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)
        self._received.visits += 1

    def data_received(self, data: bytes) -> None:
        self._received.bytes += len(data)
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            self._received.frames += 1
            if probe := PROBE.search(event):
                self._note(probe[1])

    def _note(self, sent_ns: bytes) -> None:
        """The first one may have waited for this viewer to come; further ones were sent to it."""
        if self._seen and sent_ns != self._seen:
            self._received.late_ms.append((time.monotonic_ns() - int(sent_ns)) / 1e6)
        self._seen = sent_ns

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(exc)


async def watch(port: int, token: str, received: Received) -> None:
    """One viewer, until cancelled or until the server ends the stream."""
    loop = asyncio.get_running_loop()
    transport, stream = await loop.create_connection(lambda: Watching(token, received), "127.0.0.1", port)
    try:
        await stream.ended
    finally:
        transport.abort() if random.random() < 0.5 else transport.close()


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


async def main(port: int, token: str, viewers: int, stay_s: float, *, idle: bool) -> None:
    """Watch until standard input ends."""
    received = Received()
    visits = (
        come_and_go(port, token, received, stay_s) if stay_s else watch(port, token, received) for _ in range(viewers)
    )
    tasks = [asyncio.create_task(visit) for visit in visits]
    while received.frames < viewers and not any(task.done() for task in tasks):  # noqa: ASYNC110 - frames tell nobody
        await asyncio.sleep(0.01)
    if idle:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    print("watching", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    lost = [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    print(json.dumps({**asdict(received), "lost": lost}))


@asynccontextmanager
async def watching(
    port: int, token: str, viewers: int, stay_s: float = 0.0, *, idle: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """`viewers` watch in a process of their own while inside; afterwards what they report is in the dictionary."""
    command = [sys.executable, "-m", "tests.bench.viewers", str(port), token, str(viewers), f"--stay={stay_s}"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *(["--idle"] if idle else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LIMIT,
    )
    report: dict[str, Any] = {}
    assert process.stdout is not None
    try:
        await process.stdout.readline()  # all have begun
        yield report
        told, _ = await process.communicate(b"")
        report.update(json.loads(told))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("token")
    parser.add_argument("viewers", type=int)
    parser.add_argument("--stay", type=float, default=0.0)
    parser.add_argument("--idle", action="store_true")
    asked = parser.parse_args()
    asyncio.run(main(asked.port, asked.token, asked.viewers, asked.stay, idle=asked.idle))
