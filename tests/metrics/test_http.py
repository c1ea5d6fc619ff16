"""The web server: metrics, alive, ready; and that it can neither stop nor slow the daemon."""

import asyncio
import contextlib
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from callflow.adapters.http import connections
from callflow.adapters.http.connections import CONNECTIONS
from callflow.adapters.http.daemon_health import DaemonHealth
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import OutboxSample, Sample, alive, ready
from callflow.adapters.http.server import metrics_listener
from tests.adapters.waiting import WAIT_S, until
from tests.metrics.scraped import Web, sample_at

OPTIONS = HttpOptions(ready_loop_lag_s=1.0, ready_outbox_age_s=300.0)


class Served:
    """A server on a port the system chooses."""

    def __init__(self, port: int = 0) -> None:
        self.sample = sample_at()
        self.web = Web()
        log = structlog.get_logger()
        options = HttpOptions(port=port)
        health = DaemonHealth(options, self.web.collector, lambda: self.sample)
        self.server = metrics_listener(options, self.web.registry, health, log)

    async def __aenter__(self) -> "Served":
        self.server.start()
        await until(lambda: self.server.port)
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self.server.stop()

    async def get(self, path: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        return int(head.split()[1]), body


async def test_a_scrape_shows_the_daemon_as_it_is_at_that_moment() -> None:
    async with Served() as served:
        served.sample = replace(sample_at(), calls_live=17)
        status, body = await served.get("/metrics")
        assert status == 200
        assert "callflow_calls_live 17.0" in body


async def test_the_daemon_is_ready_only_when_everything_is() -> None:
    async with Served() as served:
        assert (await served.get("/readyz"))[0] == 200
        served.sample = replace(sample_at(), ami_connected=False)
        status, body = await served.get("/readyz")
        assert status == 503
        assert '"ami":false' in body
        assert (await served.get("/healthz"))[0] == 200, "a restart would not bring AMI back"


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"ami_connected": False}, "ami"),
        ({"loop_lag_s": 1.5}, "loop"),
        ({"store": {"failing": 1}}, "store"),
        ({"outbox": OutboxSample(depth=1, oldest_ms=sample_at().now_ms - 301_000)}, "outbox"),
    ],
)
def test_each_check_fails_for_its_own_reason(change: dict[str, Any], check: str) -> None:
    verdict = ready(replace(sample_at(), **change), OPTIONS)
    assert not verdict.good
    assert [name for name, good in verdict.shown["checks"].items() if not good] == [check]


def test_without_mqtt_there_is_no_outbox_to_fail() -> None:
    sample: Sample = replace(sample_at(), mqtt_connected=None, outbox=None)
    assert ready(sample, OPTIONS).good


def test_a_loop_that_is_late_is_not_well() -> None:
    assert alive(sample_at(), OPTIONS).good
    assert not alive(replace(sample_at(), loop_lag_s=2.0), OPTIONS).good


async def test_unknown_paths_and_methods_are_refused() -> None:
    async with Served() as served:
        assert (await served.get("/"))[0] == 404
        assert (await served.get("/metrics/../../etc/passwd"))[0] == 404


async def test_clients_that_say_nothing_do_not_keep_a_scrape_out_or_the_server_from_stopping() -> None:
    async with Served() as served:
        silent = [await asyncio.open_connection("127.0.0.1", served.server.port) for _ in range(10)]
        assert (await served.get("/healthz"))[0] == 200
    for _, writer in silent:
        writer.close()


async def test_a_port_in_use_is_told_and_nothing_else_happens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, structlog.testing.capture_logs() as logs:
        served = Served(taken.getsockname()[1])
        served.server.start()
        await until(lambda: logs)
        await served.server.stop()
    assert logs[0]["event"] == "metrics cannot be served; all else goes on"


# -- hostile neighbours ------------------------------------------------------------------------------------------------


async def connect(port: int, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    return reader, writer


def handles() -> int:
    """File handles that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\nHost: ", b"POST /healthz HTTP/1.1\r\nHost: a\r\n"])
async def test_idle_connections_keep_no_probe_out(sent: bytes) -> None:
    async with Served() as served:
        strangers = [await connect(served.server.port, sent) for _ in range(40)]
        assert (await served.get("/healthz"))[0] == 200
        for _, writer in strangers:
            writer.close()


async def test_a_crowd_takes_no_more_file_handles_than_its_budget() -> None:
    """The crowd's own ends are in another process, so that only the server's are counted here."""
    script = (
        "import socket, sys\n"
        "crowd = [socket.create_connection(('127.0.0.1', int(sys.argv[1]))) for _ in range(900)]\n"
        "print('there', flush=True)\n"
        "sys.stdin.read()\n"
    )
    async with Served() as served:
        before = handles()
        crowd = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(served.server.port),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert crowd.stdout is not None
        assert await asyncio.wait_for(crowd.stdout.readline(), 20) == b"there\n"
        await until(lambda: handles() - before <= CONNECTIONS + 10)
        assert (await served.get("/healthz"))[0] == 200
        assert handles() - before <= CONNECTIONS + 10
        await crowd.communicate(b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: ",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
    ],
)
async def test_a_request_that_is_never_finished_is_timed_out(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "EXCHANGE_S", 0.05)
    monkeypatch.setattr(connections, "IDLE_S", 0.05)
    async with Served() as served:
        reader, writer = await connect(served.server.port, sent)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()


async def test_a_scraper_keeps_its_connection() -> None:
    async with Served() as served:
        reader, writer = await connect(served.server.port)
        strangers = []
        for _ in range(3):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            strangers += [await connect(served.server.port) for _ in range(CONNECTIONS - 2)]
        writer.close()
        for _, stranger in strangers:
            stranger.close()
