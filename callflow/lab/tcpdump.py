"""Recording a lab's packets with tcpdump."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Self

from callflow.lab.host import Host
from callflow.processes.errors import LabStartFailed
from callflow.processes.ports import PortBlock
from callflow.processes.process import Process

_START_S = 10.0


class PacketCapture:
    """Everything UDP on these blocks of ports while the context lasts, in a pcap file; and what goes over TCP ports."""

    def __init__(self, host: Host, path: Path, *blocks: PortBlock, tcp_ports: Sequence[int] = ()) -> None:
        self.path = path
        # 50 calls are 5,000 packets a second, and a busy machine may read late: many slots, each of them small.
        sizes = ["-s", "2048", "-B", "65536"]
        options = ["-i", "lo", "-n", "--immediate-mode", "-U", *sizes, "-Z", "root", "-w", str(path)]
        ranges = " or ".join(f"portrange {block.base}-{block.last}" for block in blocks)
        wanted = " or ".join([f"(udp and ({ranges}))", *(f"tcp port {port}" for port in tcp_ports)])
        self._command = host.command("tcpdump", *options, wanted)
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._process = await Process.start(self._command, self.path.parent, self.path.stem, ahead=True)
        try:
            async with asyncio.timeout(_START_S):
                while not _listening(self._process.output):  # noqa: ASYNC110 - a file has no events to wait for
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self._process.kill()
            said = self._process.output.read_text(errors="replace")
            raise LabStartFailed(f"tcpdump did not start: {said}", remedy="it needs root, or CAP_NET_RAW") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            await asyncio.sleep(0.1)
            await self._process.stop(Signals.SIGINT)


def _listening(output: Path) -> bool:
    return b"listening on" in output.read_bytes()
