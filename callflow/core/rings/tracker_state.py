"""What the parts of the ring tracker share: names, channels, counters, deadlines, and the commands to return."""

from collections import Counter
from collections.abc import Iterator

from callflow.core import commands
from callflow.core.deadlines import Deadlines
from callflow.core.rings.channels import Channel, Channels
from callflow.core.rings.live import Live
from callflow.core.rings.names import Names
from callflow.core.rings.recent import Recent
from callflow.core.rings.records import Measured
from callflow.core.rings.rules import RingRules
from callflow.core.rings.talk_events import TalkEvent
from callflow.core.service.targets import Targets

SETTLE_MS = 500
"""Several threads of Asterisk report what belongs together, in any order: the tracker waits this long for it."""
LONGEST_RING_MS = 3_600_000
LONGEST_CALL_MS = 24 * 3_600_000


class TrackerState:
    """The state that the parts of one tracker share."""

    def __init__(self, rules: RingRules, targets: Targets) -> None:
        self.rules = rules
        self.targets = targets
        self.names = Names(rules)
        self.ended = Recent()
        """Stays and legs that have had their final record, and channels that are gone."""
        self.channels = Channels(self.ended)
        self.now_ms = 0
        self.unexpected: Counter[str] = Counter()
        self.unresolved: Counter[str] = Counter()
        self.timing_source: Counter[str] = Counter()
        self.auto_answer_ms = round(rules.auto_answer_s * 1000)
        self.offset_ms = round(rules.analogue_offset_s * 1000)
        self._commands: list[commands.Command] = []
        self._deadlines: Deadlines[Live] = Deadlines()
        self._warned: set[str] = set()

    @property
    def sizes(self) -> dict[str, int]:
        """How much is remembered, by name."""
        return {**self.channels.sizes, "ended": len(self.ended), "deadlines": len(self._deadlines)}

    # -- commands -------------------------------------------------------------------------------------------------

    def save(self, record: Measured, *, final: bool) -> None:
        """Ask for a record to be saved."""
        self._commands.append(commands.SaveMeasured(record, final))

    def report(self, event: TalkEvent) -> None:
        """Report what happened to a talk."""
        self._commands.append(commands.ReportTalk(event))

    def anomaly(self, what: str) -> None:
        """Count an anomalous event; the first of each kind is also logged."""
        self.unexpected[what] += 1
        if what not in self._warned:
            self._warned.add(what)
            text = f"Asterisk sent an event that does not fit: {what}; further ones are counted, not logged"
            self._commands.append(commands.Warn(text, "docs/rings.md says what it may mean"))

    def take_commands(self) -> list[commands.Command]:
        """The commands issued since the last call."""
        if not self._commands:
            return []
        issued, self._commands = self._commands, []
        return issued

    # -- time -----------------------------------------------------------------------------------------------------

    def due(self, live: Live, wait_ms: int) -> None:
        """Make `live` due this long from now, unless it is due sooner already."""
        at_ms, before = self.now_ms + wait_ms, self._deadlines.of(live)
        if before is None or at_ms < before:
            self._deadlines.set(live, at_ms)

    def put_off(self, live: Live, wait_ms: int) -> None:
        """Make `live` due this long from now, whatever its deadline was."""
        self._deadlines.set(live, self.now_ms + wait_ms)

    def done(self, live: Live) -> None:
        """It has ended, and is due no more."""
        live.final = True
        self._deadlines.set(live, None)

    def next_deadline(self) -> int | None:
        """When something is due, by our own clock."""
        live_ms, ended_ms = self._deadlines.next(), self.ended.due_at
        if live_ms is None or ended_ms is None:
            return live_ms if ended_ms is None else ended_ms
        return min(live_ms, ended_ms)

    def all_due(self) -> Iterator[Live]:
        """What is due by now."""
        self.ended.expire(self.now_ms)
        return self._deadlines.pop_due(self.now_ms)

    def set_clock(self, now_ms: int) -> None:
        """Set callflow's clock; if it was set back, all deadlines move with it."""
        if now_ms < self.now_ms - SETTLE_MS:
            self._deadlines.shift(now_ms - self.now_ms)
            self.ended.shift(now_ms - self.now_ms)
        self.now_ms = now_ms

    # -- what has ended -------------------------------------------------------------------------------------------

    def is_past(self, key: str) -> bool:
        """It has had its final record: a late or repeated event must not begin it again."""
        return key in self.ended

    def remember(self, key: str) -> None:
        """It has had its final record."""
        self.ended.add(key, self.now_ms)

    def call_of(self, channel: Channel) -> str:
        """The id of the call that a channel belongs to: its caller's first Uniqueid."""
        if channel.call_id or not channel.is_local:
            return channel.call_id or channel.uniqueid
        party = self.channels.party_behind(channel)
        if party is not None:
            return party.call_id or party.uniqueid
        return channel.linkedid or channel.uniqueid
