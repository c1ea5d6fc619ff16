"""Stored calls and reports over the API, and what becomes of bad requests."""

import asyncio
import base64
import csv
import gc
import io
import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store
from callflow.core.heard import Heard
from callflow.core.screening.states import Result
from callflow.web import calls_api
from callflow.web.static_files import StaticFiles
from tests.publishing import samples
from tests.store.command_line import run
from tests.store.samples import T0, ended, live_call
from tests.web.conftest import Page

NO_PLACES: tuple[object, ...] = (
    5,
    None,
    "abc",
    [1, 2, 3],
    [1.5, "a", "b"],
    [True, "a", "b"],
    [2**60, "a", "b"],
    [1, "\ud800", "b"],
    {},
)
"""JSON that is no cursor."""


def cursor_of(said: object) -> str:
    """As a client may make one up."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


async def test_pages_follow_each_other_without_gap_or_repeat(page: Page) -> None:
    whole = [call["call_id"] for call in (await page.get("calls?limit=200")).json()["calls"]]
    assert len(whole) == 7
    found: list[str] = []
    path = "calls?limit=2"
    while True:
        answer = (await page.get(path)).json()
        found += [call["call_id"] for call in answer["calls"]]
        if answer["next"] is None:
            break
        path = f"calls?limit=2&cursor={answer['next']}"
    assert found == whole


async def test_a_search_narrows(page: Page) -> None:
    silent = (await page.get("calls?result=silent")).json()["calls"]
    assert [call["call_id"] for call in silent] == ["silent-2", "silent-1"]
    late = (await page.get(f"calls?since_ms={T0 + 45_000}")).json()["calls"]
    assert [call["call_id"] for call in late] == ["observed-1"]


async def test_one_call_has_its_timeline_with_reasons(page: Page) -> None:
    detail = (await page.get("calls/main/silent-1")).json()
    last = detail["happenings"][-1]
    assert (last["kind"], last["what"], last["at_ms"] - T0) == ("decided", "silent", 20_019)
    assert last["why"] == "nobody was heard to the end of the ladder"


async def test_the_export_has_every_call_masked(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_api, "EXPORT_PAGE", 2)
    answer = await page.get("calls/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 7
    assert {row["caller_number"] for row in rows} == {"•••00"}
    assert "export calls" in [line["action"] for line in page.audited()]


async def test_silence_by_day_cause_and_observe_mode(page: Page) -> None:
    answer = (await page.get(f"silence?since_ms={T0 - 1}&until_ms={T0 + 86_400_000}")).json()
    assert sum(day["silent"] for day in answer["days"]) == 2
    assert sum(day["screened"] for day in answer["days"]) == 6
    (trunk,) = answer["by_trunk"]
    assert (trunk["name"], trunk["silent"], trunk["quiet"], trunk["rescued"]) == ("PJSIP/trunk", 2, 0, 0)
    (observed,) = answer["observed"]
    assert (observed["would_hang_up"], observed["false_hang_ups"]) == (1, 1)


async def test_silent_quiet_and_rescued_callers_by_cause_and_trunk_day_by_day(page: Page) -> None:
    day_ms, hour_ms = 86_400_000, 3_600_000
    midnight_in_shanghai = (T0 + 8 * hour_ms) // day_ms * day_ms - 8 * hour_ms + day_ms
    more = [  # hours after the next midnight in Shanghai, result, heard, trunk
        (-1, Result.QUIET, Heard.QUIET, "PJSIP/trunk"),
        (1, Result.QUIET, Heard.QUIET, "PJSIP/trunk"),
        (2, Result.RESCUED, Heard.SPEECH, "PJSIP/other"),
        (3, Result.SILENT, Heard.NOISE, "PJSIP/other"),
        (4, Result.SPOKE, Heard.SPEECH, "PJSIP/other"),
    ]
    with Store(page.folder / "callflow.db", "main") as store:
        for n, (hours, result, heard, trunk) in enumerate(more):
            call = ended(live_call(f"more-{n}", midnight_in_shanghai + hours * hour_ms), result)
            store.save(replace(call, heard=heard, channel=f"{trunk}-0000000{n}"), final=True)
    period = f"since_ms={T0 - 1}&until_ms={T0 + 3 * day_ms}&offset_min=480"
    answer = (await page.get(f"silence?{period}")).json()
    causes = {group["name"]: group for group in answer["by_heard"]}
    assert set(causes) == {"", "quiet", "speech", "noise"}
    assert [(one["day_ms"] - midnight_in_shanghai, one["quiet"]) for one in causes["quiet"]["days"]] == [
        (-day_ms, 1),
        (0, 1),
    ]
    trunks = {group["name"]: (group["silent"], group["quiet"], group["rescued"]) for group in answer["by_trunk"]}
    assert trunks == {"PJSIP/trunk": (2, 2, 0), "PJSIP/other": (1, 0, 1)}
    for kind in ("silent", "quiet", "rescued"):
        by_day = {day["day_ms"]: day[kind] for day in answer["days"]}
        for groups in (answer["by_heard"], answer["by_trunk"]):
            told: Counter[int] = Counter()
            for group in groups:
                assert group[kind] == sum(one[kind] for one in group["days"])
                told.update({one["day_ms"]: one[kind] for one in group["days"]})
            assert {day: n for day, n in told.items() if n} == {day: n for day, n in by_day.items() if n}


@pytest.mark.parametrize("asked", ["zone=Europe/Berlin", "zone=Nowhere/At_All&offset_min=60"])
async def test_a_local_day_is_one_on_both_sides_of_a_change_of_the_clock(page: Page, asked: str) -> None:
    """A call half an hour after midnight on 20 October, and one on 26 October; the clock goes back on the 25th."""
    summer, winter = 1_792_449_000_000, 1_792_971_000_000  # 00:30 in Berlin, at +02:00 and +01:00
    with Store(page.folder / "callflow.db", "main") as store:
        for n, at_ms in enumerate((summer, winter)):
            store.save(ended(live_call(f"clock-{n}", at_ms), Result.SILENT), final=True)
    period = f"since_ms={summer - 9_000_000}&until_ms={winter + 3_600_000}"
    answer = (await page.get(f"silence?{period}&{asked}")).json()
    half_hour = 1_800_000
    first = summer - half_hour if "Berlin" in asked else summer - half_hour - 23 * 3_600_000
    assert [(day["day_ms"], day["silent"]) for day in answer["days"]] == [(first, 1), (winter - half_hour, 1)]
    (cause,) = answer["by_heard"]
    assert [day["day_ms"] for day in cause["days"]] == [first, winter - half_hour]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("calls/main/nobody", 404),
        ("calls/main/%2e%2e%2fetc", 404),
        ("calls?limit=0", 422),
        ("calls?limit=9999", 422),
        ("calls?result=nonsense", 422),
        ("calls?cursor=%00", 404),
        ("calls?cursor=W10", 404),
        *((f"calls?cursor={cursor_of(said)}", 404) for said in NO_PLACES),
        ("calls?since_ms=99999999999999999999", 422),
        ("rings?since_ms=5&until_ms=5", 404),
        ("rings?since_ms=0&until_ms=9007199254740992", 404),
        ("silence?since_ms=0&until_ms=9&offset_min=9999", 422),
        ("nothing", 404),
    ],
)
async def test_a_bad_request_is_a_sentence(page: Page, path: str, status: int) -> None:
    answer = await page.get(path)
    assert answer.status_code == status
    assert answer.json()["problem"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("session", "DELETE, GET, POST"),
        ("calls/main/silent-1", "GET"),
        ("callbacks/cb-1/claim", "POST"),
        ("admin/tokens/0badf00d", "DELETE"),
    ],
)
async def test_another_method_is_refused_with_those_that_are_allowed(page: Page, path: str, allowed: str) -> None:
    answer = await page.client.put(f"/api/v1/{path}", headers={"X-Callflow": "1"})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_slow_query_ends_and_the_next_is_served(page: Page) -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
    page.site.database._timeout_s = 0.2

    def slow(reader: Reader) -> Any:
        import sqlalchemy as sa

        endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n"
        return reader.rows(sa.text(endless))

    from callflow.web.errors import QueryTooSlow

    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(QueryTooSlow):
            await page.site.database.ask(slow)
    assert time.monotonic() - began < 3
    page.site.database._timeout_s = 5.0
    async with asyncio.timeout(5):
        assert (await page.get("calls")).status_code == 200
    gc.collect()
    assert said == [], "asyncio logs a failure that nobody has looked at"


async def test_a_database_that_is_gone_is_a_sentence(page: Page) -> None:
    (page.folder / "callflow.db").rename(page.folder / "elsewhere.db")
    answer = await page.get("calls")
    assert answer.status_code == 503
    assert "there is no call database" in answer.json()["problem"]


async def test_every_answer_carries_the_policy(page: Page) -> None:
    for path in ("/", "/main.js", "/api/v1/session", "/nothing", "/../../etc/passwd"):
        answer = await page.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_files_are_compressed_and_not_sent_twice(page: Page) -> None:
    first = await page.client.get("/vendor/uplot.mjs", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    again = await page.client.get("/vendor/uplot.mjs", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_whole_page_weighs_less_than_120_kb(files: StaticFiles) -> None:
    assert files.packed_bytes < 120_000


async def test_an_answer_that_has_not_changed_is_not_sent_again(page: Page) -> None:
    headers = {"Authorization": f"Bearer {page.secret()}"}
    first = await page.client.get("/api/v1/calls", headers=headers)
    assert first.headers["cache-control"] == "private, no-cache"
    again = await page.client.get("/api/v1/calls", headers=headers | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await page.client.get("/api/v1/calls?limit=1", headers=headers | {"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_the_command_line_and_the_api_show_the_same_fields_with_the_same_values(page: Page) -> None:
    """What the API shows is part of what `--json` prints; the number alone is masked here, and whole there."""
    database = page.folder / "callflow.db"
    (printed,) = (
        one for one in json.loads(run("--json", "--db", database).stdout)["calls"] if one["call_id"] == "silent-1"
    )
    shown = next(one for one in (await page.get("calls")).json()["calls"] if one["call_id"] == "silent-1")
    assert (shown.pop("caller_number"), printed.pop("caller_number")) == ("•••00", "+1-555-0100")
    assert shown.items() <= printed.items()


async def test_one_call_has_the_same_fields_with_the_same_values_on_the_command_line(page: Page) -> None:
    with Store(page.folder / "callflow.db", "main") as store:
        for record in (samples.stay(), samples.offer(), samples.leg(), samples.talk(), samples.hold()):
            store.save(replace(record, call_id="silent"), final=True)
    printed = json.loads(run("show", "silent-1", "--json", "--db", page.folder / "callflow.db").stdout)
    shown = (await page.get("calls/main/silent-1")).json()
    assert shown.pop("assist_steps") == printed.pop("assist_steps") == []
    for name in ("happenings", "stays", "offers", "legs", "talks", "holds"):
        here, there = shown.pop(name), printed.pop(name)
        assert len(here) == len(there) > 0, name
        assert all(one.items() <= other.items() for one, other in zip(here, there, strict=True)), name
    shown.pop("caller_number")
    assert shown.items() <= printed.items()


async def test_steps_of_assistance_are_shown_and_printed(page: Page) -> None:
    (step,) = (await page.get("calls/main/spoke-0")).json()["assist_steps"]
    assert (step["kind"], step["what"], step["outcome"]) == ("said", "please_go_on", "reached")
    printed = run("show", "spoke-0", "--db", page.folder / "callflow.db").stdout
    assert "assistance said please_go_on: reached (the caller has stopped in mid-sentence)" in printed
