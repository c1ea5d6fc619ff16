"""Records as events: published once nothing more will follow, some kinds also at their beginning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callflow.core.publishing.envelope import Envelope, event_id
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What an event says. `subject`: the id of the record, from which the id of the event is made."""

    subject: str
    call_id: str
    occurred_ms: int
    data: Mapping[str, Any]
    revision: int = 1


@dataclass(frozen=True, slots=True)
class EventKind(Generic[R]):
    """The events of one kind of record: topic `event/call/NAME`, schema `callflow.call.NAME/1` (docs/schemas)."""

    name: str
    facts: Callable[[R, Pseudonymizer], EventFacts]
    at_beginning: bool = False
    """There is an event for every saved version of a record, not for the last one alone; its revisions must differ."""
    for_collector: bool = False
    """Only the collector of a fleet needs these events; without one they are not made."""


@dataclass(frozen=True, slots=True)
class EventMaker:
    """Makes the events of one daemon, `node`, at one site; `kinds` has the events of each class of record."""

    topics: Topics
    node: str
    pseudonymizer: Pseudonymizer
    kinds: Mapping[type[Any], EventKind[Any]]
    collector: bool = False
    """Events that only the collector of a fleet needs are made too."""

    def event_of(self, record: object, final: bool = True) -> Envelope | None:
        """The event of a record; None for a kind that has no events, or none before the end."""
        kind = self.kinds.get(type(record))
        if kind is None or not (final or kind.at_beginning) or (kind.for_collector and not self.collector):
            return None
        facts = kind.facts(record, self.pseudonymizer)
        return Envelope(
            topic=self.topics.call(kind.name),
            event_id=event_id(self.topics.site, self.node, kind.name, facts.subject),
            schema=f"callflow.call.{kind.name}/1",
            call_id=facts.call_id,
            occurred_ms=facts.occurred_ms,
            revision=facts.revision,
            data={"node": self.node, **facts.data},
        )
