"""The FastAGI server against strangers: whoever they are, calls go on."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest
import structlog

from callflow.adapters.agi.options import Admission, AgiOptions
from callflow.adapters.agi.server import AgiServer
from callflow.errors import SettingError
from tests.adapters.agi_peer import VARIABLES, Channel, Switchboard, header, switchboard
from tests.adapters.waiting import WAIT_S, until


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of a thousand connections are in this one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def still_fine(channel: Channel, session: Any) -> None:
    """A live call plays a prompt as if nothing had happened."""
    playing = asyncio.create_task(session.stream_file("en/callflow/greeting"))
    assert await channel.command() == 'STREAM FILE "en/callflow/greeting" ""'
    channel.say("200 result=0 endpos=800\n")
    assert await asyncio.wait_for(playing, WAIT_S) == 800


async def test_a_call_is_let_in(board: Switchboard) -> None:
    channel, session = await board.call()
    assert session.variables["agi_calleridname"] == "王小姐"
    await still_fine(channel, session)
    session.close()
    assert await channel.gone()


async def test_a_header_in_pieces_is_whole(board: Switchboard) -> None:
    raw = header()
    channel = await board.connect(raw[:1])
    for start in range(1, len(raw), 7):
        channel.writer.write(raw[start : start + 7])
        await channel.writer.drain()
        await asyncio.sleep(0)
    await channel.answer_marker()
    assert (await asyncio.wait_for(board.calls.get(), WAIT_S)).variables["agi_calleridname"] == "王小姐"


async def test_connect_and_close_a_thousand_times_with_a_live_call(board: Switchboard) -> None:
    channel, session = await board.call()
    for _ in range(1000):
        (await board.connect(b"")).close()
    await still_fine(channel, session)
    await until(lambda: board.server.refused["closed before its header was whole"] == 1000)


def test_stock_panoramisk_freezes_at_connect_and_close() -> None:
    """The fault this is about: the whole loop, for good; so in a process of its own."""
    script = dedent("""
        import asyncio
        from panoramisk.fast_agi import Application
        async def main():
            server = await asyncio.start_server(Application().handler, "127.0.0.1", 0)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            print("connected", flush=True)
            await asyncio.sleep(0.2)
            print("alive", flush=True)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE) as frozen:
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == b"connected\n"
            with pytest.raises(subprocess.TimeoutExpired):
                frozen.wait(1.5)
        finally:
            frozen.kill()
        assert frozen.stdout.read() == b"", "it is not alive"


async def test_half_a_header_is_timed_out() -> None:
    async with switchboard(header_timeout_s=0.05) as board:
        for raw in (b"", b"agi_network: yes\n", header()[:-1]):
            assert await board.refused(raw) == "no whole header in time"


async def test_half_a_header_and_closed(board: Switchboard) -> None:
    channel = await board.connect(b"agi_network: yes\n")
    channel.writer.write_eof()
    assert await channel.gone()
    assert board.server.refused == {"closed before its header was whole": 1}


async def test_ten_megabytes_of_header(board: Switchboard) -> None:
    channel, session = await board.call()
    for fill in (b"y" * 10_000_000, b"agi_x: y\n" * 1_000_000):
        assert await board.refused(b"agi_network: yes\nagi_x: " + fill) == "header too long"
    await still_fine(channel, session)


@pytest.mark.parametrize(
    "raw",
    [b"GET / HTTP/1.1\r\nHost: a\n\n", b"\n\n", b"\xff" * 100 + b"\n\n", bytes(range(256)) * 8 + b"\n\n", b": \n\n"],
)
async def test_garbage_is_refused(board: Switchboard, raw: bytes) -> None:
    assert await board.refused(raw) == "not FastAGI"


@pytest.mark.parametrize("path", ["", "screens", "other/screen", "screen/..", "SCREEN"])
async def test_another_path_is_refused(board: Switchboard, path: str) -> None:
    assert await board.refused(header(agi_network_script=path)) == "wrong path or token"


async def test_a_token_is_asked_for() -> None:
    async with switchboard(token="s3cret") as board:
        for path in ("screen", "s3cre/screen", "s3cret", "/s3crét/screen"):
            assert await board.refused(header(agi_network_script=path)) == "wrong path or token"
        await board.call(agi_network_script="s3cret/screen")


async def test_a_query_string_does_no_harm(board: Switchboard) -> None:
    """Stock panoramisk has no route for it."""
    await board.call(agi_network_script="screen?profile=x&y")


async def test_bytes_that_are_no_utf8_do_no_harm(board: Switchboard) -> None:
    """Stock panoramisk drops the request."""
    await board.introduce(header().replace("王".encode(), b"\xff\xc3"))
    session = await asyncio.wait_for(board.calls.get(), WAIT_S)
    assert session.variables["agi_calleridname"].endswith("小姐")


async def test_a_call_without_a_channel_is_refused(board: Switchboard) -> None:
    assert await board.refused(header(agi_uniqueid="")) == "no channel named"
    assert await board.refused(header(agi_channel="")) == "no channel named"


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_silent_connections_keep_no_caller_out(board: Switchboard) -> None:
    """Beyond the bound the oldest stranger goes, and a caller, who speaks at once, is none for long."""
    channel, session = await board.call()
    strangers = [await board.connect(b"") for _ in range(1000)]
    await still_fine(channel, session)
    newcomer, other = await board.call(agi_uniqueid="2.1")
    await still_fine(newcomer, other)
    assert len(board.server._strangers) <= Admission().max_strangers
    for stranger in strangers:
        stranger.close()


async def test_too_many_calls() -> None:
    async with switchboard(max_sessions=2) as board:
        calls = [await board.call(agi_uniqueid=f"1.{number}") for number in range(2)]
        assert await board.refused(header()) == "too many calls"
        calls[0][1].close()
        assert await calls[0][0].gone()
        await until(lambda: board.server.live == 1)
        await board.call()


async def test_a_faulty_callback_costs_one_call(board: Switchboard) -> None:
    wanted = board.server._on_call
    board.server._on_call = lambda script, session: 1 / 0  # type: ignore[assignment]
    assert await (await board.introduce(header())).gone()
    board.server._on_call = wanted
    await board.call()
    assert board.server.counts["callback_failures"] == 1


async def test_a_port_in_use_is_a_setting_error(board: Switchboard) -> None:
    second = AgiServer(AgiOptions(port=board.server.port), lambda script, session: None, structlog.get_logger())
    with pytest.raises(SettingError, match="in use") as caught:
        await second.start()
    assert caught.value.setting == "[agi] port"
    assert caught.value.remedy


async def test_an_address_of_another_machine_is_a_setting_error() -> None:
    server = AgiServer(AgiOptions(host="192.0.2.1"), lambda script, session: None, structlog.get_logger())
    with pytest.raises(SettingError) as caught:
        await server.start()
    assert caught.value.setting == "[agi] host"


async def test_stop_gives_every_channel_back() -> None:
    async with switchboard(header_timeout_s=60) as board:
        channel, _ = await board.call()
        stranger = await board.connect(b"")
        await until(lambda: board.server._strangers)
        await board.server.stop()
        assert await channel.gone()
        assert await stranger.gone()
        assert board.ends.empty()
        assert not board.server.live


def test_the_variables_of_a_test_call_are_those_of_asterisk() -> None:
    assert header().startswith(b"agi_network: yes\n")
    assert header().endswith(b"\n\n")
    assert VARIABLES["agi_network_script"] == "screen"
