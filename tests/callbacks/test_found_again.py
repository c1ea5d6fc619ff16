"""After a start: callers are found again in what this daemon recorded, whatever else is in the database."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.store import Store
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import Step
from callflow.core.rings.records import Outcome
from callflow.core.screening.states import Result
from callflow.runtime.callback_desk import CallbackDesk
from tests.publishing import samples
from tests.store.samples import ended, live_call

EVER_OPEN = CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))
RULES = CallbackRules(profiles={"default": EVER_OPEN, "support": EVER_OPEN})
MINUTE_MS = 60_000
NOW_MS = samples.T0 + 60 * MINUTE_MS


class Nobody:
    def save(self, record: object, final: bool) -> None: ...

    async def flush(self, timeout_s: float) -> bool:
        return True


def save(database: Path, node: str, records: Iterable[object]) -> None:
    with Store(database, node) as store:
        for record in records:
            store.save(record, True)


async def start(database: Path, node: str) -> list[Entry]:
    """A daemon starts and looks at its records; the live entries of its list."""
    desk = CallbackDesk(RULES, database, node, Nobody(), lambda: NOW_MS)
    await desk._catch_up()
    await desk._save_wanted()
    return CallbackList(database, node).live()


def step(kind: StepKind, number: str, *, after_ms: int = 0, what: str = "") -> AssistStep:
    base = samples.assist_step(kind, "")
    at_ms = base.at_ms + after_ms
    step_id = f"{number}-{kind.value}-{what}"
    return replace(base, step_id=step_id, caller_number=number, at_ms=at_ms, what=what, lasted_ms=after_ms)


async def test_a_daemon_calls_back_its_own_callers_alone(tmp_path: Path) -> None:
    """Several daemons share one database: the other one has called this caller back already."""
    database = tmp_path / "callflow.db"
    silent = replace(ended(live_call("b-1", samples.T0), Result.SILENT, 22_000), caller_number="+15550101")
    short = [
        samples.stay(number, Outcome.ABANDONED_RINGING, 20_000, at_ms=samples.T0 + number * MINUTE_MS)
        for number in range(6)
    ]
    save(database, "b", [silent, *short, step(StepKind.CALLBACK_ACCEPTED, "+15550102")])
    save(database, "a", short[:2])
    wanted = await start(database, "b")
    assert sorted(entry.number for entry in wanted) == ["+15550100", "+15550101", "+15550102"]
    for entry in wanted:
        CallbackList(database, "b").change(
            entry.callback_id, lambda now: now.step(Step.DONE, NOW_MS, "8012", "reached")
        )
    assert await start(database, "b") == []
    assert await start(database, "a") == []


async def test_callers_of_talks_whose_entry_was_lost_are_found_again(tmp_path: Path) -> None:
    database = tmp_path / "callflow.db"
    steps = [
        step(StepKind.CALLBACK_ACCEPTED, "+15550100"),
        step(StepKind.NAME_RECORDED, "+15550100", after_ms=9000, what="name-1"),
        step(StepKind.CALLBACK_ASKED, "+15550101"),
        step(StepKind.HUNG_UP, "+15550102"),
        step(StepKind.CALLBACK_OFFERED, ""),
        step(StepKind.SAID, ""),
    ]
    save(database, "main", steps)
    found = {entry.number: (entry.reasons, entry.spoken_name, entry.queue) for entry in await start(database, "main")}
    assert found == {
        "+15550100": (("offer",), "name-1", "support"),
        "+15550101": (("offer",), "", "support"),
        "+15550102": (("silent",), "", "support"),
    }


async def test_a_further_start_changes_no_entry(tmp_path: Path) -> None:
    """A caller has accepted twice and said two names: the last one counts."""
    database = tmp_path / "callflow.db"
    names = [
        step(StepKind.NAME_RECORDED, "+15550100", after_ms=9000, what="name-1"),
        step(StepKind.NAME_RECORDED, "+15550100", after_ms=90_000, what="name-2"),
    ]
    save(database, "main", [step(StepKind.CALLBACK_ACCEPTED, "+15550100"), *names])
    (first,) = await start(database, "main")
    assert first.spoken_name == "name-2"
    assert await start(database, "main") == [first]
    assert len(CallbackList(database, "main").changes(first.callback_id)) == 2, "on the list, and the name"
