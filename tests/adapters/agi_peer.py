"""A FastAGI server of ours, and pretend Asterisk channels that call it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from pydantic import SecretStr

from callflow.adapters.agi.introduction import Voucher
from callflow.adapters.agi.options import Admission, AgiOptions
from callflow.adapters.agi.server import AgiServer
from callflow.adapters.agi.session import AgiSession
from tests.adapters.waiting import WAIT_S

VARIABLES = {
    "agi_network": "yes",
    "agi_network_script": "screen",
    "agi_request": "agi://127.0.0.1/screen",
    "agi_channel": "PJSIP/caller-00000001",
    "agi_language": "zh",
    "agi_type": "PJSIP",
    "agi_uniqueid": "1700000000.1",
    "agi_version": "22.10.1",
    "agi_callerid": "unknown",
    "agi_calleridname": "王小姐",
    "agi_callingpres": "0",
    "agi_callingani2": "0",
    "agi_callington": "0",
    "agi_callingtns": "0",
    "agi_dnid": "unknown",
    "agi_rdnis": "unknown",
    "agi_context": "callflow-screen",
    "agi_extension": "s",
    "agi_priority": "9",
    "agi_enhanced": "0.0",
    "agi_accountcode": "",
    "agi_threadid": "140584885925568",
    "agi_arg_1": "sales",
    "agi_arg_2": "1",
    "agi_arg_3": "",
}


def header(**changes: str) -> bytes:
    """What Asterisk sends first."""
    return "".join(f"{name}: {value}\n" for name, value in (VARIABLES | changes).items()).encode() + b"\n"


class Channel:
    """The Asterisk side of one FastAGI connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def command(self) -> str:
        """The next command, without its line break."""
        line = await asyncio.wait_for(self.reader.readline(), WAIT_S)
        return line.decode().removesuffix("\n")

    def say(self, text: str) -> None:
        self.writer.write(text.encode())

    async def answer_marker(self, proof: str = "") -> None:
        """Answer the question behind the header, as a channel whose variable CALLFLOW_PROOF is `proof`."""
        command = await self.command()
        assert command.startswith("GET FULL VARIABLE ${CALLFLOW_PROOF}/")
        self.say(f"200 result=1 ({proof}/{command.rpartition('/')[2]})\n")

    async def gone(self) -> bool:
        """Wait until the server has closed the connection, whatever it sends before."""
        with suppress(ConnectionError):
            await asyncio.wait_for(self.reader.read(), WAIT_S)
        return True

    def close(self) -> None:
        self.writer.close()


class Vouching:
    """A voucher for the channels in `known`; each one's proof is kept as Asterisk would keep it."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.reachable = True
        self.renewed = 0
        self.proofs: dict[str, str] = {}

    async def vouch(self, uniqueid: str, proof: str) -> bool | None:
        if not self.reachable:
            return None
        if uniqueid not in self.known:
            return False
        self.proofs[uniqueid] = proof
        return True

    def renew_token(self) -> None:
        self.renewed += 1


class Switchboard:
    """The server under test; calls that it accepted wait in `calls`, their ends in `ends`."""

    def __init__(self, voucher: Voucher | None = None, token: str = "", **admission: Any) -> None:
        self.calls: asyncio.Queue[AgiSession] = asyncio.Queue()
        self.ends: asyncio.Queue[str] = asyncio.Queue()
        options, log = AgiOptions(port=0, token=SecretStr(token)), structlog.get_logger()
        self.server = AgiServer(options, self._on_call, log, Admission(**admission), voucher)

    def _on_call(self, script: str, session: AgiSession) -> None:
        session.on_hangup = lambda: self.ends.put_nowait("hangup")
        session.on_closed = lambda: self.ends.put_nowait("closed")
        self.calls.put_nowait(session)

    async def connect(self, raw: bytes) -> Channel:
        """Open a connection and send `raw`."""
        channel = Channel(*await asyncio.open_connection("127.0.0.1", self.server.port))
        channel.writer.write(raw)
        return channel

    async def introduce(self, raw: bytes, proof: str = "") -> Channel:
        """Open a connection, send the header `raw` and answer what is asked behind it."""
        channel = await self.connect(raw)
        await channel.answer_marker(proof)
        return channel

    async def call(self, **changes: str) -> tuple[Channel, AgiSession]:
        """A call that is let in."""
        channel = await self.introduce(header(**changes))
        return channel, await asyncio.wait_for(self.calls.get(), WAIT_S)

    async def end(self) -> str:
        return await asyncio.wait_for(self.ends.get(), WAIT_S)

    async def refused(self, raw: bytes) -> str:
        """Send `raw` and wait to be refused; the reason."""
        before = self.server.refused.copy()
        assert await (await self.connect(raw)).gone()
        (reason,) = self.server.refused - before
        return reason


@asynccontextmanager
async def switchboard(voucher: Voucher | None = None, **options: Any) -> AsyncIterator[Switchboard]:
    """A server that listens; stopped at the end."""
    board = Switchboard(voucher, **options)
    await board.server.start()
    try:
        yield board
    finally:
        await board.server.stop()
