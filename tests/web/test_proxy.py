"""Signing in by a reverse proxy: it names the user in a header, and is believed from its own address alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.site import Site
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role

PROXY, STRANGER = "127.0.0.1", "192.0.2.7"


@pytest.fixture
def site(database: Path) -> Site:
    options = WebOptions(proxy_user_header="X-Remote-User")
    made = site_for(options, database, lambda: 1_000, None)
    made.tokens.add("alice", Role.SUPERVISOR)
    made.tokens.add("李雷", Role.SUPERVISOR)
    made.tokens.add("gone", Role.ADMIN, expires_ms=999)
    return made


@asynccontextmanager
async def client(site: Site, files: StaticFiles, address: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(site, files), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page/api/v1/") as made:
        yield made


@pytest.mark.parametrize(
    ("address", "user", "status"),
    [
        (PROXY, "alice", 200),
        (PROXY, "bob", 401),
        (PROXY, "", 401),
        (PROXY, "gone", 401),
        (STRANGER, "alice", 401),
    ],
)
async def test_the_header_names_a_token_and_the_proxy_alone_is_believed(
    site: Site, files: StaticFiles, address: str, user: str, status: int
) -> None:
    async with client(site, files, address) as made:
        answer = await made.get("session", headers={"X-Remote-User": user})
        assert answer.status_code == status
        if status == 200:
            assert (answer.json()["name"], answer.json()["role"]) == ("alice", "supervisor")


async def test_a_name_is_sent_as_utf_8(site: Site, files: StaticFiles) -> None:
    async with client(site, files, PROXY) as made:
        answer = await made.get("session", headers={b"X-Remote-User": "李雷".encode()})
        assert answer.json()["name"] == "李雷"


async def test_a_change_still_needs_the_page_s_header(site: Site, files: StaticFiles) -> None:
    async with client(site, files, PROXY) as made:
        headers = {"X-Remote-User": "alice"}
        assert (await made.delete("session", headers=headers)).status_code == 403
        assert (await made.delete("session", headers=headers | {"X-Callflow": "1"})).status_code == 204


async def test_a_guesser_behind_the_proxy_keeps_nobody_else_out(site: Site, files: StaticFiles) -> None:
    good = site.tokens.add("carol", Role.VIEWER)[1]
    async with client(site, files, PROXY) as made:
        for n in range(11):
            guessed = {"token": f"cf_00000000_{n:043}"}
            answer = await made.post("session", json=guessed, headers={"X-Forwarded-For": f"198.51.100.1, {STRANGER}"})
        assert answer.status_code == 429
        other = await made.post("session", json={"token": good}, headers={"X-Forwarded-For": "198.51.100.9"})
        assert other.status_code == 200


async def test_a_stranger_s_own_header_does_not_hide_where_it_guesses_from(site: Site, files: StaticFiles) -> None:
    async with client(site, files, STRANGER) as made:
        for n in range(11):
            guessed = {"token": f"cf_00000000_{n:043}"}
            answer = await made.post("session", json=guessed, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        assert answer.status_code == 429
