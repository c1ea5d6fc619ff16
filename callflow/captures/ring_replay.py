"""Runs AMI events through the ring tracker in virtual time: those of a capture, or those of a lab."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from callflow.adapters.ami.translate_rings import RingTranslator
from callflow.captures.capture_file import Capture
from callflow.core import commands, events
from callflow.core.rings.records import AgentInterval, Hold, Leg, Measured, Offer, Stay, Talk, Transfer
from callflow.core.rings.rules import RingRules
from callflow.core.rings.talk_events import TalkEvent
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets

LAST_MS = 26 * 3_600_000
"""Longer than every deadline: after it, every record is final."""


@dataclass
class KeptRings:
    """The latest version of every record, in order of the first version."""

    records: dict[tuple[str, str], Measured] = field(default_factory=dict)
    finals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each became final: once, or something is wrong."""
    talks: list[TalkEvent] = field(default_factory=list)
    """What was reported of talks, in order."""
    tracker: Tracker | None = None

    @property
    def stays(self) -> list[Stay]:
        return [record for record in self.records.values() if isinstance(record, Stay)]

    @property
    def offers(self) -> list[Offer]:
        return [record for record in self.records.values() if isinstance(record, Offer)]

    @property
    def talk_records(self) -> list[Talk]:
        return [record for record in self.records.values() if isinstance(record, Talk)]

    @property
    def holds(self) -> list[Hold]:
        return [record for record in self.records.values() if isinstance(record, Hold)]

    @property
    def legs(self) -> list[Leg]:
        return [record for record in self.records.values() if isinstance(record, Leg)]

    def take(self, issued: Iterable[commands.Command]) -> None:
        """Keep the records that the tracker saves."""
        for command in issued:
            if isinstance(command, commands.SaveMeasured):
                key = key_of(command.record)
                self.records[key] = command.record
                self.finals[key] += command.final
            elif isinstance(command, commands.ReportTalk):
                self.talks.append(command.event)


def key_of(record: Measured) -> tuple[str, str]:
    """Kind and id of a record."""
    match record:
        case Stay():
            return "stay", record.entry_id
        case Offer():
            return "offer", record.offer_id
        case Leg():
            return "leg", record.leg_id
        case Talk():
            return "talk", record.talk_id
        case Hold():
            return "hold", record.hold_id
        case Transfer():
            return "transfer", record.transfer_id
        case AgentInterval():
            return "spell", f"{record.agent} {record.began_ms}"


def replay_rings(
    messages: Iterable[tuple[int, dict[str, str]]], rules: RingRules, targets: Targets | None = None
) -> KeptRings:
    """Track AMI messages and their times of arrival (epoch ms), from a link that has just come up."""
    tracker = Tracker(rules, targets or Targets(queues={"default": QueueTarget()}))
    kept, arrivals = KeptRings(tracker=tracker), list(messages)
    now_ms = arrivals[0][0] if arrivals else 0
    if arrivals:
        kept.take(tracker.receive(events.LinkUp(now_ms), now_ms))
    now_ms = take_messages(tracker, kept, RingTranslator(), arrivals, now_ms)
    pass_time(tracker, kept, now_ms + LAST_MS)
    return kept


def take_messages(
    tracker: Tracker,
    kept: KeptRings,
    translate: RingTranslator,
    messages: Iterable[tuple[int, dict[str, str]]],
    now_ms: int,
) -> int:
    """Give a tracker these messages from `now_ms` on, with the deadlines between; returns the time of the last."""
    for arrived_ms, message in messages:
        now_ms = max(now_ms, arrived_ms)
        pass_time(tracker, kept, now_ms)
        if (fact := translate(message, now_ms)) is not None:
            kept.take(tracker.receive(fact, now_ms))
    return now_ms


def capture_messages(capture: Capture, first: int = 0) -> Iterable[tuple[int, dict[str, str]]]:
    """The AMI events of a capture, from its block `first` on."""
    return ((capture.at_ms(block), block.headers) for block in capture.blocks[first:] if block.is_event)


def pass_time(tracker: Tracker, kept: KeptRings, until_ms: int) -> None:
    """Let a tracker do what is due until then."""
    while (due_ms := tracker.next_deadline()) is not None and due_ms <= until_ms:
        kept.take(tracker.expire(due_ms))
