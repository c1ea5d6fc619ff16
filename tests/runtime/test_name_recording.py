"""Recording a name: whatever fails comes back as a sentence, and what holds no name is deleted."""

import asyncio
from pathlib import Path

import pytest

from callflow.core.assist.commands import RecordName
from callflow.core.assist.facts import NameOver
from callflow.core.assist.rules import AssistRules
from callflow.errors import ActionRefused
from callflow.runtime import name_recording
from callflow.runtime.name_recording import NameRecording
from callflow.runtime.spoken_names import SpokenNames

COMMAND = RecordName("1.1-2", "1-1-2", "1.1", 5)


class Asterisk:
    """Records so many bytes, or refuses."""

    def __init__(self, size: int | None = 20_000, *, refuses: bool = False) -> None:
        self.size, self.refuses = size, refuses
        self.stopped: list[str] = []
        self.asked: list[tuple[str, str, int]] = []
        self.begun = asyncio.Event()

    async def record_name(self, name_id: str, uniqueid: str, path: str, longest_s: int) -> None:
        self.asked.append((uniqueid, path, longest_s))
        if self.refuses:
            raise ActionRefused("Originate", "Permission denied")
        if self.size is not None:
            Path(f"{path}.wav").write_bytes(bytes(self.size))  # noqa: ASYNC240 - a small file of a test
        self.begun.set()

    async def stop_recording(self, name_id: str) -> None:
        self.stopped.append(name_id)


def recording(phone: Asterisk, folder: Path) -> NameRecording:
    return NameRecording(phone, SpokenNames(AssistRules(names_dir=folder), folder / "callflow.db", lambda: 0))


async def recorded(phone: Asterisk, folder: Path) -> NameOver:
    """What is told of a recording that Asterisk ends."""
    part = recording(phone, folder)
    task = asyncio.create_task(part.record(COMMAND))
    await phone.begun.wait()
    assert not task.done()
    part.over("another")
    part.over(COMMAND.name_id)
    return await task


async def test_a_name_is_recorded_into_the_folder(tmp_path: Path) -> None:
    phone = Asterisk()
    assert await recorded(phone, tmp_path) == NameOver(COMMAND.talk_id, COMMAND.name_id, "")
    assert phone.asked == [("1.1", str(tmp_path / "1-1-2"), 5)]


@pytest.mark.parametrize(("size", "problem"), [(None, "recorded nothing"), (44, "sent nothing")])
async def test_a_recording_without_sound_is_a_problem(tmp_path: Path, size: int | None, problem: str) -> None:
    assert problem in (await recorded(Asterisk(size), tmp_path)).problem


async def test_an_asterisk_that_refuses_is_a_problem(tmp_path: Path) -> None:
    over = await recording(Asterisk(refuses=True), tmp_path).record(COMMAND)
    assert "Permission denied" in over.problem


async def test_without_the_folder_nothing_is_recorded(tmp_path: Path) -> None:
    phone = Asterisk()
    over = await recording(phone, tmp_path / "none").record(COMMAND)
    assert "callflow cannot write" in over.problem
    assert phone.asked == []


async def test_an_end_that_is_never_told_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_recording, "BEGINS_S", -5.0)
    over = await recording(Asterisk(), tmp_path).record(COMMAND)
    assert "nothing was heard" in over.problem


async def test_a_lost_link_ends_the_wait_and_the_file_tells(tmp_path: Path) -> None:
    phone = Asterisk()
    part = recording(phone, tmp_path)
    task = asyncio.create_task(part.record(COMMAND))
    await phone.begun.wait()
    part.link_lost()
    assert (await task).problem == ""


async def test_what_holds_no_name_is_deleted_once_it_is_closed(tmp_path: Path) -> None:
    phone = Asterisk()
    part = recording(phone, tmp_path)
    task = asyncio.create_task(part.record(COMMAND))
    await phone.begun.wait()
    await part.stop(COMMAND.name_id)
    dropping = asyncio.create_task(part.drop(COMMAND.name_id))
    await asyncio.sleep(0)
    assert (tmp_path / "1-1-2.wav").exists()
    part.over(COMMAND.name_id)
    await task
    await dropping
    assert not (tmp_path / "1-1-2.wav").exists()
    assert phone.stopped == [COMMAND.name_id]
    await part.drop(COMMAND.name_id)
