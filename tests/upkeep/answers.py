"""Everything that a process of callflow answers over HTTP, as text: metrics, health, and each question of the page."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress

import httpx

STREAM_S = 1.0
"""So long a stream is read that does not end."""


async def of_metrics(port: int) -> dict[str, str]:
    """/metrics, /healthz and /readyz, and an address that is not there."""
    async with _client(port) as client:
        return {path: await _answer(client, "GET", path) for path in ("/metrics", "/healthz", "/readyz", "/nothing")}


async def of_page(port: int, token: str) -> dict[str, str]:
    """The page itself and each question and step of its API, asked as `token` may and without one."""
    found: dict[str, str] = {}
    allowed = {"Authorization": f"Bearer {token}", "X-Callflow": "1"}
    async with _client(port) as client:
        described = (await client.get("/api/v1/openapi.json")).json()["paths"]
        for path, methods in described.items():
            address = re.sub(r"\{[^}]*\}", "1", path)
            for method in map(str.upper, methods):
                for who, headers in {"": allowed, " by nobody": {}}.items():
                    found[f"{method} {path}{who}"] = await _answer(client, method, address, headers)
        found["GET /"] = await _answer(client, "GET", "/", allowed)
    assert len(found) > 40
    return found


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)


async def _answer(client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str] | None = None) -> str:
    """Status, headers and body of one answer, as far as it came."""
    body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
    async with client.stream(method, path, headers=headers, json=body) as answer:
        read = f"{answer.status_code} {dict(answer.headers)}"
        endless = "event-stream" in answer.headers.get("content-type", "")
        with suppress(TimeoutError, httpx.RemoteProtocolError):  # an export ends early if its database goes away
            async with asyncio.timeout(STREAM_S if endless else None):
                async for part in answer.aiter_text():
                    read += part
        return read
