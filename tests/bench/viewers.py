"""Viewers of the page, as a process of its own: each holds a live stream and reads it as it comes.

`python -m tests.bench.viewers PORT TOKEN N` reads until standard input ends, then prints one line of JSON: frames and
bytes received, and how late each viewer saw the probes (`queue/probe`, whose `sent_ns` is the monotonic clock), in ms.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LIMIT = 1 << 24


@dataclass
class Received:
    """What all viewers of a process have received."""

    frames: int = 0
    bytes: int = 0
    late_ms: list[float] = field(default_factory=list)


async def watch(port: int, token: str, received: Received) -> None:
    """One viewer, until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(request.encode())
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


async def main(port: int, token: str, viewers: int) -> None:
    """Watch until standard input ends."""
    received = Received()
    tasks = [asyncio.create_task(watch(port, token, received)) for _ in range(viewers)]
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    lost = [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    print(json.dumps({"frames": received.frames, "bytes": received.bytes, "late_ms": received.late_ms, "lost": lost}))


@asynccontextmanager
async def watching(port: int, token: str, viewers: int) -> AsyncIterator[dict[str, object]]:
    """`viewers` in a process of their own while inside; afterwards what they report is in the dictionary."""
    command = [sys.executable, "-m", "tests.bench.viewers", str(port), token, str(viewers)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LIMIT
    )
    report: dict[str, object] = {}
    try:
        yield report
        told, _ = await process.communicate(b"")
        report.update(json.loads(told))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
