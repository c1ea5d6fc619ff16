"""Stored calls and reports over the API, and what becomes of bad requests."""

import asyncio
import csv
import io
import time
from typing import Any

import pytest

from callflow.adapters.store.queries import Reader
from callflow.commands.calls_list import call_json
from callflow.records.calls import StoredCall
from callflow.web.calls_api import call_row
from callflow.web.static_files import StaticFiles
from tests.store.samples import T0, ended, live_call
from tests.web.conftest import Page


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
    last = detail["timeline"][-1]
    assert (last["kind"], last["what"], last["at_ms"] - T0) == ("decided", "silent", 20_019)
    assert last["why"] == "nobody was heard to the end of the ladder"


async def test_the_export_has_every_call_masked(page: Page) -> None:
    answer = await page.get("calls/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 7
    assert {row["caller"] for row in rows} == {"•••00"}
    assert "export calls" in [line["action"] for line in page.audited()]


async def test_silence_by_day_cause_and_observe_mode(page: Page) -> None:
    answer = (await page.get(f"silence?since_ms={T0 - 1}&until_ms={T0 + 86_400_000}")).json()
    assert sum(day["silent"] for day in answer["days"]) == 2
    assert sum(day["screened"] for day in answer["days"]) == 6
    assert answer["by_trunk"] == {"PJSIP/trunk": 2}
    (observed,) = answer["observed"]
    assert (observed["would_hang_up"], observed["false_hang_ups"]) == (1, 1)


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


async def test_a_slow_query_ends_and_the_next_is_served(page: Page) -> None:
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


def test_the_command_line_and_the_api_name_the_fields_of_a_call_alike() -> None:
    stored = StoredCall(ended(live_call()), "main", interrupted=False)
    printed, shown = call_json(stored), call_row(stored).model_dump()
    assert shown.keys() - printed.keys() == {"caller"}  # masked here, whole there
    assert {name: printed[name] for name in shown if name != "caller"} == {
        name: value for name, value in shown.items() if name != "caller"
    }
