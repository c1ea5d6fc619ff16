"""Spoken names: how one comes on the list, and when its file is deleted."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.names_of_callers import DELETED
from callflow.adapters.store.unpublished import Unpublished
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.steps import StepKind
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Raising, Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import State, Step
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.errors import StoreError
from callflow.records.callbacks import CALLBACK_CHANGES
from callflow.runtime.spoken_names import SpokenNames
from tests.publishing.samples import assist_step

T0 = 1_769_817_600_000
HOUR_MS = 3_600_000
NUMBER = "+15550100"
RULES = CallbackRules()


class Place:
    """The list, the folder, and a clock."""

    def __init__(self, folder: Path, keep_h: float = 24.0) -> None:
        self.now_ms = T0
        self.folder = folder / "names"
        self.folder.mkdir()
        self.list = CallbackList(folder / "callflow.db", "main")
        self.list.prepare()
        rules = AssistRules(names_dir=self.folder, names_keep_h=keep_h)
        self.names = SpokenNames(rules, folder / "callflow.db", lambda: self.now_ms)

    def record(self, name: str, age_s: float = 7200) -> Path:
        """A file that is older than one that may still be saved."""
        path = self.names.path_of(name)
        path.write_bytes(bytes(2000))
        then = time.time() - age_s
        os.utime(path, (then, then))
        return path

    def accepts(self, name: str = "", at_ms: int = T0) -> Entry:
        """The caller accepts a call-back, and then says a name."""
        for spoken in dict.fromkeys(("", name)):
            wanted = Wanted(NUMBER, "default", Reason.OFFER, at_ms, "accepted", spoken_name=spoken)
            entry = self.list.add(wanted, RULES, self.now_ms)[0]
        return entry

    def settle(self, entry: Entry) -> None:
        self.list.change(entry.callback_id, lambda now: now.step(Step.DONE, self.now_ms, "anna", "reached"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_name_comes_to_the_entry_of_the_call_back_that_was_accepted(place: Place) -> None:
    accepted = replace(assist_step(StepKind.CALLBACK_ACCEPTED, ""), caller_number=NUMBER, at_ms=T0)
    said = replace(accepted, kind=StepKind.NAME_RECORDED, what="a-1", at_ms=T0 + 9000, lasted_ms=9000)
    raising = Raising(RULES)
    first, second = (place.list.add(raising.receive(step, True)[0], RULES, T0)[0] for step in (accepted, said))
    assert (first.callback_id, first.spoken_name, second.spoken_name) == (second.callback_id, "", "a-1")
    assert second.reasons == ("offer",)
    assert [change.spoken_name for change in place.list.changes(first.callback_id)] == ["", "a-1"]
    assert place.list.find(first.callback_id) == second


def test_a_name_for_an_entry_that_was_settled_meanwhile_raises_no_new_one(place: Place) -> None:
    entry = place.accepts()
    place.now_ms += 5000
    place.settle(entry)
    said = replace(
        assist_step(StepKind.NAME_RECORDED, ""), what="a-1", caller_number=NUMBER, at_ms=T0 + 9000, lasted_ms=9000
    )
    found, new = place.list.add(Raising(RULES).receive(said, True)[0], RULES, place.now_ms)
    assert (found.callback_id, found.spoken_name, new) == (entry.callback_id, "", False)


def test_the_event_tells_that_there_is_a_name_and_not_which(place: Place) -> None:
    changes = place.list.changes(place.accepts("a-1").callback_id)
    names = Pseudonymizer(b"k" * 32, PrivacyRules())
    assert CALLBACK_CHANGES.event is not None
    told = [CALLBACK_CHANGES.event.facts(change, names).data for change in changes]
    assert [data["spoken_name"] for data in told] == [False, True]
    assert "a-1" not in str(told)


def test_a_name_is_deleted_some_time_after_its_call_back_was_settled(place: Place) -> None:
    file, entry = place.record("a-1"), place.accepts("a-1")
    place.now_ms += 100 * HOUR_MS
    place.names.sweep()
    assert file.exists(), "a live call-back keeps its name"
    place.settle(entry)
    place.now_ms += 23 * HOUR_MS
    place.names.sweep()
    assert file.exists()
    assert place.list.find(entry.callback_id).spoken_name == "a-1"
    place.now_ms += 2 * HOUR_MS
    place.names.sweep()
    assert not file.exists()
    now, steps = place.list.find(entry.callback_id), place.list.changes(entry.callback_id)
    assert (now.spoken_name, now.state, now.revision) == ("", State.DONE, steps[-1].revision)
    assert (steps[-1].why, steps[-1].number, steps[-1].spoken_name) == (DELETED, NUMBER, "")
    unpublished = Unpublished(place.list._path, "main").read().steps
    assert unpublished[-1] == steps[-1], "what follows the list is told"
    place.names.sweep()
    assert place.list.changes(entry.callback_id) == steps


def test_a_name_that_is_gone_already_is_no_error(place: Place) -> None:
    entry = place.accepts("a-1")
    place.settle(entry)
    place.now_ms += 25 * HOUR_MS
    place.names.sweep()
    assert place.list.find(entry.callback_id).spoken_name == ""
    place.names.delete(["a-1"])


def test_files_that_no_call_back_names_are_deleted_unless_they_are_new(place: Place) -> None:
    left, replaced, fresh = place.record("a-1"), place.record("b-1"), place.record("c-1", age_s=600)
    place.accepts("b-1")
    kept = place.record("d-1")
    place.accepts("d-1")
    foreign = place.folder / "notes.txt"
    foreign.write_text("not ours")
    os.utime(foreign, (0, 0))
    place.names.sweep()
    assert [path.exists() for path in (left, replaced, fresh, kept, foreign)] == [False, False, True, True, True]


def test_without_the_list_nothing_is_deleted(place: Place, tmp_path: Path) -> None:
    file = place.record("a-1")
    (tmp_path / "callflow.db").write_bytes(b"no database at all, and long enough to be read as one" * 20)
    with pytest.raises(StoreError):
        place.names.sweep()
    assert file.exists()
    (tmp_path / "callflow.db").unlink()
    place.names.sweep()
    assert file.exists()


def test_what_asterisk_plays_has_no_extension_and_is_nothing_without_a_file(place: Place) -> None:
    assert place.names.sound_of("a-1") == ""
    assert place.names.sound_of("") == ""
    place.record("a-1")
    assert place.names.sound_of("a-1") == str(place.folder / "a-1")


@pytest.mark.parametrize("folder", ["names", "/var/../etc", "/a b", "/a&b", "/a,b", "/a^b", "/${X}"])
def test_a_folder_that_the_dialplan_would_misread_is_refused(folder: str) -> None:
    with pytest.raises(ValueError, match="absolute path"):
        AssistRules(names_dir=Path(folder))
