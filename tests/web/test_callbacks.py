"""The call-back list on the page: who sees which entries, and who may take which step."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import Step
from callflow.settings.model import Settings
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.static_files import StaticFiles
from callflow.web.tokens import Role
from tests.store.command_line import callflow
from tests.store.samples import T0
from tests.web.conftest import Page

RULES = CallbackRules(profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))})


def fill(database: Path) -> CallbackList:
    """Three callers: one who was silent, one who keeps a place in support, one of sales."""
    made = CallbackList(database, "main")
    for number, reason, queue, place in (
        ("13855550101", Reason.SILENT, "", 0),
        ("13855550102", Reason.PLACE, "support", 3),
        ("13855550103", Reason.PLACE, "sales", 1),
    ):
        made.add(Wanted(number, "default", reason, T0, "because", queue=queue, place=place), RULES, T0)
    return made


@pytest.fixture
def entries(page: Page) -> CallbackList:
    return fill(page.folder / "callflow.db")


def id_of(entries: CallbackList, number: str) -> str:
    return next(entry.callback_id for entry in entries.entries() if entry.number.endswith(number))


async def step(page: Page, callback_id: str, name: str, role: Role, why: str = "", **limits: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role, **limits)}"}
    return await page.client.post(f"/api/v1/callbacks/{callback_id}/{name}", json={"why": why}, headers=headers)


async def test_the_list_is_masked_and_has_the_fields_of_the_command_line(page: Page, entries: CallbackList) -> None:
    shown = (await page.get("callbacks", Role.VIEWER)).json()["callbacks"]
    assert {row["number"] for row in shown} == {"•••01", "•••02", "•••03"}
    listed = json.loads(callflow(page.folder, "callbacks", "list", "--json"))
    by_id = {row["callback_id"]: row for row in listed["callbacks"]}
    for row in shown:
        row.pop("number")
        assert row.items() <= by_id[row["callback_id"]].items()


async def test_one_entry_has_its_steps_and_the_fields_of_the_command_line(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    assert (await step(page, one, "claim", Role.SUPERVISOR)).status_code == 200
    shown = (await page.get(f"callbacks/{one}")).json()
    printed = json.loads(callflow(page.folder, "callbacks", "show", one, "--json"))
    here, there = shown.pop("changes"), printed.pop("changes")
    assert all(mine.items() <= theirs.items() for mine, theirs in zip(here, there, strict=True))
    for name in ("number", "may", "may_dial", "may_unmask", "answer"):
        shown.pop(name)
    assert shown.items() <= printed.items()
    assert [change["state"] for change in here] == ["open", "claimed"]


async def test_a_supervisor_takes_every_step_and_it_is_written_down(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    for name, state in (("claim", "claimed"), ("release", "open"), ("give_up", "given_up")):
        answer = await step(page, one, name, Role.SUPERVISOR, "number is dead")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert answer.json()["may"] == []
    told = [(line["action"], line["callback"], line["why"]) for line in page.audited() if "callback" in line]
    assert told == [(f"{name} call-back", one, "number is dead") for name in ("claim", "release", "give up")]
    changes = entries.changes(one)
    assert [(change.actor, change.why) for change in changes[1:]] == [("a supervisor", "number is dead")] * 3


@pytest.fixture
def dialling_page(page: Page) -> Page:
    """The daemon knows how to dial, and its callers' hours are all day."""
    dialling = Settings(callbacks=RULES.model_copy(update={"dial": "PJSIP/{number}@carrier"}))
    page.site = replace(page.site, settings=lambda: dialling)
    transport = page.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    transport.app.state.site = page.site  # type: ignore[attr-defined]
    return page


async def dial(page: Page, callback_id: str, role: Role, body: dict[str, str], **limits: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role, **limits)}"}
    return await page.client.post(f"/api/v1/callbacks/{callback_id}/dial", json=body, headers=headers)


async def test_a_supervisor_has_a_call_placed_for_an_agent(dialling_page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    assert (await dialling_page.get(f"callbacks/{one}")).json()["may_dial"] is True
    answer = await dial(dialling_page, one, Role.SUPERVISOR, {"agent": "8012"})
    assert (answer.status_code, answer.json()["wish"], answer.json()["may_dial"]) == (202, "8012", False)
    assert entries.find(one).wish == "8012", "the daemon finds the wish where the command line leaves it"
    assert [line["agent"] for line in dialling_page.audited() if line["action"] == "dial call-back"] == ["8012"]
    again = await dial(dialling_page, one, Role.SUPERVISOR, {"agent": "8013"})
    assert (again.status_code, entries.find(one).wish) == (409, "8012")


async def test_an_agent_dials_with_the_own_phone_and_sees_the_end(dialling_page: Page, entries: CallbackList) -> None:
    one, me = id_of(entries, "01"), {"agent": "8001"}
    assert (await dial(dialling_page, one, Role.AGENT, {"agent": "8002"}, **me)).status_code == 403
    answer = await dial(dialling_page, one, Role.AGENT, {}, **me)
    assert (answer.status_code, answer.json()["wish"]) == (202, "8001")
    call = Attempt("cb-1", one, "8001", "PJSIP/8001", "8001", "agent", T0)
    entries.begin_attempt(call, lambda now: now.step(Step.DIAL, T0, "8001", "calls", attempt_id="cb-1"))
    assert (await dialling_page.get(f"callbacks/{one}", Role.AGENT, **me)).json()["state"] == "dialling"
    assert (await dialling_page.get(f"callbacks/{one}", Role.AGENT, agent="8002")).status_code == 404
    ended = replace(call, placed_ms=T0, reached_ms=T0, ended_ms=T0 + 1, outcome=Outcome.REACHED)
    entries.save_attempt(ended, lambda now: now.step(Step.REACH, T0 + 1, "callflow", "reached"))
    shown = (await dialling_page.get(f"callbacks/{one}", Role.AGENT, **me)).json()
    assert (shown["state"], shown["calls"][0]["outcome"]) == ("done", "reached")


@pytest.mark.parametrize(
    ("role", "body", "status", "said"),
    [
        (Role.VIEWER, {"agent": "8012"}, 403, "this needs the role supervisor"),
        (Role.SUPERVISOR, {}, 409, "the call needs an agent"),
        (Role.SUPERVISOR, {"agent": "80\n12"}, 422, "agent"),
        (Role.SUPERVISOR, {"agent": "PJSIP/0900555@carrier"}, 422, "agent"),
        (Role.SUPERVISOR, {"agent": "DAHDI/g1/0900555"}, 422, "agent"),
    ],
)
async def test_who_may_not_dial_is_told_why(
    dialling_page: Page, entries: CallbackList, role: Role, body: dict[str, str], status: int, said: str
) -> None:
    one = id_of(entries, "01")
    answer = await dial(dialling_page, one, role, body)
    assert (answer.status_code, said in answer.json()["problem"], entries.find(one).wish) == (status, True, "")


async def test_what_cannot_be_dialled_is_refused_before_it_is_wished(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    answer = await dial(page, one, Role.SUPERVISOR, {"agent": "8012"})
    assert (answer.status_code, answer.json()["problem"]) == (409, "callflow does not know how to dial a caller")
    await step(page, one, "done", Role.SUPERVISOR)
    assert entries.find(one).wish == ""


async def test_a_settled_entry_is_not_dialled(dialling_page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    await step(dialling_page, one, "done", Role.SUPERVISOR)
    answer = await dial(dialling_page, one, Role.SUPERVISOR, {"agent": "8012"})
    assert (answer.status_code, answer.json()["problem"]) == (409, "dial is not possible in state done")


async def test_a_session_dials_nobody_without_the_page_s_header(dialling_page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    await dialling_page.client.post("/api/v1/session", json={"token": dialling_page.secret()})
    added = await dialling_page.client.post("/api/v1/callbacks", json={"number": "13855550199"})
    assert (added.status_code, len(entries.entries())) == (403, 3)
    refused = await dialling_page.client.post(f"/api/v1/callbacks/{one}/dial", json={"agent": "8012"})
    assert (refused.status_code, entries.find(one).wish) == (403, "")


async def post(page: Page, role: Role, body: dict[str, Any], **limits: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {page.secret(role, **limits)}"}
    return await page.client.post("/api/v1/callbacks", json=body, headers=headers)


@pytest.mark.parametrize(
    ("role", "limits", "actor"),
    [
        (Role.SUPERVISOR, {}, "a supervisor"),
        (Role.AGENT, {"agent": "8001"}, "8001"),
    ],
)
async def test_a_caller_is_put_on_the_list_by_hand(
    page: Page, entries: CallbackList, role: Role, limits: dict[str, Any], actor: str
) -> None:
    body = {"number": "+86 (138) 5555-0199", "note": "asked for 8012", "due_ms": T0 + 9, "zone": "Asia/Shanghai"}
    answer = await post(page, role, body, **limits)
    row = answer.json()
    assert (answer.status_code, row["number"], row["reasons"], row["actor"]) == (201, "•••99", ["manual"], actor)
    entry = entries.find(row["callback_id"])
    assert (entry.number, entry.note, entry.zone) == ("+8613855550199", "asked for 8012", "Asia/Shanghai")
    again = (await post(page, role, {"number": "13855550101"}, **limits)).json()
    assert again["reasons"] == ["silent", "manual"], "a caller who waits gets a further reason"
    audited = [line["callback"] for line in page.audited() if line["action"] == "add call-back"]
    assert audited == [row["callback_id"], again["callback_id"]]


@pytest.mark.parametrize(
    ("role", "limits", "body", "status"),
    [
        (Role.VIEWER, {}, {"number": "13855550199"}, 403),
        (Role.SUPERVISOR, {"queues": ("support",)}, {"number": "13855550199"}, 403),
        (Role.SUPERVISOR, {}, {"number": "119"}, 409),
        (Role.SUPERVISOR, {}, {"number": "anonymous"}, 409),
        (Role.SUPERVISOR, {}, {"number": "13855550199", "zone": "Asia/Nowhere"}, 409),
        (Role.SUPERVISOR, {}, {"number": ""}, 422),
        (Role.SUPERVISOR, {}, {"number": "13855550199", "due_ms": True}, 422),
        (Role.SUPERVISOR, {}, {"number": "13855550199", "due_ms": 1000 * T0}, 409),
    ],
)
async def test_who_cannot_be_put_on_the_list_is_not(
    page: Page, entries: CallbackList, role: Role, limits: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    answer = await post(page, role, body, **limits)
    assert (answer.status_code, bool(answer.json()["problem"]), len(entries.entries())) == (status, True, 3)


@pytest.mark.parametrize("name", ["claim", "release", "reopen", "done", "give_up"])
async def test_a_viewer_changes_nothing(page: Page, entries: CallbackList, name: str) -> None:
    one = id_of(entries, "01")
    assert (await step(page, one, name, Role.VIEWER, "x")).status_code == 403
    assert (await page.get(f"callbacks/{one}", Role.VIEWER)).json()["may"] == []
    assert len(entries.changes(one)) == 1


async def test_an_agent_claims_sees_the_number_and_settles(page: Page, entries: CallbackList) -> None:
    one, path = id_of(entries, "01"), f"callbacks/{id_of(entries, '01')}"
    assert (await page.get(f"{path}?unmask=true", Role.AGENT, agent="8001")).status_code == 403
    assert (await step(page, one, "done", Role.AGENT, agent="8001")).status_code == 403
    claimed = (await step(page, one, "claim", Role.AGENT, agent="8001")).json()
    assert (claimed["actor"], claimed["may"]) == ("8001", ["release", "done", "give_up"])
    assert (await page.get(f"{path}?unmask=true", Role.AGENT, agent="8001")).json()["number"] == "13855550101"
    assert [line["who"] for line in page.audited() if line["action"] == "unmask"] == ["a agent"]
    for other in ("done", "release", "claim"):
        assert (await step(page, one, other, Role.AGENT, agent="8002")).status_code == 404
    assert (await page.get(path, Role.AGENT, agent="8002")).status_code == 404
    assert (await step(page, one, "done", Role.AGENT, "spoke to them", agent="8001")).json()["state"] == "done"
    mine = (await page.get("callbacks", Role.AGENT, agent="8001")).json()["callbacks"]
    assert one not in {row["callback_id"] for row in mine}


async def test_a_further_reason_takes_an_entry_from_nobody(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    await step(page, one, "claim", Role.AGENT, agent="8001")
    entries.change(one, lambda now: now.with_reason("repeated", T0 + 1, "callflow", "and again"))
    assert (await step(page, one, "done", Role.AGENT, agent="8001")).status_code == 200


async def test_who_comes_second_is_told_so(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    assert (await step(page, one, "claim", Role.SUPERVISOR)).status_code == 200
    second = await step(page, one, "claim", Role.SUPERVISOR)
    assert (second.status_code, second.json()["problem"]) == (409, "claim is not possible in state claimed")


async def test_a_step_that_comes_between_is_a_conflict(
    page: Page, entries: CallbackList, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, change = id_of(entries, "01"), CallbackList.change

    def after_somebody_else(self: CallbackList, callback_id: str, make: Any) -> Any:
        change(self, callback_id, lambda now: now.step(Step.CLAIM, T0 + 1, "8002", "first"))
        return change(self, callback_id, make)

    monkeypatch.setattr(CallbackList, "change", after_somebody_else)
    assert (await step(page, one, "done", Role.SUPERVISOR)).status_code == 409
    assert entries.find(one).state == "claimed"


async def test_giving_up_needs_a_reason(page: Page, entries: CallbackList) -> None:
    answer = await step(page, id_of(entries, "01"), "give_up", Role.SUPERVISOR)
    assert answer.status_code == 409
    assert "reason" in answer.json()["problem"]


async def test_a_session_changes_nothing_without_the_page_s_header(page: Page, entries: CallbackList) -> None:
    one = id_of(entries, "01")
    await page.client.post("/api/v1/session", json={"token": page.secret()})
    assert (await page.client.post(f"/api/v1/callbacks/{one}/claim", json={})).status_code == 403
    assert entries.find(one).state == "open"


async def test_a_token_limited_to_queues_sees_their_entries_alone(page: Page, entries: CallbackList) -> None:
    limits: dict[str, Any] = {"queues": ("support",)}
    shown = (await page.get("callbacks", Role.SUPERVISOR, **limits)).json()["callbacks"]
    assert [row["queue"] for row in shown] == ["support"]
    other = id_of(entries, "03")
    assert (await page.get(f"callbacks/{other}", Role.SUPERVISOR, **limits)).status_code == 404
    assert (await step(page, other, "claim", Role.SUPERVISOR, **limits)).status_code == 404
    assert (await page.get("callbacks/report", Role.SUPERVISOR, **limits)).status_code == 403


async def test_the_figures_are_those_of_the_command_line(page: Page, entries: CallbackList) -> None:
    await step(page, id_of(entries, "01"), "done", Role.SUPERVISOR)
    shown = (await page.get("callbacks/report")).json()
    assert shown == json.loads(callflow(page.folder, "callbacks", "report", "--json"))
    assert (shown["all"]["raised"], shown["all"]["reached"]) == (3, 1)


@pytest.mark.parametrize("callback_id", ["nobody", "cb-", "%2e%2e", "x" * 65])
async def test_an_entry_that_is_not_there_is_a_sentence(page: Page, entries: CallbackList, callback_id: str) -> None:
    answer = await page.get(f"callbacks/{callback_id}")
    assert answer.status_code in (404, 422)
    assert answer.json()["problem"]


async def test_a_page_alone_on_a_database_changes_nothing(
    page: Page, entries: CallbackList, files: StaticFiles
) -> None:
    site = site_for(WebOptions(), page.folder / "callflow.db", lambda: T0, None)
    transport = httpx.ASGITransport(make_app(site, files))
    headers, one = {"Authorization": f"Bearer {page.secret()}"}, id_of(entries, "01")
    async with httpx.AsyncClient(transport=transport, base_url="http://page/api/v1/", headers=headers) as client:
        assert (await client.get("callbacks")).status_code == 200
        shown = (await client.get(f"callbacks/{one}")).json()
        assert (shown["may"], shown["may_dial"]) == ([], False), "no button is offered that would be refused"
        assert (await client.get("session")).json()["may_change"] is False
        assert (await client.post(f"callbacks/{one}/claim", json={})).status_code == 403
        assert (await client.post(f"callbacks/{one}/dial", json={"agent": "8012"})).status_code == 403
        assert (await client.post("callbacks", json={"number": "13855550199"})).status_code == 403
    assert entries.find(one).state == "open"
    site.database.close()
