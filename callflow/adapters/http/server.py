"""The small web server: /metrics, /healthz, /readyz. Nothing here can hold up or end a call."""

import asyncio
from typing import Any, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callflow.adapters.http.connections import IDLE_S, Config
from callflow.adapters.http.listener import BACKLOG, Listener, Messages
from callflow.adapters.http.options import HttpOptions
from callflow.adapters.http.sample import Verdict

MESSAGES = Messages("metrics are served", "metrics cannot be served; all else goes on", "see [http] host and port")


class Health(Protocol):
    """How the process is; called in its loop."""

    def before_scrape(self) -> None:
        """The metrics are about to be read, in a thread."""
        ...

    def alive(self) -> Verdict: ...
    def ready(self) -> Verdict: ...


class HttpServer:
    """Serves until `stop`; where the address cannot be had it says so once and tries again every 30 s."""

    def __init__(
        self,
        options: HttpOptions,
        registry: CollectorRegistry,
        health: Health,
        log: Any,
    ) -> None:
        self._registry = registry
        self._health = health
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
        """The state is read off in the loop, the text made in a thread: thousands of lines take milliseconds."""
        async with self._rendering:
            self._health.before_scrape()
            text = await asyncio.to_thread(generate_latest, self._registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _healthz(self, request: Request) -> Response:
        verdict = self._health.alive()
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)

    async def _readyz(self, request: Request) -> Response:
        verdict = self._health.ready()
        return JSONResponse(verdict.shown, 200 if verdict.good else 503)
