"""The hand-over from the event loop to the writer's thread."""

import asyncio
import threading
from dataclasses import dataclass

from callflow.adapters.store.backlog import Backlog, Batch, CallEntry, EventNumber, Pending, Refusal
from callflow.core.call_record import TimelineEntry

BATCH = 250
"""Most things in one transaction: its thread shares Python's lock with the loop, which 2,000 on a busy machine halted
for 2.4 s. It bounds the work of each attempt while the database cannot be written to, too.
"""


@dataclass(eq=False, slots=True)
class _Flush:
    """A coroutine that waits until everything up to `upto` is on the disk."""

    upto: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[bool]

    def wake(self, written: bool) -> None:
        """Wake it from the writer's thread; its loop may be gone by now."""
        try:
            self.loop.call_soon_threadsafe(self._set, written)
        except RuntimeError:
            return

    def _set(self, written: bool) -> None:
        if not self.done.done():
            self.done.set_result(written)


class Intake:
    """The backlog, and those who wait for it to be written. No method holds its lock during disk work."""

    def __init__(self, room: int) -> None:
        self._changed = threading.Condition()
        self._backlog = Backlog(room)
        self._flushes: list[_Flush] = []
        self._taken_upto = 0
        self._written_upto = 0
        self._failing = False
        self._closed = False

    # -- the event loop's side ------------------------------------------------------------------------------------

    def add_record(self, pending: Pending) -> None:
        """Hand over a record."""
        with self._changed:
            self._backlog.add_record(pending)
            self._changed.notify()

    def add_entry(self, call_id: str, entry: TimelineEntry) -> None:
        """Hand over one thing that happened in a call."""
        with self._changed:
            self._backlog.add_entry(call_id, entry)
            self._changed.notify()

    def add_confirmed(self, event: EventNumber) -> None:
        """Have an event deleted."""
        with self._changed:
            self._backlog.add_confirmed(event)
            self._changed.notify()

    def add_confirmed_upto(self, destination: str, event: EventNumber) -> None:
        """Have every event for this destination up to this one deleted."""
        with self._changed:
            self._backlog.add_confirmed_upto(destination, event)
            self._changed.notify()

    def add_refused(self, refusal: Refusal) -> None:
        """Have an event put aside as a dead letter."""
        with self._changed:
            self._backlog.add_refused(refusal)
            self._changed.notify()

    async def flush(self, timeout_s: float) -> bool:
        """True once everything left so far is on the disk; False after `timeout_s`, or at once while writing fails."""
        with self._changed:
            if self._written_upto >= self._backlog.added:
                return True
            if self._failing or self._closed:
                return False
            loop = asyncio.get_running_loop()
            flush = _Flush(self._backlog.added, loop, loop.create_future())
            self._flushes.append(flush)
        try:
            async with asyncio.timeout(timeout_s):
                return await flush.done
        except TimeoutError:
            return False
        finally:
            self._forget(flush)

    def close(self) -> None:
        """Let `take` end once everything has been taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def failing(self) -> bool:
        """The last attempt to write has failed."""
        return self._failing

    @property
    def waiting(self) -> int:
        """Things not on the disk and not in the writer's hands."""
        return len(self._backlog)

    @property
    def dropped(self) -> int:
        """Timeline entries, events, and records of what lasts, given up for want of room."""
        return self._backlog.dropped

    @property
    def lost(self) -> int:
        """Records of what has ended, given up for want of room."""
        return self._backlog.lost

    # -- the writer's side ----------------------------------------------------------------------------------------

    def take(self, timeout_s: float) -> Batch | None:
        """Wait for something new and take it; empty after `timeout_s`, None when closed and nothing is left."""
        with self._changed:
            while self._backlog.added == self._taken_upto:
                if self._closed:
                    return None
                if not self._changed.wait(timeout_s):
                    return Batch()
            batch = self._backlog.take(BATCH)
            self._taken_upto = max(self._taken_upto, batch.upto)
            return batch

    def written(self, batch: Batch, early: tuple[CallEntry, ...]) -> None:
        """The batch is on the disk, except `early`: those entries wait for their call's record."""
        with self._changed:
            self._failing = False
            self._written_upto = max(self._written_upto, batch.upto)
            self._backlog.put_back_early(early)
            ready = [flush for flush in self._flushes if flush.upto <= self._written_upto]
            self._flushes = [flush for flush in self._flushes if flush.upto > self._written_upto]
        for flush in ready:
            flush.wake(True)

    def failed(self, batch: Batch) -> None:
        """The batch could not be written: keep it, and end every wait."""
        with self._changed:
            self._failing = True
            self._taken_upto = self._written_upto
            self._backlog.put_back(batch)
            waiting, self._flushes = self._flushes, []
        for flush in waiting:
            flush.wake(False)

    def _forget(self, flush: _Flush) -> None:
        with self._changed:
            if flush in self._flushes:
                self._flushes.remove(flush)
