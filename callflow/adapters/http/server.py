"""The small web server: /metrics, /healthz, /readyz. Nothing here can hold up or end a call."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callflow.adapters.http.connections import IDLE_S, Config, Server
from callflow.adapters.http.health_metrics import HealthCollector
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Sample, alive, ready

RETRY_S = 30.0
STOP_S = 1
BACKLOG = 64
"""So many connections the loop accepts in one go, before any of them can be closed for want of room."""


class HttpServer:
    """Serves until `stop`; where the address cannot be had it says so once and tries again every 30 s."""

    def __init__(
        self,
        options: HttpOptions,
        registry: CollectorRegistry,
        collector: HealthCollector,
        sample: Callable[[], Sample],
        log: Any,
    ) -> None:
        self._options = options
        self._registry = registry
        self._collector = collector
        self._sample = sample
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._server: Server | None = None
        self._rendering = asyncio.Lock()
        self.port = 0
        """The port in use; 0 while there is none."""

    def start(self) -> None:
        """Begin to serve; returns at once, never raises."""
        self._task = asyncio.create_task(self._run(), name="http")

    async def stop(self) -> None:
        """End every connection."""
        task, self._task = self._task, None
        if task is None:
            return
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
            await asyncio.wait({task}, timeout=2 * STOP_S)
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_S)

    async def _run(self) -> None:
        say = self._log.error
        while True:
            try:
                with self._listen() as listening:
                    self.port = listening.getsockname()[1]
                    self._log.info("metrics are served", host=self._options.host, port=self.port)
                    self._server = Server(self._config())
                    await self._server.serve(sockets=[listening])
                    return
            except (OSError, OverflowError) as error:
                say("metrics cannot be served; calls go on", reason=str(error), remedy="see [http] host and port")
                say = self._log.debug
            await asyncio.sleep(RETRY_S)

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._options.host else socket.AF_INET
        return socket.create_server((self._options.host, self._options.port), family=family, backlog=BACKLOG)

    def _config(self) -> Config:
        return Config(
            self._app(),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=int(IDLE_S),
            timeout_graceful_shutdown=STOP_S,
        )

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/metrics", self._metrics),
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
            ]
        )

    async def _metrics(self, request: Request) -> Response:
        """The sample is taken in the loop, the text made in a thread: thousands of lines take milliseconds."""
        async with self._rendering:
            self._collector.sample = self._sample()
            text = await asyncio.to_thread(generate_latest, self._registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, request: Request) -> Response:
        verdict = alive(self._sample(), self._options)
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)

    async def _readyz(self, request: Request) -> Response:
        verdict = ready(self._sample(), self._options)
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)
