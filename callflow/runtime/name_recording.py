"""Records the names that callers say, over AMI: Asterisk writes the file, callflow checks that it exists."""

import asyncio
import os
from pathlib import Path
from typing import Protocol

from callflow.core.assist.commands import RecordName
from callflow.core.assist.facts import NameOver
from callflow.errors import LinkError
from callflow.runtime.spoken_names import SpokenNames

BEGINS_S = 3.0
"""Beyond its longest time, a recording of whose end nothing is heard is over."""
LEAST_BYTES = 1000
"""A file with less has no sound."""


class NamePhone(Protocol):
    """What is asked of AMI; every method may raise LinkError."""

    async def record_name(self, name_id: str, uniqueid: str, path: str, longest_s: int) -> None: ...
    async def stop_recording(self, name_id: str) -> None: ...


class NameRecording:
    """Knows the recordings that are under way."""

    def __init__(self, phone: NamePhone, names: SpokenNames) -> None:
        self._phone, self._names = phone, names
        self._gone: dict[str, asyncio.Event] = {}

    async def record(self, command: RecordName) -> NameOver:
        """Record and wait for the end; never raises LinkError."""
        name_id, path = command.name_id, self._names.path_of(command.name_id)
        gone = self._gone[name_id] = asyncio.Event()
        try:
            if problem := await asyncio.to_thread(_no_folder, path.parent):
                return NameOver(command.talk_id, name_id, problem)
            await self._phone.record_name(name_id, command.uniqueid, str(path.with_suffix("")), command.longest_s)
            async with asyncio.timeout(command.longest_s + BEGINS_S):
                await gone.wait()
        except LinkError as error:
            return NameOver(command.talk_id, name_id, str(error))
        except TimeoutError:
            return NameOver(command.talk_id, name_id, "nothing was heard of the end of the recording")
        finally:
            gone.set()
            del self._gone[name_id]
        return NameOver(command.talk_id, name_id, await self.problem(name_id))

    async def problem(self, name_id: str) -> str:
        """Once its recording has ended: why there is no name in the file, "" if there is one."""
        if (gone := self._gone.get(name_id)) is not None:
            await gone.wait()
        return await asyncio.to_thread(_no_sound, self._names.path_of(name_id))

    def over(self, name_id: str) -> None:
        """Asterisk tells that a recording has ended."""
        if (gone := self._gone.get(name_id)) is not None:
            gone.set()

    def link_lost(self) -> None:
        """Nothing will be told of the recordings under way."""
        for gone in self._gone.values():
            gone.set()

    async def stop(self, name_id: str) -> None:
        """End a recording. Raises LinkError."""
        await self._phone.stop_recording(name_id)

    async def drop(self, name_id: str) -> None:
        """Delete what was recorded, once the recording has ended."""
        if (gone := self._gone.get(name_id)) is not None:
            await gone.wait()
        await asyncio.to_thread(self._names.delete, [name_id])


def _no_folder(folder: Path) -> str:
    """Why nothing is recorded: what callflow cannot delete again must not be written."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"callflow cannot write to {folder}"
    return ""


def _no_sound(path: Path) -> str:
    try:
        return "" if path.stat().st_size >= LEAST_BYTES else "the caller's phone sent nothing"
    except OSError:
        return "Asterisk has recorded nothing"
