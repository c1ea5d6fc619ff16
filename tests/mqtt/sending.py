"""A publishing daemon without the calls: store, outbox and MQTT link as the daemon puts them together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from callflow.adapters.http.sample import Sample
from callflow.adapters.store.store import Store
from callflow.core.rings.current_states import AgentState, LineState, QueueState
from callflow.core.rings.records import AgentWork
from callflow.publishing.publisher import Publishing
from callflow.runtime.clock import Clock
from callflow.settings.model import Settings
from tests.mqtt.waiting import soon
from tests.publishing import samples

FAST = {
    "settle_s": 0.5,
    "reconnect_min_s": 0.05,
    "reconnect_max_s": 0.5,
    "keepalive_s": 2,
    "timeout_s": 10.0,
    "site": "lab",
}


class Sending:
    """Tell it of calls; `queues` and `connected` are what the daemon would read off."""

    def __init__(self, folder: Path, mqtt: dict[str, Any], **sections: dict[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        given = {
            "store": {"path": folder / "callflow.db"},
            "http": {"enabled": False},
            "web": {"enabled": False},
            "mqtt": FAST | mqtt,
            "privacy": {"key": samples.KEY.decode()},
        }
        self.settings = Settings.model_validate(given | sections)
        self.queues: list[QueueState] = []
        self.agents: list[AgentState] = []
        self.lines: list[LineState] = []
        self.connected = True
        self.queues_known = True
        self.wanted: set[str] = set()
        self.samples = 0
        """How often the daemon has been read off."""
        self._clock = Clock()
        self.ahead_ms = 0
        """So much later it is than it was."""
        self.store = Store(self.settings.store.path, "main")
        self.publishing = Publishing(
            self.settings, self.store, self._sample, lambda: self._clock.now_ms() + self.ahead_ms
        )

    def tell(self, number: int) -> None:
        """One whole call: a leg, its offer, the stay, and two revisions of the stay."""
        stay = samples.stay(number)
        for record in (samples.leg(number), samples.offer(number), stay):
            self.publishing.recording.save(record, final=True)
            envelope = samples.MAKER.event_of(record)
            assert envelope is not None
            self.wanted.add(envelope.event_id)

    def answer(self, number: int) -> None:
        """A caller has just been connected, and the talk lasts."""
        stay = samples.stay(number, wait_ms=3_000, at_ms=self._clock.now_ms() - 3_000)
        self.publishing.recording.save(replace(stay, outcome=None, talk_end_ms=None, talk_ms=None), final=False)

    def show(self, waiting: int, *names: str) -> None:
        """So many callers wait in each of these queues."""
        members = {AgentWork.AVAILABLE: 2, AgentWork.PAUSED: 1}
        now_ms = self._clock.now_ms()
        self.queues = [QueueState(name, now_ms, waiting, now_ms if waiting else None, members) for name in names]

    async def read_off_again(self) -> None:
        """Return once the states have followed what is shown now."""
        before = self.samples
        await soon(lambda: self.samples >= before + 2)

    @property
    def outbox(self) -> Any:
        return self.publishing.mqtt.outbox if self.publishing.mqtt else None

    @property
    def link(self) -> Any:
        return self.publishing.mqtt.link if self.publishing.mqtt else None

    def _sample(self) -> Sample:
        self.samples += 1
        return Sample(
            now_ms=self._clock.now_ms(),
            ami_connected=self.connected,
            ear_proven=True,
            calls_live=0,
            queues_known=self.queues_known,
            queues=self.queues,
            agents=self.agents,
            lines=self.lines,
        )


@asynccontextmanager
async def sending(
    folder: Path, mqtt: dict[str, Any], *, ahead_ms: int = 0, **sections: dict[str, Any]
) -> AsyncIterator[Sending]:
    """Started, and stopped as the daemon stops. `ahead_ms`: its clock is so far ahead from the beginning."""
    sender = Sending(folder, mqtt, **sections)
    sender.ahead_ms = ahead_ms
    sender.publishing.recording.open()
    sender.publishing.start()
    try:
        yield sender
    finally:
        await sender.publishing.stop()
        sender.store.close()
