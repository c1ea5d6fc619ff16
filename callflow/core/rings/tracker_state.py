"""What the parts of the ring tracker share: names, channels, counters, what is due, and the commands to return."""

import heapq
from collections import Counter
from collections.abc import Iterator

from callflow.core import commands
from callflow.core.rings.channels import Channels
from callflow.core.rings.live import Live
from callflow.core.rings.names import Names
from callflow.core.rings.records import Measured
from callflow.core.rings.rules import RingRules
from callflow.core.service.targets import Targets

SETTLE_MS = 500
"""Events of one happening come from several threads of Asterisk and in any order; so long they are waited for."""
LONGEST_RING_MS = 3_600_000
LONGEST_CALL_MS = 24 * 3_600_000
REMEMBERED = 20_000


class TrackerState:
    """One tracker's state."""

    def __init__(self, rules: RingRules, targets: Targets) -> None:
        self.rules = rules
        self.targets = targets
        self.names = Names(rules)
        self.channels = Channels()
        self.now_ms = 0
        self.unexpected: Counter[str] = Counter()
        self.unresolved: Counter[str] = Counter()
        self.timing_source: Counter[str] = Counter()
        self.auto_answer_ms = round(rules.auto_answer_s * 1000)
        self.offset_ms = round(rules.analogue_offset_s * 1000)
        self._commands: list[commands.Command] = []
        self._due: list[tuple[int, int, Live]] = []
        self._pushed = 0
        self._past: dict[str, None] = {}
        self._warned: set[str] = set()

    # -- commands -------------------------------------------------------------------------------------------------

    def keep(self, record: Measured, *, final: bool) -> None:
        """Ask for a record to be kept."""
        self._commands.append(commands.SaveMeasured(record, final))

    def anomaly(self, what: str) -> None:
        """Count something that fitted nowhere, and say so the first time."""
        self.unexpected[what] += 1
        if what not in self._warned:
            self._warned.add(what)
            text = f"Asterisk told something odd: {what}; it is counted, and said only once"
            self._commands.append(commands.Warn(text, "docs/rings.md says what it may mean"))

    def take_commands(self) -> list[commands.Command]:
        """What is to be done since it was last asked."""
        issued, self._commands = self._commands, []
        return issued

    # -- time -----------------------------------------------------------------------------------------------------

    def due(self, live: Live, wait_ms: int) -> None:
        """End `live` so long from now, unless it is due sooner already."""
        at_ms = self.now_ms + wait_ms
        if live.due_at is None or at_ms < live.due_at:
            live.due_at = at_ms
            self._pushed += 1
            heapq.heappush(self._due, (at_ms, self._pushed, live))

    def put_off(self, live: Live, wait_ms: int) -> None:
        """End `live` so long from now, whatever was meant before."""
        live.due_at = None
        self.due(live, wait_ms)

    def next_deadline(self) -> int | None:
        """When something is due, by our own clock."""
        while self._due and (self._due[0][2].final or self._due[0][2].due_at != self._due[0][0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def all_due(self) -> Iterator[Live]:
        """What is due by now."""
        while (at_ms := self.next_deadline()) is not None and at_ms <= self.now_ms:
            live = heapq.heappop(self._due)[2]
            live.due_at = None
            yield live

    def set_clock(self, now_ms: int) -> None:
        """Our own clock; one that was set back takes every deadline along."""
        back_ms = self.now_ms - now_ms
        if back_ms > SETTLE_MS:
            alive = [live for at, _, live in self._due if not live.final and live.due_at == at]
            self._due = []
            for live in alive:
                wait_ms = max(0, (live.due_at or 0) - self.now_ms)
                live.due_at = None
                self._pushed += 1
                live.due_at = now_ms + wait_ms
                self._due.append((live.due_at, self._pushed, live))
            heapq.heapify(self._due)
        self.now_ms = now_ms

    # -- what has been ---------------------------------------------------------------------------------------------

    def is_past(self, key: str) -> bool:
        """It has had its final record: a late or repeated event must not begin it anew."""
        return key in self._past

    def remember(self, key: str) -> None:
        """It has had its final record."""
        self._past[key] = None
        while len(self._past) > REMEMBERED:
            del self._past[next(iter(self._past))]
