"""`callflow check` looks at the tap where the daemon would have it."""

import socket
from typing import Any, cast

import structlog

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.audio.options import TapOptions
from callflow.checks.finding import Finding, Verdict
from callflow.checks.tap import check_tap
from callflow.errors import ActionRefused
from callflow.settings.model import Settings
from tests.adapters.audio_peer import Peer

LOOPBACK = "127.0.0.1"


class Asterisk:
    """Connects to the address it is told, and brings no audio."""

    has_audio_socket = True

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def sound_tone(self, channel_id: str) -> None:
        pass

    async def open_tap(self, uniqueid: str, uuid: str, address: str) -> None:
        try:
            (await Peer.connect(address)).close()
        except OSError:
            raise ActionRefused("Originate", "nobody listens there") from None
        self.reached.append(address)
        raise ActionRefused("Originate", "enough is seen")


async def looked_at(asterisk: Asterisk, **tap: Any) -> Finding:
    settings = Settings(tap=TapOptions(**tap))
    return (await check_tap(settings, cast("AmiActions", asterisk), structlog.get_logger()))[0]


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


async def test_asterisk_reaches_the_address_of_the_settings() -> None:
    asterisk, port = Asterisk(), free_port()
    await looked_at(asterisk, port=port, address=f"{LOOPBACK}:{port}")
    assert asterisk.reached == [f"{LOOPBACK}:{port}"]


async def test_an_address_that_the_running_daemon_has_is_a_hint() -> None:
    asterisk = Asterisk()
    with socket.create_server((LOOPBACK, 0)) as daemon:
        port = daemon.getsockname()[1]
        finding = await looked_at(asterisk, port=port, address=f"{LOOPBACK}:{port}")
    assert (finding.verdict, f"port {port} is in use" in finding.seen) == (Verdict.HINT, True)
    assert asterisk.reached == []


async def test_without_an_address_any_free_port_does() -> None:
    asterisk = Asterisk()
    with socket.create_server((LOOPBACK, 0)) as daemon:
        finding = await looked_at(asterisk, port=daemon.getsockname()[1])
    assert finding.verdict is Verdict.WARN
    assert "enough is seen" in finding.seen
    assert len(asterisk.reached) == 1
