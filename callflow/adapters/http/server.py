"""The small web server: /metrics, /healthz, /readyz. Nothing here can hold up or end a call."""

import asyncio
from typing import Any, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callflow.adapters.http.connections import Config
from callflow.adapters.http.health import Health, health_routes
from callflow.adapters.http.listener import Listener, Messages
from callflow.adapters.http.options import HttpOptions

MESSAGES = Messages("metrics are served", "metrics cannot be served; all else goes on", "see [http] host and port")


class Measured(Health, Protocol):
    """A process that has metrics."""

    def before_scrape(self) -> None:
        """The metrics are about to be read, in a thread."""
        ...


def metrics_listener(options: HttpOptions, registry: CollectorRegistry, measured: Measured, log: Any) -> Listener:
    """Serves once it is started."""
    rendering = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        """The state is read off in the loop, the text made in a thread: thousands of lines take milliseconds."""
        async with rendering:
            measured.before_scrape()
            text = await asyncio.to_thread(generate_latest, registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def configured() -> Config:
        return Config(Starlette(routes=[Route("/metrics", metrics), *health_routes(measured)]))

    return Listener(options.host, options.port, configured, messages=MESSAGES, log=log)
