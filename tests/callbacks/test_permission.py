"""Number, hours and holidays are looked at when a call is placed, whatever they were when the entry was raised."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.store.callback_list import CallbackList, _new_entry
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.runtime.callback_desk import CallbackDesk
from callflow.runtime.callback_dialler import CallbackDialler
from tests.callbacks.day import Phone, Recorder, World

NUMBER = "13855550101"
WORKDAY = {"zone": "Asia/Shanghai", "hours": ("mon-fri 09:00-18:00",)}


def ms(text: str) -> int:
    """A moment in Shanghai."""
    return round(datetime.fromisoformat(f"{text}+08:00").timestamp() * 1000)


FRIDAY_NOON, FRIDAY_EVENING, MONDAY = ms("2026-01-30T12:00"), ms("2026-01-30T18:00"), ms("2026-02-02T09:00")


def rules(profile: dict[str, Any] | None = None, **changes: Any) -> CallbackRules:
    made = CallbackProfile.model_validate(WORKDAY | {"after_s": 0} | (profile or {}))
    return CallbackRules.model_validate({"dial": "PJSIP/{number}@carrier", "profiles": {"default": made}} | changes)


def entry(path: Path, number: str = NUMBER, zone: str = "") -> Entry:
    entries = CallbackList(path / "callflow.db", "main")
    entries.prepare()
    wanted = Wanted(number, "default", Reason.SILENT, FRIDAY_NOON, "because", due_ms=FRIDAY_NOON, zone=zone)
    return entries.add(wanted, rules(), FRIDAY_NOON)[0]


def test_within_the_hours_the_bare_number_is_dialled(tmp_path: Path) -> None:
    assert may_dial(entry(tmp_path, "+86 (138) 5555-0101"), rules(), FRIDAY_NOON) == "+8613855550101"


@pytest.mark.parametrize(
    ("number", "zone", "now", "settings", "said"),
    [
        (NUMBER, "", FRIDAY_NOON, {"enabled": False}, "switched off"),
        (NUMBER, "", FRIDAY_NOON, {"dial": ""}, "does not know how to dial"),
        ("119", "", FRIDAY_NOON, {}, "emergency"),
        ("0119", "", FRIDAY_NOON, {}, "emergency"),
        ("anonymous", "", FRIDAY_NOON, {}, "not a number that can be dialled"),
        (NUMBER, "", FRIDAY_NOON, {"refused": (NUMBER,)}, "the settings refuse"),
        (NUMBER, "", FRIDAY_EVENING, {}, "outside the calling hours"),
        (NUMBER, "", FRIDAY_NOON, {"profile": {"holidays": ("2026-01-30",)}}, "outside the calling hours"),
        (NUMBER, "", FRIDAY_NOON, {"profile": {"zone": ""}}, None),
        (NUMBER, "Asia/Nowhere", FRIDAY_NOON, {}, "'Asia/Nowhere' is not known"),
        (NUMBER, "", FRIDAY_NOON, {"profile": {"hours": ()}}, "no calling hours are set"),
        (NUMBER, "America/New_York", FRIDAY_NOON, {}, "outside the calling hours"),
    ],
)
def test_what_is_looked_at_when_the_call_is_placed(
    tmp_path: Path, number: str, zone: str, now: int, settings: dict[str, Any], said: str | None
) -> None:
    """`said` None: it may be dialled. The entry keeps the zone that its due time was meant in."""
    raised, now_in_force = entry(tmp_path, number, zone), rules(**settings)
    if said is None:
        assert may_dial(raised, now_in_force, now) == number
        return
    with pytest.raises(NotAllowed, match=said) as refused:
        may_dial(raised, now_in_force, now)
    assert refused.value.remedy


@given(st.integers(ms("2020-01-01T00:00"), ms("2036-01-01T00:00")), st.sampled_from(["Europe/Berlin", "Asia/Shanghai"]))
def test_nobody_is_called_outside_the_wall_clock_of_the_window(now_ms: int, zone: str) -> None:
    """Leap days and clock changes included: the window is one of local time."""
    in_force = rules({"zone": zone})
    raised = _new_entry(Wanted(NUMBER, "default", Reason.SILENT, now_ms, "because"), in_force, now_ms)
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
    within = local.weekday() < 5 and 9 <= local.hour < 18
    try:
        assert may_dial(raised, in_force, now_ms) == NUMBER
        assert within
    except NotAllowed:
        assert not within


async def until(holds: Callable[[], bool]) -> None:
    """The desk looks twice a second, the dialler once: on a loaded machine that takes its time."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("profile", "due_ms", "said"),
    [
        ({}, MONDAY, "outside the calling hours"),
        ({"holidays": ("2026-02-02",)}, MONDAY + 86_400_000, "outside the calling hours"),
        ({"hours": ()}, FRIDAY_EVENING + 3_600_000, "no calling hours are set"),
    ],
)
async def test_an_entry_that_was_raised_in_time_waits_for_the_next_hours(
    tmp_path: Path, profile: dict[str, Any], due_ms: int, said: str
) -> None:
    raised = entry(tmp_path)
    in_force = rules(profile, auto=True, agent_rest_s=0)
    desk = CallbackDesk(in_force, tmp_path / "callflow.db", "main", Recorder(), lambda: FRIDAY_EVENING)
    world = World(random.Random(1))
    dialler = CallbackDialler(desk, Phone(world), lambda language, prompt: prompt, str, lambda: FRIDAY_EVENING)
    desk.start()
    dialler.link_up()
    entries = CallbackList(tmp_path / "callflow.db", "main")
    try:
        await until(lambda: entries.find(raised.callback_id).due_ms != raised.due_ms)
        found = entries.find(raised.callback_id)
        assert (found.due_ms, said in found.why, found.state) == (due_ms, True, "open")
        entries.change(raised.callback_id, lambda now: now.wished("8012", FRIDAY_EVENING, "boss"))
        desk.look_soon()
        await until(lambda: not entries.find(raised.callback_id).wish)
        assert said in entries.find(raised.callback_id).why
    finally:
        await dialler.stop()
        await desk.stop()
    assert world.placed == {}
