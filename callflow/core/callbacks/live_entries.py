"""The live entries of the call-back list, kept up to date by what changes."""

from collections import Counter
from collections.abc import Container, Iterable

from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.numbers import caller_of
from callflow.core.callbacks.states import State


class LiveEntries:
    """What is due first comes first."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[str, Entry] = {}
        self._numbers: Counter[str] = Counter()
        self.by_state: Counter[State] = Counter()
        """How many entries are in each state."""
        self.by_due: tuple[Entry, ...] = ()
        self.update(entries)

    def update(self, entries: Iterable[Entry]) -> None:
        """Take in these entries as they are now; one that is settled is live no more."""
        changed = False
        for entry in entries:
            changed = True
            if (before := self._entries.pop(entry.callback_id, None)) is not None:
                self._count(before, -1)
            if entry.live:
                self._entries[entry.callback_id] = entry
                self._count(entry, 1)
        if changed:
            self.by_due = tuple(sorted(self._entries.values(), key=lambda entry: entry.due_ms))

    @property
    def numbers(self) -> Container[str]:
        """Every caller, as `caller_of` gives them."""
        return self._numbers

    def _count(self, entry: Entry, by: int) -> None:
        self.by_state[entry.state] += by
        number = caller_of(entry.number)
        self._numbers[number] += by
        if not self._numbers[number]:
            del self._numbers[number]
