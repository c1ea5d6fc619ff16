"""The proxy between a daemon and Asterisk that the tests of faults use."""

import asyncio
import contextlib

from callflow.lab.proxy import Proxy
from callflow.processes.ports import LOOPBACK, take_ports


async def test_a_connection_that_has_ended_by_itself_can_be_cut_all_the_same() -> None:
    """The daemon has gone while Asterisk's data was held back: one half of the connection is closed already."""
    there, gone = asyncio.Event(), asyncio.Event()

    async def speaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager\r\n")
        there.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    with take_ports() as ports:
        server = await asyncio.start_server(speaks, LOOPBACK, ports.named())
        async with server, Proxy(ports.named(), server.sockets[0].getsockname()[1]) as proxy, asyncio.timeout(10):
            proxy.stall()
            _, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
            await there.wait()
            writer.close()
            await gone.wait()
            for _ in range(10):  # turns of the loop in which it closes its half
                proxy.cut(reset=True)
                await asyncio.sleep(0.001)
