"""The small web server: /metrics, /healthz, /readyz. Nothing here can hold up or end a call."""

import asyncio
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callflow.adapters.http.connections import IDLE_S, Config
from callflow.adapters.http.health_metrics import HealthCollector
from callflow.adapters.http.listener import BACKLOG, Listener, Messages
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Sample, alive, ready

MESSAGES = Messages("metrics are served", "metrics cannot be served; calls go on", "see [http] host and port")


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
        self._listener = Listener(options.host, options.port, self._config, messages=MESSAGES, log=log)
        self._rendering = asyncio.Lock()

    @property
    def port(self) -> int:
        """The port in use; 0 while there is none."""
        return self._listener.port

    def start(self) -> None:
        """Begin to serve; returns at once, never raises."""
        self._listener.start()

    async def stop(self) -> None:
        """End every connection."""
        await self._listener.stop()

    async def _config(self) -> Config:
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
            timeout_graceful_shutdown=1,
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
            self._collector.tasks = len(asyncio.all_tasks())
            text = await asyncio.to_thread(generate_latest, self._registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, request: Request) -> Response:
        verdict = alive(self._sample(), self._options)
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)

    async def _readyz(self, request: Request) -> Response:
        verdict = ready(self._sample(), self._options)
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)
