"""Every query of the dashboard, asked of a real Prometheus that scraped a real daemon's web side."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callflow.adapters.http.sample import OutboxSample
from callflow.core.heard import Heard
from callflow.core.rings.records import AnswerClass, Outcome
from callflow.core.screening.states import Result
from callflow.processes.ports import take_ports
from callflow.records.kind import Record
from tests.metrics.scraped import sample_at
from tests.metrics.test_http import Served
from tests.publishing import samples
from tests.services.prometheus import Prometheus

DASHBOARD = Path(__file__).resolve().parents[2] / "config" / "grafana" / "dashboards" / "callflow.json"
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "15s", "$queue": ".*", "$trunk": ".*"}
CLASSES = (AnswerClass.EARLY, AnswerClass.ACCEPTABLE, AnswerClass.IDEAL, AnswerClass.LATE, AnswerClass.UNANSWERED)


def some_calls() -> list[Record]:
    """A few calls of every kind."""
    quiet = replace(samples.call(1, Result.QUIET), heard=Heard.QUIET)
    muted = replace(samples.call(2), heard=Heard.DIGITAL_SILENCE)
    records: list[Record] = [quiet, muted]
    records += [samples.call(n, result) for n, result in enumerate(Result, 3)]
    for n, outcome in enumerate(Outcome, 20):
        records.append(samples.stay(n, outcome, wait_ms=1000 * n))
    for n, answer in enumerate(CLASSES, 40):
        records += [samples.offer(n, answer, ring_ms=400 * (n - 39) ** 2), samples.leg(n, answer)]
    return records


def history(now_s: float) -> str:
    """Two hours of a trunk, until an hour ago: what a week's baseline is made of."""
    lines = ["# TYPE callflow_screened_calls counter"]
    for result, each in (("spoke", 5), ("silent", 1)):
        for step in range(13):
            labels = f'job="callflow",instance="past",trunk="PJSIP/carrier",result="{result}"'
            at_s = int(now_s) - 3 * 3600 + 600 * step
            lines.append(f"callflow_screened_calls_total{{{labels}}} {each * step} {at_s}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def queries() -> list[tuple[str, str]]:
    """(title of the panel, expression) with Grafana's variables filled in."""
    found = []
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            found.append((panel["title"], expression))
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    with take_ports() as ports:
        async with Served() as served:
            now_ms = time.time_ns() // 1_000_000
            served.sample = replace(sample_at(now_ms), outbox=OutboxSample(3, now_ms - 4000, 0, 7))
            served.web.count(*some_calls())
            prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), ports.named(), served.server.port)
            await prometheus.backfill(history(time.time()))
            await prometheus.start()
            try:
                await scraped(prometheus, 2)
                for _ in range(10):
                    served.web.count(*some_calls())
                    served.web.lags.ami_event.observe(0.003)
                    served.web.lags.loop.observe(0.001)
                await scraped(prometheus, 6)
                yield prometheus
            finally:
                await prometheus.stop()


async def scraped(prometheus: Prometheus, seconds: float) -> None:
    """Wait for the first scrape that is so much later than now."""
    until_s = time.time() + seconds
    async with asyncio.timeout(60):
        while not await prometheus.query(f"timestamp(callflow_calls_live) >= {until_s}"):  # noqa: ASYNC110
            await asyncio.sleep(0.3)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("title", "expression"), queries(), ids=[f"{n}" for n, _ in enumerate(queries())])
async def test_every_panel_has_something_to_show(prometheus: Prometheus, title: str, expression: str) -> None:
    result = await prometheus.query(expression)
    assert result, f"{title}: {expression} gives nothing"
    assert any(sample["value"][1] != "NaN" for sample in result), f"{title}: {expression}"


@pytest.mark.asyncio(loop_scope="module")
async def test_figures_are_the_right_ones(prometheus: Prometheus) -> None:
    async def one(expression: str) -> float:
        (sample,) = await prometheus.query(expression)
        return float(sample["value"][1])

    late = await one('callflow:answered_late:ratio15m{target="support"}')
    assert late == pytest.approx(0.25)
    # In a round one caller is answered, after 20 s, and four give up, one of them after an agent had hung up.
    answered, gone = 1, 4
    assert await one('callflow:service_level:ratio15m{queue="support"}') == pytest.approx(1 / (answered + gone))
    past = await one('callflow:trunk_silent:ratio7d{trunk="PJSIP/carrier"}')
    assert past == pytest.approx(1 / 6, rel=0.01)


def test_the_dashboard_is_about_what_people_watch() -> None:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    assert dashboard["uid"] == "callflow"
    titles = {panel["title"] for panel in dashboard["panels"]}
    assert {"Rings until answered", "The four classes", "Rescued callers", "Callers waiting"} <= titles
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "callflow", panel["title"]
            assert not re.search(r"\$(?!__range|__rate_interval|queue|trunk)", target["expr"]), panel["title"]
