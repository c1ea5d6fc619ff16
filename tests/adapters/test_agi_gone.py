"""Asterisk closes a FastAGI connection just before something is sent on it, in uvloop's loop as in the daemon.

asyncio's own loop forgives a write to a closed connection; uvloop raises RuntimeError.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import uvloop

from callflow.adapters.audio.server import AudioServer, Connection
from callflow.errors import AgiClosedEarly
from callflow.web.stream import Body
from tests.adapters.agi_peer import Channel, Switchboard, Vouching, header, switchboard
from tests.adapters.waiting import until

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close with RST, as when Asterisk is killed."""


class Slow(Vouching):
    """Answers once the channel has gone."""

    channel: Channel

    async def vouch(self, uniqueid: str, proof: str) -> bool | None:
        sock = self.channel.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.channel.writer.transport.abort()
        await asyncio.sleep(0.05)
        return await super().vouch(uniqueid, proof)


def in_uvloop(play: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """Play it in a loop of its own; what nobody has caught."""
    uncaught: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: uncaught.append(context))
        await play()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(watched())
    return uncaught


def test_a_channel_that_goes_while_asterisk_is_asked_about_it_is_refused() -> None:
    async def play() -> None:
        voucher = Slow("1700000000.1")
        async with switchboard(voucher) as board:
            voucher.channel = await board.connect(b"")
            voucher.channel.writer.write(header())
            await until(lambda: board.server.refused["closed before its header was whole"] == 1)

    assert in_uvloop(play) == []


class Gone:
    """A writer or transport that has been closed, as uvloop's."""

    @property
    def transport(self) -> "Gone":
        return self

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        raise RuntimeError("unable to perform operation; the handler is closed")


async def test_a_command_to_a_channel_that_has_just_gone_fails_as_closed_early(board: Switchboard) -> None:
    channel, session = await board.call()
    session.writer = Gone()
    with pytest.raises(AgiClosedEarly):
        await session.stream_file("en/callflow/greeting")
    channel.close()
    assert await board.end() == "closed"


async def test_last_words_to_a_channel_that_has_just_gone_are_not_said(board: Switchboard) -> None:
    channel, session = await board.call()
    session.last_words, session.writer = "SET VARIABLE CALLFLOW_KNOWN 1", Gone()
    channel.say("HANGUP\n")
    assert await board.end() == "hangup"


def test_a_tap_whose_connection_has_gone_gets_no_silence() -> None:
    """One that raised would keep the silence from every other tap."""
    connection = Connection(cast("AudioServer", None))
    connection._transport = cast("asyncio.Transport", Gone())
    connection.keep_alive()


def test_a_viewer_who_has_gone_gets_no_frame() -> None:
    Body(cast("asyncio.Transport", Gone()), chunked=True).write(b"event: beat")
