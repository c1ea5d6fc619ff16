"""A consumer that was written for release 0.1 reads what this release publishes, through a real broker.

It knows the topics and fields of the schemas of 0.1, and ignores what it does not know, as their documentation asks.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from callflow.core.rings.current_states import AgentState, LineState
from callflow.core.rings.records import AgentWork
from callflow.core.screening.states import Result
from callflow.processes.ports import take_ports
from tests.mqtt.sending import Sending, sending
from tests.publishing import samples
from tests.services.mosquitto import Broker, settings_for

SCHEMAS = Path(__file__).parent / "release-0.1" / "schemas"
PATIENCE_S = 40.0
TOLD = {
    *("event.call.screened", "event.call.stay", "event.call.offer", "event.call.leg"),
    *("event.alert.silent_call", "event.alert.quiet_call", "state.queue", "state.agent", "state.line", "status"),
}


class Consumer:
    """Reads each message by the schema of 0.1 that its topic names."""

    def __init__(self) -> None:
        self.known = {path.stem: tolerant(json.loads(path.read_text())) for path in SCHEMAS.glob("*.json")}
        self.read: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []

    def take(self, topic: str, payload: str) -> None:
        """One message; a topic that 0.1 did not have is passed over."""
        parts = topic.split("/")[3:]
        name = f"state.{parts[0]}" if parts[-1] == "state" else ".".join(parts)
        if name in self.known and payload:
            told = json.loads(payload)
            self.wrong += [
                f"{topic}: {error.message}" for error in Draft202012Validator(self.known[name]).iter_errors(told)
            ]
            self.read[name] = told


def tolerant(schema: Any) -> Any:
    """The schema without the refusal of fields that it does not name."""
    if isinstance(schema, dict):
        return {name: tolerant(value) for name, value in schema.items() if name != "additionalProperties"}
    return [tolerant(one) for one in schema] if isinstance(schema, list) else schema


def tell(sender: Sending) -> None:
    """All that 0.1 published, but for the alerts of whole windows."""
    sender.tell(1)
    sender.publishing.recording.save(samples.call(2, Result.SILENT), final=True)
    sender.publishing.recording.save(samples.call(3, Result.QUIET), final=True)
    sender.show(2, "support")
    sender.agents = [AgentState("8001", samples.T0, AgentWork.TALKING, samples.T0, ("support",))]
    sender.lines = [LineState("front", samples.T0, 1, 0)]


async def test_a_consumer_of_0_1_reads_what_is_published_now(tmp_path: Path) -> None:
    consumer = Consumer()
    with take_ports() as ports:
        async with Broker(tmp_path / "mosquitto", ports.named()) as broker, broker.client() as client:
            await client.subscribe("callflow/v1/#", qos=1)
            async with sending(tmp_path / "node", dict(settings_for(broker.port))) as sender:
                tell(sender)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PATIENCE_S):
                        async for message in client.messages:
                            assert isinstance(message.payload, bytes)
                            consumer.take(str(message.topic), message.payload.decode())
                            if set(consumer.read) >= TOLD:
                                break
    assert TOLD - set(consumer.read) == set()
    assert consumer.wrong == []
    assert consumer.read["event.call.stay"]["data"]["queue"]
    assert consumer.read["state.queue"]["waiting"] == 2
