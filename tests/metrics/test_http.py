"""The web server: metrics, alive, ready; and that it can neither stop nor slow the daemon."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest
import structlog

from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import OutboxSample, Sample, alive, ready
from callflow.adapters.http.server import HttpServer
from tests.adapters.waiting import until
from tests.metrics.scraped import Web, sample_at

OPTIONS = HttpOptions(ready_loop_lag_s=1.0, ready_outbox_age_s=300.0)


class Served:
    """A server on a port the system chooses."""

    def __init__(self, port: int = 0) -> None:
        self.sample = sample_at()
        self.web = Web()
        log = structlog.get_logger()
        self.server = HttpServer(
            HttpOptions(port=port), self.web.registry, self.web.collector, lambda: self.sample, log
        )

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
    assert logs[0]["event"] == "metrics cannot be served; calls go on"
