"""`callflow callbacks dial` against a database in which the daemon's steps are played."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.commands import callbacks_dial
from callflow.commands.callbacks_dial import dial_and_wait
from callflow.core.callbacks.attempt import Attempt, Outcome, step_of
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import State, Step
from callflow.errors import CallflowError
from callflow.settings.model import Settings
from tests.callbacks.day import RULES, T0


class Played(CallbackList):
    """A wish is carried out at once, and ends so."""

    outcome = Outcome.UNPLACED
    placed_ms: int | None = T0

    def wish(self, callback_id: str) -> Entry:
        """Another person's, which no daemon has seen yet."""
        return super().change(callback_id, partial(Entry.wished, agent="8001", at_ms=T0, actor="boss"))

    def change(self, callback_id: str, make: object) -> Entry:
        wished = super().change(callback_id, make)  # type: ignore[arg-type]
        attempt = Attempt("a-1", callback_id, "8012", "PJSIP/8012", "boss", "agent", T0, placed_ms=self.placed_ms)
        dialled = partial(Entry.step, step=Step.DIAL, at_ms=T0, actor="boss", why="calls", attempt_id="a-1")
        self.begin_attempt(attempt, dialled)
        ended = replace(attempt, outcome=self.outcome, ended_ms=T0, cause="Originate refused")
        end = partial(Entry.step, step=step_of(self.outcome, True), at_ms=T0, actor="callflow", why="ended")
        self.save_attempt(ended, end)
        return wished


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.setattr(callbacks_dial, "is_held", lambda path: True)
    made = Played(tmp_path / "callflow.db", "main")
    made.prepare()
    return made


def dial(entries: Played) -> Entry:
    entry, _ = entries.add(Wanted("13855550100", "default", Reason.SILENT, T0, "silent"), RULES, T0)
    settings = Settings.model_validate({"callbacks": RULES.model_dump()})
    return dial_and_wait(settings, entries._path, entries, entry.callback_id, "8012", "8012", as_json=True)


@pytest.mark.parametrize("placed_ms", [None, T0])
def test_a_call_that_was_not_placed_is_a_failure_also_if_asterisk_has_refused_it(
    entries: Played, placed_ms: int | None
) -> None:
    entries.placed_ms = placed_ms
    with pytest.raises(CallflowError, match="was not dialled: Originate refused"):
        dial(entries)


def test_a_call_that_nobody_took_is_an_outcome(entries: Played) -> None:
    entries.outcome = Outcome.NO_ANSWER
    assert dial(entries).state is State.TRIED


def test_a_call_that_somebody_else_has_asked_for_is_refused(entries: Played) -> None:
    entry, _ = entries.add(Wanted("13855550100", "default", Reason.SILENT, T0, "silent"), RULES, T0)
    wished = entries.wish(entry.callback_id)
    with pytest.raises(CallflowError, match="asked for already, for agent 8001"):
        dial(entries)
    assert entries.find(entry.callback_id) == wished
