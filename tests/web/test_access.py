"""Who gets in, as what, and who does not."""

import getpass
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callflow.cli import app
from callflow.errors import CallflowError
from callflow.web.tokens import Role, TokenFile
from tests.web.conftest import Page

PATHS = ("session", "live", "events", "calls", "rings?since_ms=0&until_ms=1", "silence?since_ms=0&until_ms=1")


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_nothing_is_shown(page: Page, path: str) -> None:
    answer = await page.client.get(f"/api/v1/{path}")
    assert answer.status_code == 401
    assert "callflow web token" in answer.json()["remedy"]


async def test_a_session_lives_as_long_as_its_token(page: Page) -> None:
    token, secret = page.tokens.add("wall", Role.VIEWER)
    answer = await page.client.post("/api/v1/session", json={"token": secret})
    assert answer.json()["role"] == "viewer"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert (await page.client.get("/api/v1/session")).status_code == 200
    page.tokens.revoke(token.id)
    assert (await page.client.get("/api/v1/session")).status_code == 401


async def test_an_expired_token_opens_nothing(page: Page) -> None:
    _, secret = page.tokens.add("guest", Role.VIEWER, expires_ms=1)
    answer = await page.client.get("/api/v1/session", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("at", [0, 10, 20])
async def test_a_changed_cookie_is_no_session(page: Page, at: int) -> None:
    await page.client.post("/api/v1/session", json={"token": page.secret()})
    good = page.client.cookies["callflow_session"]
    page.client.cookies.clear()
    page.client.cookies["callflow_session"] = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
    assert (await page.client.get("/api/v1/session")).status_code == 401


async def test_guessing_is_limited_by_address(page: Page) -> None:
    good = page.secret()
    statuses = [
        (await page.client.post("/api/v1/session", json={"token": f"cf_00000000_{n:043}"})).status_code
        for n in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2
    answer = await page.client.post("/api/v1/session", json={"token": good})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 60


async def test_a_change_must_come_from_the_page(page: Page) -> None:
    await page.client.post("/api/v1/session", json={"token": page.secret()})
    assert (await page.client.delete("/api/v1/session")).status_code == 403
    assert (await page.client.delete("/api/v1/session", headers={"X-Callflow": "1"})).status_code == 204


async def test_an_agent_sees_their_own_row_and_no_calls(page: Page) -> None:
    live = await page.get("live", Role.AGENT, agent="8001")
    assert set(live.json()["state"]) == {"health", "agent/8001"}
    assert (await page.get("calls", Role.AGENT, agent="8001")).status_code == 403


async def test_a_token_limited_to_queues_sees_those(page: Page) -> None:
    live = await page.get("live", Role.VIEWER, queues=("sales",))
    assert set(live.json()["state"]) == {"health", "queue/sales", "agent/8002"}
    refused = await page.get("rings?since_ms=0&until_ms=9&queue=support", Role.VIEWER, queues=("sales",))
    assert refused.status_code == 403


async def test_a_number_is_masked_until_a_supervisor_asks_and_that_is_written_down(page: Page) -> None:
    path = "calls/main/silent-1"
    assert (await page.get(path)).json()["caller_number"] == "•••00"
    assert (await page.get(f"{path}?unmask=true", Role.VIEWER)).status_code == 403
    assert not [line for line in page.audited() if line["action"] == "unmask"]
    assert (await page.get(f"{path}?unmask=true")).json()["caller_number"] == "+1-555-0100"
    (line,) = [line for line in page.audited() if line["action"] == "unmask"]
    assert (line["who"], line["call"]) == ("a supervisor", "silent-1")


async def test_secrets_are_stored_as_hashes_that_only_the_owner_can_read(page: Page) -> None:
    secret = page.secret()
    file = page.folder / "web-tokens.json"
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_damaged_token_file_is_one_clear_sentence(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps([{"id": "x"}]))
    with pytest.raises(CallflowError, match="not a list of tokens"):
        TokenFile(file).all()


def test_tokens_of_two_processes_do_not_overwrite_each_other(tmp_path: Path) -> None:
    first, second = TokenFile(tmp_path / "t.json"), TokenFile(tmp_path / "t.json")
    first.add("a", Role.VIEWER)
    second.add("b", Role.VIEWER)
    first.add("c", Role.VIEWER)
    assert [token.name for token in second.all()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("", {}),
        (65 * "x", {}),
        ("\udcff", {}),
        ("wall", {"queues": ("\udcff",)}),
        ("wall", {"queues": ("support", "")}),
        ("wall", {"role": Role.AGENT, "agent": "\udcff"}),
    ],
)
def test_a_token_that_could_not_be_read_again_is_refused_and_the_others_stay(
    tmp_path: Path, name: str, limits: dict[str, Any]
) -> None:
    file = tmp_path / "tokens.json"
    tokens = TokenFile(file)
    tokens.add("a", Role.ADMIN)
    before = file.read_bytes()
    with pytest.raises(CallflowError, match=r"is no (name|queue|work number)"):
        tokens.add(name, **{"role": Role.VIEWER, **limits})
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == ["tokens.json"]
    with pytest.raises(CallflowError, match="cannot be stored"):
        tokens._write([*tokens.all(), tokens.all()[0].model_copy(update={"queues": ("\udcff",)})])
    assert [token.name for token in TokenFile(file).all()] == ["a"]


def test_a_user_without_an_account_creates_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_account() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", no_account)
    config = tmp_path / "callflow.toml"
    config.write_text(f'[store]\npath = "{tmp_path}/callflow.db"\n')
    done = CliRunner().invoke(app, ["-c", str(config), "web", "token", "add", "wall"])
    assert done.exit_code == 0
    assert re.fullmatch(r"cf_\S+\n", done.stdout), "the secret alone, for SECRET=$(...)"
    assert json.loads((tmp_path / "web-audit.jsonl").read_text())["who"] == "unknown (command line)"
