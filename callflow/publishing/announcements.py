"""Events and alerts made from records, for every destination alike."""

from collections.abc import Iterable

from callflow.core.publishing.alerts import AlertWatch
from callflow.core.publishing.envelope import Envelope
from callflow.core.publishing.events import EventMaker
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.core.rings.records import Stay
from callflow.core.service.targets import Targets
from callflow.records.kind import Kinds
from callflow.settings.model import Settings


class Announcements:
    """Both methods are given to `Recording`."""

    def __init__(
        self, settings: Settings, topics: Topics, targets: Targets, pseudonymizer: Pseudonymizer, kinds: Kinds
    ) -> None:
        node = settings.node.name
        event_kinds = {kind.record: kind.event for kind in kinds if kind.event is not None}
        awaited = settings.mqtt.enabled and settings.mqtt.await_collector
        self._events = EventMaker(topics, node, pseudonymizer, event_kinds, collector=awaited)
        self._alerts = AlertWatch(settings.alerts, topics, node, pseudonymizer, targets)

    def event_of(self, record: object, final: bool) -> Iterable[Envelope]:
        """The event of a record: at its end, of some kinds also at the beginning."""
        event = self._events.event_of(record, final)
        return () if event is None else (event,)

    def alerts_of(self, record: object, final: bool) -> Iterable[Envelope]:
        """The alerts that a record gives rise to; a stay may as soon as it is answered."""
        return self._alerts.receive(record) if final or isinstance(record, Stay) else ()
