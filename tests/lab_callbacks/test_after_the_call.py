"""Rows A1 to A3 on a real Asterisk: who is put on the list, judged by SIP, RTP, webhooks, metrics and database."""

import asyncio
import csv
import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from callflow.adapters.store.case_list import CaseList
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.states import State
from callflow.core.cases import HOUR_MS
from callflow.lab.sipp import Caller
from callflow.lab.wire import Wire
from callflow.processes.daemon import Config, Daemon
from callflow.scenarios.site import Version
from callflow.sound.audio import Sound, timeline, write_mulaw
from tests.lab_callbacks.stage import Pair, Stage, answers, stage, takes
from tests.labs import EACH_ASTERISK
from tests.publishing.test_schemas import check
from tests.webhooks.receiver import Receiver, receiving, webhooks_to

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

NEWS_H = 48.0
BRIEF_S, LONG_S = 0.8, 2.6

FIVE, FOUR, TWO = Pair(0), Pair(1), Pair(2)
"""Short calls by the default rule (five), one fewer, and as many as their profile asks for."""
SOON, LATER = Pair(3), Pair(4)
"""Two short calls within the window of their profile, and one beyond it."""
SHORT, LONG = Pair(5), Pair(6)
"""Two calls shorter and longer than their profile's short call."""
SILENT, QUIET, SPEAKS = Pair(7), Pair(8), Pair(9)
LATE, DUE, RINGS_IN, RUNG_UP, CLOSED = (Pair(number) for number in range(10, 15))
"""Callers of cases: overdue; due; due, but they talk to an agent first, in a call from them or to them; closed."""
DUE_SOON = (LATE, DUE, RINGS_IN, RUNG_UP)

RAISED = {
    FIVE: ("repeated",),
    TWO: ("repeated",),
    SOON: ("repeated",),
    SHORT: ("repeated",),
    SILENT: ("silent", "repeated"),
    QUIET: ("quiet",),
}
NOT_RAISED = (FOUR, LATER, LONG, SPEAKS)


def raised(version: Version) -> dict[Pair, tuple[str, ...]]:
    """Asterisk 16 has no tap, and without a tap callflow never hangs up on a caller as quiet."""
    return {pair: reasons for pair, reasons in RAISED.items() if pair is not QUIET or version == "22"}


def rules() -> dict[str, Any]:
    """Each profile differs from the default in one thing."""
    anytime = {"zone": "UTC", "hours": ["mon-sun 00:00-24:00"], "after_s": 0}
    return {
        "default": anytime,
        "two": anytime | {"short_calls": 2},
        "window": anytime | {"short_calls": 2, "window_h": 2.5 / 3600},
        "length": anytime | {"short_calls": 2, "short_call_s": 1.7},
        "brief": anytime | {"short_calls": 2},
    }


def settings(on: Stage, receiver: Receiver, http: int) -> Config:
    """A ladder without prompts hangs up on a silent or quiet caller within seconds."""
    brief = {"ladder": "brief", "quiet": {"ladder": "brief_quiet"}, "media_wait_s": 0.0}
    end = {"listen_s": 1.0, "then": "hang_up", "pause_s": 0.3}
    return on.settings(case_news_h=NEWS_H, profiles=rules()) | {
        "profiles": {"support": {}, "two": {}, "window": {}, "length": {}, "brief": brief},
        "ladders": {
            "brief": {"rungs": [{"listen_s": 1.0, "then": "next"}, end]},
            "brief_quiet": {"rungs": [{"raise_gain": True, "listen_s": 0.0, "then": "next"}, end]},
        },
        "webhooks": webhooks_to(receiver),
        "http": {"port": http},
    }


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_who_comes_on_the_list_and_what_becomes_of_them(version: Version) -> None:
    async with receiving() as receiver, stage(version) as on:
        http = on.lab.ports.named()
        daemon = await on.lab.start_daemon(settings(on, receiver, http))
        for pair in (*RAISED, *NOT_RAISED, *DUE_SOON, CLOSED):
            on.phones(pair, takes(), answers())
        async with on.lab.capture() as capture:
            await asyncio.gather(_come_and_are_called_back(on), _cases(on, daemon, http))
        _was_as_meant(on, await asyncio.to_thread(on.lab.read, capture))
        await on.until(lambda: _told(receiver)["done"] >= len(raised(version)))
        assert _names(receiver)["alert.case_overdue"] == 1
        for headers, body in receiver.arrivals:
            check(f"event.{headers['callflow-event']}", body.decode())
        assert on.bank.failures == []


def _entries(on: Stage, *pairs: Pair) -> dict[Pair, Entry]:
    by_number = {entry.number: entry for entry in on.entries.entries()}
    return {pair: by_number[pair.customer] for pair in pairs if pair.customer in by_number}


async def _come_and_are_called_back(on: Stage) -> None:
    """Each caller of a row has one entry, and is called once; the others have none, and are not called."""
    await _callers(on)
    expected = raised(on.lab.version)
    await on.until(lambda: _reasons(on) == expected)
    entries = _entries(on, *RAISED, *NOT_RAISED)
    for pair, entry in entries.items():
        on.wish(pair, entry)
    settled = [await on.settled(entry) for entry in entries.values()]
    assert {entry.state for entry in settled} == {State.DONE}
    assert Counter(entry.number for entry in on.entries.entries()).most_common(1)[0][1] == 1
    called = {pair: len(on.invites(pair.customer)) for pair in (*RAISED, *NOT_RAISED)}
    assert called == {pair: int(pair in expected) for pair in called}


def _reasons(on: Stage) -> dict[Pair, tuple[str, ...]]:
    return {pair: entry.reasons for pair, entry in _entries(on, *RAISED, *NOT_RAISED).items()}


def _was_as_meant(on: Stage, wire: Wire) -> None:
    """On the wire, the callers did what the rows describe."""
    hung_up_on = {SILENT: 2} | ({QUIET: 1} if QUIET in raised(on.lab.version) else {})
    calls = {pair: wire.of(pair.customer) for pair in (*RAISED, *NOT_RAISED)}
    assert [len(calls[pair]) for pair in (FIVE, FOUR, TWO, SOON, LATER, SHORT, LONG)] == [5, 4, 2, 2, 2, 2, 2]
    for pair, times in hung_up_on.items():
        assert [(call.ended_by, call.agent_reached) for call in calls[pair]] == [("asterisk", False)] * times
    assert [call.agent_reached for call in calls[SPEAKS]] == [True]


def _told(receiver: Receiver) -> Counter[str]:
    """States of call-backs that the webhook has received."""
    bodies = [json.loads(body) for headers, body in receiver.arrivals if headers["callflow-event"] == "call.callback"]
    return Counter(body["data"]["state"] for body in bodies)


def _names(receiver: Receiver) -> Counter[str]:
    return Counter(headers["callflow-event"] for headers, _ in receiver.arrivals)


# -- callers ------------------------------------------------------------------------------------------------------


async def _callers(on: Stage) -> None:
    """A1: callers who hang up; A2: callers who are hung up on."""
    low = [] if on.lab.version == "16" else [_rings(on, QUIET, "brief", 1, 20.0, audio=_speech(on, "low", -58.0))]
    await asyncio.gather(
        *low,
        _rings(on, FIVE, "support", 5),
        _rings(on, FOUR, "support", 4),
        _rings(on, TWO, "two", 2),
        _rings(on, SOON, "window", 2),
        _rings(on, LATER, "window", 2, every_s=4.0),
        _rings(on, SHORT, "length", 2),
        _rings(on, LONG, "length", 2, LONG_S),
        _rings(on, SILENT, "brief", 2, 20.0, audio=_nothing(on), every_s=4.0),
        _rings(on, SPEAKS, "support", 1, 20.0, audio=_speech(on, "loud", -26.0)),
    )


async def _rings(
    on: Stage, pair: Pair, profile: str, calls: int, lasts_s: float = BRIEF_S, *, audio: Path | None = None,
    every_s: float = 0.0,
) -> None:  # fmt: skip
    """The caller of a pair rings so often: after the last call, or every so many seconds."""
    caller = Caller(pair.customer, f"dial_en_{profile}", audio, hang_up_at_s=lasts_s)
    for number in range(calls):
        began = time.monotonic()
        assert await (await on.lab.call(caller)).wait(30.0) == 0
        if number + 1 < calls:
            await asyncio.sleep(max(0.1, every_s - (time.monotonic() - began)))


def _nothing(on: Stage) -> Path:
    return write_mulaw(on.lab.work / "nothing.ul", timeline((), 20.0, on.lab.voice))


def _speech(on: Stage, name: str, level_dbov: float) -> Path:
    sound = Sound(0.3, "speech", 20.0, level_dbov)
    return write_mulaw(on.lab.work / f"{name}.ul", timeline([sound], 20.0, on.lab.voice))


# -- cases --------------------------------------------------------------------------------------------------------


async def _cases(on: Stage, daemon: Daemon, http: int) -> None:
    """Imported, added and closed by command; an overdue one raises alert and metric until its caller is reached."""
    cases = CaseList(on.lab.work / "callflow.db", "main")
    await asyncio.gather(
        _command(daemon, "cases", "add", "T-new", "--kind", "installation"),
        _command(daemon, "cases", "import", str(_case_file(on))),
    )
    await _command(daemon, "cases", "close", "T-closed", "works again")
    new = cases.find("T-new")
    assert new.news_due_ms - new.opened_ms == 24 * HOUR_MS
    await on.until(lambda: set(_entries(on, *DUE_SOON)) == {*DUE_SOON})
    assert _steps(cases, "T-late") == ["opened", "overdue", "reminded"]
    assert [_steps(cases, name) for name in ("T-due", "T-new", "T-closed")] == [
        ["opened", "reminded"],
        ["opened"],
        ["opened", "closed"],
    ]
    assert await _overdue(http) == 1
    entries = _entries(on, *DUE_SOON)
    calls = (
        on.bank.phones[RINGS_IN.customer].call(RINGS_IN.queue),
        on.bank.phones[RUNG_UP.agent].call(RUNG_UP.customer),
    )
    for pair in (RINGS_IN, RUNG_UP):
        await on.until(partial(_is_done, on, entries[pair]))
        assert on.outcomes(entries[pair]) == []
    for call in calls:
        await call.hang_up()
    for pair in (LATE, DUE):
        on.wish(pair, entries[pair])
    for pair in (LATE, DUE):
        now = await on.settled(entries[pair])
        assert (now.state, on.outcomes(now), len(on.invites(pair.customer))) == (State.DONE, ["reached"], 1)
    for name in ("T-late", "T-due"):
        await on.until(partial(_had_news, cases, name))
        assert cases.find(name).news_due_ms == pytest.approx(1000 * time.time() + NEWS_H * HOUR_MS, abs=60_000)
    assert await _overdue(http) == 0
    assert on.invites(RINGS_IN.customer) == on.invites(CLOSED.customer) == []


def _case_file(on: Stage) -> Path:
    """Opened so many hours ago; news is due after 48."""
    opened = (
        ("late", LATE, 50),
        ("due", DUE, 47.5),
        ("in", RINGS_IN, 47.5),
        ("up", RUNG_UP, 47.5),
        ("closed", CLOSED, 1),
    )
    path = on.lab.work / "cases.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["reference", "number", "opened"])
        for name, pair, hours in opened:
            writer.writerow([f"T-{name}", pair.customer, (datetime.now(UTC) - timedelta(hours=hours)).isoformat()])
    return path


def _is_done(on: Stage, entry: Entry) -> bool:
    return on.entries.find(entry.callback_id).state is State.DONE


def _steps(cases: CaseList, reference: str) -> list[str]:
    return [change.step.value for change in cases.changes(reference)]


def _had_news(cases: CaseList, reference: str) -> bool:
    return _steps(cases, reference)[-1] == "news"


async def _overdue(http: int) -> int:
    """The metric of open cases whose news is overdue."""
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"http://127.0.0.1:{http}/metrics")).text.splitlines()
    (value,) = [line.split()[-1] for line in lines if line.startswith("callflow_cases_overdue")]
    return round(float(value))


async def _command(daemon: Daemon, *arguments: str) -> None:
    program = (sys.executable, "-m", "callflow", "-c", str(daemon.work / "callflow.toml"), *arguments)
    process = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
