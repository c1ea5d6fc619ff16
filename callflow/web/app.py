"""The FastAPI application: routes, errors as sentences, and headers that hold for every answer."""

import hashlib
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import HTTPException as Refused
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callflow import __version__
from callflow.adapters.http.health import health_routes
from callflow.errors import CallflowError, SettingError, StoreAway, StoreError
from callflow.web import (
    actions_api,
    admin_api,
    callbacks_api,
    calls_api,
    cases_api,
    fleet_api,
    live_api,
    quality_api,
    reports_api,
    session_api,
)
from callflow.web.access import SAFE
from callflow.web.errors import WebError
from callflow.web.models import Problem
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles

API = "/api/v1"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem} for status in (400, 401, 403, 404, 409, 413, 422, 429, 503)
}
MOST_BODY = 65_536
"""Bytes of a request's body: a larger one would be read and parsed, in the daemon's loop, before its token."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Hardened:
    """Adds the security headers to every answer, streams included; answers of the API are revalidated each time."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call."""

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if scope["path"].startswith(API):
                    headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        await self._app(scope, receive, send_hardened if scope["type"] == "http" else send)


class Limited:
    """Refuses a body of more than `most` bytes: by its announced length, or as soon as so much has come."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI call; nothing reads the body of a GET."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        announced, read = int(Headers(scope=scope).get("content-length", 0)), 0
        too_large = Refused(413, f"the body is larger than {self._most} bytes", {"Connection": "close"})

        async def receive_limited() -> Message:
            nonlocal read
            if announced > self._most:
                raise too_large
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise too_large
            return message

        await self._app(scope, receive_limited, send)


class Tagged(JSONResponse):
    """JSON with an ETag of its content."""

    def render(self, content: Any) -> bytes:
        """The body; its tag is added to the headers."""
        body = super().render(content)
        self.tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        return body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """304 without a body where the visitor has this very content already."""
        self.headers["ETag"] = self.tag
        known = Headers(scope=scope).get("if-none-match")
        if scope["method"] == "GET" and self.status_code == 200 and known == self.tag:
            await Response(status_code=304, headers={"ETag": self.tag})(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def make_app(site: Site, files: StaticFiles | None = None) -> FastAPI:
    """The application for these parts."""
    app = FastAPI(
        title="callflow",
        version=__version__,
        summary="The floor at a glance, and the reason behind every call.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        responses=PROBLEMS,
        default_response_class=Tagged,
    )
    app.state.site = site
    files = files or StaticFiles()
    api = APIRouter(prefix=API)
    parts = (
        session_api,
        live_api,
        calls_api,
        reports_api,
        quality_api,
        callbacks_api,
        cases_api,
        fleet_api,
        actions_api,
        admin_api,
    )
    for part in parts:
        api.include_router(part.router)
    app.include_router(api)
    if site.health is not None:
        app.router.routes.extend(health_routes(site.health))
    _tell_errors(app)
    app.add_middleware(Limited, most=MOST_BODY)
    app.add_middleware(Hardened, headers=HEADERS | {"Content-Security-Policy": files.policy})

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        """A file of the page, or the page itself for `/`."""
        found = files.respond(request, path or "index.html")
        return found if found is not None else _problem(404, f"there is no page /{path[:100]}", "open /")

    return app


def _tell_errors(app: FastAPI) -> None:
    """Every error is a sentence with a remedy; nothing of the inside is shown."""

    @app.exception_handler(CallflowError)
    async def ours(request: Request, error: CallflowError) -> Response:
        if isinstance(error, StoreAway):
            return _problem(503, error.problem, "this page goes on once the database is back", is_away=True)
        answer = _problem(_status(error), error.problem, error.remedy)
        if isinstance(error, WebError) and error.retry_after_s is not None:
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return _problem(422, f"{where}: {first['msg'].lower()}", f"see {API}/openapi.json")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        answer = _problem(error.status_code, str(error.detail).lower(), "")
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(sorted(_methods(app, request)))
        return answer


def _status(error: CallflowError) -> int:
    """What the site's administrator can mend is 503; 500 is our own fault."""
    if isinstance(error, WebError):
        return error.status
    return 503 if isinstance(error, StoreError | SettingError) else 500


def _methods(app: FastAPI, request: Request) -> set[str]:
    """What the address of a request can be asked with; a path may have a route for each method."""
    described: dict[str, dict[str, Any]] = app.openapi()["paths"]
    fitting = (methods for path, methods in described.items() if compile_path(path)[0].match(request.url.path))
    return {method.upper() for methods in fitting for method in methods} or {"GET", "HEAD"}


def _problem(status: int, problem: str, remedy: str, *, is_away: bool = False) -> JSONResponse:
    return JSONResponse({"problem": problem, "remedy": remedy, "is_away": is_away}, status)
