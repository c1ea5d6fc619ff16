"""What an administrator may do that nobody else may: tokens, the audit trail, the settings in force."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from callflow.cli import app
from callflow.settings.in_force import in_force
from callflow.settings.model import Settings
from callflow.web import audit
from callflow.web.access import Visitor
from callflow.web.audit import Audit
from callflow.web.tokens import Role
from tests.store.samples import T0
from tests.web.conftest import Page

ADMIN = ("admin/tokens", "admin/audit", "admin/settings")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize(
    ("role", "limits"),
    [
        (Role.AGENT, {"agent": "8001"}),
        (Role.VIEWER, {}),
        (Role.SUPERVISOR, {}),
        (Role.ADMIN, {"queues": ("sales",)}),
    ],
)
async def test_nobody_else_administers(page: Page, path: str, role: Role, limits: dict[str, Any]) -> None:
    assert (await page.get(path, role, **limits)).status_code == 403
    refused = await page.client.post(
        "/api/v1/admin/tokens", json={"name": "mine", "role": "admin"}, headers=bearer(page.secret(role, **limits))
    )
    assert refused.status_code == 403
    assert "mine" not in [token.name for token in page.tokens.all()]
    me = (await page.get("session", role, **limits)).json()
    assert me["may_administer"] is False


async def test_a_token_is_created_used_and_revoked_and_all_of_it_is_written_down(page: Page) -> None:
    headers = bearer(page.secret(Role.ADMIN))
    wanted = {"name": "wall", "role": "viewer", "days": 0, "queues": ["sales"]}
    made = await page.client.post("/api/v1/admin/tokens", json=wanted, headers=headers)
    assert made.status_code == 201
    token, secret = made.json()["token"], made.json()["secret"]
    assert (token["role"], token["queues"], token["expires_ms"]) == ("viewer", ["sales"], None)
    assert secret not in (page.folder / "web-tokens.json").read_text()
    shown = (await page.client.get("/api/v1/admin/tokens", headers=headers)).json()
    assert token in shown
    assert (await page.client.get("/api/v1/session", headers=bearer(secret))).json()["name"] == "wall"
    gone = await page.client.delete(f"/api/v1/admin/tokens/{token['id']}", headers=headers)
    assert gone.status_code == 204
    assert (await page.client.get("/api/v1/session", headers=bearer(secret))).status_code == 401
    assert (await page.client.delete("/api/v1/admin/tokens/none", headers=headers)).status_code == 404
    told = [(line["action"], line["of"], line["of_name"]) for line in page.audited() if "of" in line]
    assert told == [("create token", token["id"], "wall"), ("revoke token", token["id"], "wall")]
    assert secret not in (page.folder / "web-audit.jsonl").read_text()


async def test_a_number_of_days_is_a_number_and_false_makes_no_token_without_end(page: Page) -> None:
    before = page.tokens.all()
    for days in (False, True, "90", 1.5):
        wanted = {"name": "wall", "days": days}
        answer = await page.client.post("/api/v1/admin/tokens", json=wanted, headers=bearer(page.secret(Role.ADMIN)))
        assert answer.status_code == 422, days
    assert [token.name for token in page.tokens.all()[len(before) :]] == 4 * ["a admin"]


async def test_a_session_creates_no_token_without_the_page_s_header(page: Page) -> None:
    await page.client.post("/api/v1/session", json={"token": page.secret(Role.ADMIN)})
    wanted = {"name": "stolen", "role": "admin"}
    assert (await page.client.post("/api/v1/admin/tokens", json=wanted)).status_code == 403
    made = await page.client.post("/api/v1/admin/tokens", json=wanted, headers={"X-Callflow": "1"})
    assert made.status_code == 201


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "x", "role": "agent"},
        {"name": "x", "role": "viewer", "agent": "8001"},
        {"name": "", "role": "viewer"},
        {"name": 65 * "x"},
        {"name": "x", "days": -1},
        {"name": "x", "role": "king"},
        {"name": "x", "surprise": 1},
    ],
)
async def test_what_does_not_fit_makes_no_token(page: Page, wanted: dict[str, Any]) -> None:
    headers = bearer(page.secret(Role.ADMIN))
    answer = await page.client.post("/api/v1/admin/tokens", json=wanted, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["problem"]
    assert len(page.tokens.all()) == 1


async def test_the_audit_trail_is_read_backwards_page_by_page(page: Page) -> None:
    for n in range(5):
        page.site.audit.note(Visitor(f"visitor {n}", Role.VIEWER, token_id="t"), "look", at=n)
    with (page.folder / "web-audit.jsonl").open("a") as file:
        file.write("no entry\n[1]\n")
    found: list[str] = []
    path = "admin/audit?limit=2"
    while True:
        answer = (await page.get(path, Role.ADMIN)).json()
        found += [entry["who"] for entry in answer["entries"]]
        if answer["next"] is None:
            break
        path = f"admin/audit?limit=2&before={answer['next']}"
    assert found == [f"visitor {n}" for n in (4, 3, 2, 1, 0)]
    assert answer["entries"][-1] | {"at_ms": T0} == {
        "at_ms": T0, "who": "visitor 0", "role": "viewer", "token": "t", "action": "look", "what": {"at": 0}
    }  # fmt: skip


@given(
    names=st.lists(st.text(max_size=30), max_size=12),
    most=st.integers(1, 5),
    read_bytes=st.sampled_from([400, 1000, 10_000]),
)
def test_every_entry_of_the_audit_trail_is_found_once(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], most: int, read_bytes: int
) -> None:
    trail = Audit(tmp_path_factory.mktemp("audit") / "web-audit.jsonl", lambda: 1)
    for name in names:
        trail.note(Visitor(name, Role.VIEWER), "look")
    found: list[str] = []
    before: int | None = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "READ_BYTES", read_bytes)
        for _ in range(len(names) + 1):
            page = trail.page(before, most)
            found += [entry["who"] for entry in page.entries]
            if (before := page.before) is None:
                break
    assert before is None
    assert found == [name.encode("utf-8", "replace").decode() for name in reversed(names)]


async def test_the_settings_in_force_are_shown_without_secrets(page: Page) -> None:
    shown = {one["name"]: one for one in (await page.get("admin/settings", Role.ADMIN)).json()}
    assert shown["web.port"]["value"] == "9811"
    assert shown["web.port"]["meaning"]
    secret = {one.name: one.value for one in in_force(Settings(ami={"secret": "very secret"}))}["ami.secret"]
    assert secret == "(set)"


def test_the_command_line_writes_its_changes_into_the_same_trail(tmp_path: Path) -> None:
    config = tmp_path / "callflow.toml"
    config.write_text(f'[store]\npath = "{tmp_path / "callflow.db"}"\n')
    run = CliRunner()
    made = run.invoke(app, ["--config", str(config), "web", "token", "add", "wall", "--days", "0"])
    assert made.exit_code == 0, made.output
    (token,) = json.loads((tmp_path / "web-tokens.json").read_text())
    assert run.invoke(app, ["--config", str(config), "web", "token", "revoke", token["id"]]).exit_code == 0
    trail = [json.loads(line) for line in (tmp_path / "web-audit.jsonl").read_text().splitlines()]
    assert [(line["action"], line["of_name"]) for line in trail] == [("create token", "wall"), ("revoke token", "wall")]
    assert all("command line" in line["who"] for line in trail)
