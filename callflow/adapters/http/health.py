"""/healthz and /readyz: what a supervisor and a load balancer ask a process."""

from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callflow.adapters.http.sample import Verdict


class Health(Protocol):
    """How the process is; called in its loop."""

    def alive(self) -> Verdict: ...
    def ready(self) -> Verdict: ...


def health_routes(health: Health) -> list[Route]:
    """200, or 503 with what is wrong."""

    async def healthz(request: Request) -> Response:
        return _answer(health.alive())

    async def readyz(request: Request) -> Response:
        return _answer(health.ready())

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def _answer(verdict: Verdict) -> Response:
    return JSONResponse(verdict.shown, 200 if verdict.good else 503)
