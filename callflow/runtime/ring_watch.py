"""Runs the ring tracker beside the engine: translation, its own clock and loop, snapshots after a reconnect.

It only watches. Every fault in here is logged and counted, and affects no call.
"""

from collections.abc import Callable
from typing import Protocol

import structlog

from callflow.adapters.ami.translate_rings import RingTranslator, channel_of, member_of, waiting_of
from callflow.core import events
from callflow.core.commands import Command, ReportTalk
from callflow.core.rings.facts import SnapshotTaken, StaysLeftOpen, When
from callflow.core.rings.records import Stay
from callflow.core.rings.talk_events import TalkEvent
from callflow.core.rings.tracker import Input, Tracker
from callflow.errors import LinkError
from callflow.runtime.clock import Clock
from callflow.runtime.loop import CoreLoop
from callflow.settings.model import Settings

log = structlog.get_logger()


class Queues(Protocol):
    """The AMI actions of the ring watch; may raise LinkError."""

    async def queues(self) -> list[dict[str, str]]: ...


class RingWatch:
    """Every AMI event goes in by `ami_event`; what is to be saved goes out by `dispatch`, talks go to subscribers."""

    def __init__(self, settings: Settings, actions: Queues, dispatch: Callable[[Command], None]) -> None:
        self.tracker = Tracker(settings.rings, settings.targets())
        self.queues_known = False
        """Asterisk has been asked for its queues since AMI was connected."""
        self._subscribers: list[Callable[[TalkEvent], None]] = []
        self._actions = actions
        self._translate = RingTranslator()
        self._clock = Clock()
        self._dispatch = dispatch
        self._loop = CoreLoop(self.tracker, self._clock, self._carry_out)
        self.failures = self._loop.failures
        """Faults of our own, by the name of the error."""

    def subscribe(self, subscriber: Callable[[TalkEvent], None]) -> None:
        """Every event of a talk goes to this subscriber from here on, in order."""
        self._subscribers.append(subscriber)

    def now_ms(self) -> int:
        """Now, by the tracker's own clock: it lasts through a stepped system clock while anything is in progress."""
        return self._clock.now_ms()

    def ami_event(self, message: dict[str, str]) -> None:
        """Take in one AMI event."""
        try:
            fact = self._translate(message, self._clock.now_ms())
            if fact is not None:
                self._loop.receive(fact)
        except Exception as error:  # noqa: BLE001 - what only watches must not end what screens
            self._failed(error)

    def resume(self, stays: tuple[Stay, ...]) -> None:
        """Take over the stays that were open at the last stop; the next snapshot must have `channels`."""
        self._receive(StaysLeftOpen(stays))

    def link_up(self) -> None:
        """AMI is connected: `take_snapshot` should follow."""
        self.queues_known = False
        self._receive(events.LinkUp(self._clock.now_ms()))

    def link_lost(self, reason: str) -> None:
        """AMI is lost: what is in progress is partial from here."""
        self.queues_known = False
        self._receive(events.LinkLost(self._clock.now_ms(), reason))

    async def take_snapshot(self, asked_ms: int, channels: list[dict[str, str]] | None) -> bool:
        """Find the callers who wait and the members; with `channels`, listed at `asked_ms`, also what has ended.

        False if Asterisk has not told of its queues: then what `channels` shows is taken in alone.
        """
        entries = await self._queues()
        members = waiting = None
        if entries is not None:
            members = tuple(member_of(entry) for entry in entries if entry.get("Event") == "QueueMember")
            waiting = tuple(waiting_of(entry) for entry in entries if entry.get("Event") == "QueueEntry")
        when = When(self._clock.now_ms(), stamped=False)
        seen = tuple(channel_of(entry) for entry in channels or ())
        uniqueids = frozenset(one.party.uniqueid for one in seen)
        if channels is None:  # nothing is taken for ended
            asked_ms, uniqueids = 0, frozenset(one.caller.uniqueid for one in waiting or ())
        self._receive(SnapshotTaken(when, asked_ms, uniqueids, members, waiting, seen))
        self.queues_known = True  # or as far as they are for now
        return entries is not None

    async def _queues(self) -> list[dict[str, str]] | None:
        """None without an answer."""
        try:
            return await self._actions.queues()
        except LinkError as error:
            if not self.queues_known:
                log.warning("no snapshot of the queues; what waits already is not counted yet", reason=str(error))
            return None

    def close(self) -> None:
        """Stop all deadlines."""
        self._loop.close()

    def _carry_out(self, command: Command) -> None:
        if not isinstance(command, ReportTalk):
            self._dispatch(command)
            return
        for subscriber in self._subscribers:
            try:
                subscriber(command.event)
            except Exception as error:  # noqa: BLE001 - one subscriber's fault is none of the others'
                self._failed(error)

    def _receive(self, event: Input) -> None:
        self._loop.receive(event)

    def _failed(self, error: Exception) -> None:
        if not self.failures[type(error).__name__]:
            log.exception("the ring tracker failed; calls are not affected, figures may be")
        self.failures[type(error).__name__] += 1


def log_talk(event: TalkEvent) -> None:
    """A subscriber that logs each step of a talk."""
    parties = event.parties
    log.debug("talk", what=type(event).__name__, call_id=parties.call_id, agent=parties.agent, at_ms=event.at_ms)
