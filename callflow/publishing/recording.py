"""The way of every record: it is counted, its events are built, and then both are saved in one transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import structlog

from callflow.adapters.store.left_open import LeftOpen
from callflow.adapters.store.outbox import Outbox
from callflow.adapters.store.store import Store
from callflow.core.call_record import TimelineEntry
from callflow.core.publishing.envelope import Envelope
from callflow.records.kind import Record

Count = Callable[[Record, bool], None]
"""Counts a record, given whether it is final."""
Build = Callable[[Record, bool], Iterable[Envelope]]
"""Returns the events of a record, given whether it is final."""

log = structlog.get_logger()


class Recording:
    """Every record comes in through `save`. A step that fails loses its own figure or event, never the record."""

    def __init__(
        self,
        store: Store,
        counts: Sequence[Count] = (),
        builders: Sequence[Build] = (),
        outboxes: Sequence[Outbox] = (),
    ) -> None:
        """Each outbox gets the events that it wants; without any, no events are built."""
        self._store = store
        self._counts = counts
        self._builders = builders if outboxes else ()
        self._outboxes = outboxes
        self._timeline_followers: list[Callable[[str, TimelineEntry], None]] = []
        self.failures: Counter[str] = Counter()
        """Steps that failed, by the name of the error."""

    def follow(self, count: Count) -> None:
        """From here on, `count` gets every record before it is saved."""
        self._counts = (*self._counts, count)

    def follow_timeline(self, follow: Callable[[str, TimelineEntry], None]) -> None:
        """From here on, `follow` gets everything that is added to a call's timeline."""
        self._timeline_followers.append(follow)

    def open(self) -> LeftOpen:
        """Open the store and end the records that a dead daemon left open; returns them. Raises StoreError."""
        left = self._store.open()
        for record in left.ended:
            self._save(record, final=True, interrupted=True)
        return left

    def save(self, record: Record, final: bool) -> None:
        """Count and save a record; `final` when nothing more will follow. Returns at once, never raises."""
        self._save(record, final, interrupted=False)

    def add_to_timeline(self, call_id: str, entry: TimelineEntry) -> None:
        """Add one thing that happened in a call, once the call has been saved. Returns at once."""
        self._store.add_to_timeline(call_id, entry)
        for follow in self._timeline_followers:
            try:
                follow(call_id, entry)
            except Exception as error:  # noqa: BLE001 - what is shown must not cost what is saved
                self._failed("a call under way could not be followed; its timeline is saved", error)

    async def flush(self, timeout_s: float) -> bool:
        """True once everything so far is on the disk; False after `timeout_s`, or at once while writing fails."""
        return await self._store.flush(timeout_s)

    def _save(self, record: Record, final: bool, interrupted: bool) -> None:
        for count in self._counts:
            try:
                count(record, final)
            except Exception as error:  # noqa: BLE001 - a figure must not cost the record
                self._failed("a record could not be counted; it is saved", error)
        built = self._events(record, final)
        events = [outbox.row(event) for event in built for outbox in self._outboxes if outbox.wants(event)]
        try:
            self._store.save(record, final, events, interrupted=interrupted)
        except KeyError as error:
            self._failed("a record of a kind that is not described cannot be saved", error)
        if events:
            for outbox in self._outboxes:
                outbox.has_news()

    def _events(self, record: Record, final: bool) -> list[Envelope]:
        events: list[Envelope] = []
        for build in self._builders:
            try:
                events += build(record, final)
            except Exception as error:  # noqa: BLE001 - an event must not cost the record
                self._failed("an event could not be built; its record is saved", error)
        return events

    def _failed(self, what: str, error: Exception) -> None:
        name = type(error).__name__
        say = log.debug if self.failures[name] else log.error
        say(what, reason=repr(error))
        self.failures[name] += 1
