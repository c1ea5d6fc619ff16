"""A thousand connections, and peers that ask slowly or never: the page is served, and handles are left for calls."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from itsdangerous import TimestampSigner

from callflow.adapters.http import connections
from callflow.web.options import WebOptions
from callflow.web.server import BESIDES_VIEWERS, WebServer, tokens_of
from callflow.web.stream import Body
from callflow.web.tokens import Role
from tests.adapters.waiting import until
from tests.web.conftest import Floor

VIEWERS = 5


@pytest.fixture
async def server(database: Path) -> AsyncIterator[tuple[WebServer, str, Floor]]:
    floor, options = Floor(), WebOptions(port=0, max_viewers=VIEWERS)
    _, secret = tokens_of(options, database).add("crowd", Role.VIEWER)
    made = WebServer(options, database, lambda: floor.now_ms, lambda: floor.state)
    made.start()
    await until(lambda: made.port)
    yield made, secret, floor
    await made.stop()


async def page(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def stream(port: int, secret: str, kept: list[asyncio.StreamWriter]) -> asyncio.StreamReader:
    """A live stream that has begun; `kept` holds its other half, which closes when nobody holds it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {secret}\r\n\r\n"
    writer.write(request.encode())
    async with asyncio.timeout(10):
        await reader.readuntil(b"event: snapshot")
    kept.append(writer)
    return reader


async def test_a_thousand_idle_connections_keep_nobody_out_and_end_no_stream(
    server: tuple[WebServer, str, Floor],
) -> None:
    made, secret, floor = server
    kept: list[asyncio.StreamWriter] = []
    watching = await stream(made.port, secret, kept)
    idle = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(1000)]
    assert (await page(made.port)).startswith(b"HTTP/1.1 200")
    closed = 0
    for reader, _ in idle:
        try:
            async with asyncio.timeout(0.01):
                closed += await reader.read(1) == b""
        except TimeoutError:
            pass
        except ConnectionError:
            closed += 1
    assert closed >= 1000 - VIEWERS - BESIDES_VIEWERS
    floor.put("queue/support", waiting=99)
    async with asyncio.timeout(10):
        await watching.readuntil(b'"waiting":99')
    for _, writer in idle:
        writer.close()


async def test_a_peer_that_never_finishes_its_request_is_dropped_and_a_stream_is_not(
    server: tuple[WebServer, str, Floor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "EXCHANGE_S", 0.2)
    made, secret, floor = server
    kept: list[asyncio.StreamWriter] = []
    watching = await stream(made.port, secret, kept)
    reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
    writer.write(b"GET / HTTP/1.1\r\nHost:")
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await reader.read(1) == b""
    floor.put("queue/support", waiting=98)
    async with asyncio.timeout(10):
        await watching.readuntil(b'"waiting":98')
    writer.close()


POST = b"POST /api/v1/session HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("head", [b"Content-Length: 70000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_a_body_that_is_too_large_is_refused_before_it_has_come(
    server: tuple[WebServer, str, Floor], head: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server[0].port)
    writer.write(POST + head)
    if b"chunked" in head:
        for _ in range(2):
            writer.write(b"a000\r\n%b\r\n" % (b" " * 0xA000))
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"}")
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"problem":"the body is larger than 65536 bytes"' in answer
    assert b"nosniff" in answer
    writer.close()


async def test_peers_that_never_send_the_body_are_dropped_without_a_word(
    server: tuple[WebServer, str, Floor], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "EXCHANGE_S", 0.2)
    waiting = [await asyncio.open_connection("127.0.0.1", server[0].port) for _ in range(5)]
    for _, writer in waiting:
        writer.write(POST + b"Content-Length: 100\r\n\r\n{")
    for reader, writer in waiting:
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read(1) == b""
        writer.close()
    await asyncio.sleep(0.1)
    assert not caplog.records


async def test_peers_that_never_send_the_body_keep_nobody_out(server: tuple[WebServer, str, Floor]) -> None:
    made = server[0]
    waiting = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(2 * BESIDES_VIEWERS)]
    for _, writer in waiting:
        writer.write(POST + b"Content-Length: 100\r\n\r\n{")
    await asyncio.sleep(0.1)
    visitors = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(6)]
    await asyncio.sleep(0.1)
    for reader, writer in visitors:
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    for _, writer in (*waiting, *visitors):
        writer.close()


async def test_a_viewer_that_never_reads_holds_up_nobody(server: tuple[WebServer, str, Floor]) -> None:
    made, secret, floor = server
    kept: list[asyncio.StreamWriter] = []
    await stream(made.port, secret, kept)  # read no further
    quick = await stream(made.port, secret, kept)
    for waiting in range(200, 240):
        floor.put("queue/support", waiting=waiting, ballast=50_000 * "x")
        async with asyncio.timeout(10):
            await quick.readuntil(f'"waiting":{waiting}'.encode())


async def test_a_viewer_who_reads_again_is_told_the_newest_after_little_of_the_old(
    server: tuple[WebServer, str, Floor],
) -> None:
    """What waits in the kernel for a slow network is bounded too: it is old by the time it is read."""
    made, secret, floor = server
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", made.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
    kept: list[asyncio.StreamWriter] = []
    quick = await stream(made.port, secret, kept)
    for waiting in range(200, 240):
        floor.put("queue/support", waiting=waiting, ballast=5_000 * "x")
        async with asyncio.timeout(10):
            await quick.readuntil(f'"waiting":{waiting}'.encode())
    told = b""
    async with asyncio.timeout(10):
        while b'"waiting":239' not in told:
            told += await reader.read(65_536)
    assert told.count(b"event: change") < 25
    writer.close()


async def test_a_revoked_token_ends_its_stream(server: tuple[WebServer, str, Floor]) -> None:
    made, secret, _ = server
    kept: list[asyncio.StreamWriter] = []
    watching = await stream(made.port, secret, kept)
    made._site.tokens.revoke(secret.split("_")[1])
    async with asyncio.timeout(10):
        assert (await watching.read()).endswith(b"0\r\n\r\n")
    await until(lambda: not made.viewers)


async def test_the_stream_of_a_session_ends_with_the_session(
    server: tuple[WebServer, str, Floor], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _, _ = server
    _, secret = made._site.tokens.add("guest", Role.VIEWER, expires_ms=2 * 10**12)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{made.port}/api/v1/", timeout=10) as client:
        cookie = (await client.post("session", json={"token": secret})).headers["set-cookie"].partition(";")[0]
    reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
    writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: here\r\nCookie: {cookie}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await reader.readuntil(b"event: snapshot")
    later = int(time.time() + 3600 * WebOptions().session_h) + 60
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda signer: later)
    async with asyncio.timeout(10):
        assert (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()


async def test_a_proxy_of_http_1_0_is_sent_the_stream_as_it_is(server: tuple[WebServer, str, Floor]) -> None:
    made, secret, floor = server
    reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
    writer.write(f"GET /api/v1/events HTTP/1.0\r\nAuthorization: Bearer {secret}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" not in head.lower()
        assert (await reader.readline()).startswith(b"retry: ")
        floor.put("queue/support", waiting=97)
        assert (await reader.readuntil(b'"waiting":97')).startswith(b"event: snapshot\n")
    writer.close()


async def test_a_viewer_may_go_before_the_answer_begins(server: tuple[WebServer, str, Floor]) -> None:
    made, _, _ = server
    _, writer = await asyncio.open_connection("127.0.0.1", made.port)
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    body = Body(cast("asyncio.Transport", writer.transport), chunked=True)
    assert not body.ready
    body.end()
