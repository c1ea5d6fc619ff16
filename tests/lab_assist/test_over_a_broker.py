"""Agents' actions over MQTT, and the events of hold and wrap-up there, with a real Asterisk and broker."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from callflow.lab.phone.call import State
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.processes.ports import take_ports
from callflow.scenarios.site import Version
from tests.lab_assist.stage import CALLER_HZ, Talk, assisted
from tests.labs import EACH_ASTERISK
from tests.mqtt.consumer import Consumer, consuming
from tests.services.mosquitto import Broker, settings_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

ROOT = "callflow/v1/lab"
HOLD_S = 3.0


class Desk:
    """A client that asks for actions and awaits each answer."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._asked = 0

    async def ask(self, agent: str, action: str, **more: str) -> tuple[bool, str | None]:
        """Whether it was done, and why not. Raises TimeoutError."""
        self._asked += 1
        asked = {"action": action, "request_id": str(self._asked)} | more
        await self._client.publish(f"{ROOT}/agent/{agent}/command", json.dumps(asked), qos=1)
        async with asyncio.timeout(10):
            async for message in self._client.messages:
                answer = json.loads(bytes(message.payload))
                if answer["request_id"] == asked["request_id"]:
                    return answer["done"], answer["refused"]
        raise AssertionError("the broker has gone")


async def event(consumer: Consumer, topic: str, **data: object) -> dict[str, Any]:
    """The data of an event of this topic with these values, once it has come. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while True:
            for one in consumer.table.values():
                if one["topic"] == f"{ROOT}/event/call/{topic}" and data.items() <= one["data"].items():
                    found: dict[str, Any] = one["data"]
                    return found
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_commands_are_done_and_answered_and_holds_and_wrap_ups_are_told(version: Version, tmp_path: Path) -> None:
    with take_ports() as ports:
        async with Broker(tmp_path / "mosquitto", ports.named()) as broker:
            mqtt = dict(settings_for(broker.port)) | {"commands": True, "site": "lab"}
            consumer = Consumer()
            async with consuming(broker.port, consumer), broker.client() as client:
                await client.subscribe(f"{ROOT}/agent/+/answer", qos=1)
                async with assisted(version, "prompt", more={"mqtt": mqtt}) as talk:
                    await asked(talk, Desk(client), consumer)


async def asked(talk: Talk, desk: Desk, consumer: Consumer) -> None:
    await talk.agent_greets()
    await talk.says(talk.caller, CALLER_HZ, 1)
    call_id = str((await talk.told("heard"))["call_id"])
    agent, other = AGENTS[:2]
    assert await desk.ask(other, "repeat", call_id=call_id) == (False, "not_yours")
    assert await desk.ask(agent, "repeat", call_id="1.1") == (False, "no_talk")
    assert await desk.ask(agent, "close:sold") == (False, "unknown_action")
    assert await desk.ask(agent, "repeat", call_id=call_id) == (True, None)
    assert (await talk.told("said", "say_again"))["outcome"] == "reached"
    assert talk.at(talk.caller, ["say_again"]).prompts["say_again"].share > 0.9
    assert talk.at(talk.agent, ["say_again"]).prompts == {}
    await event(consumer, "assist", kind="action", what="repeat", outcome="done", agent=agent)
    await talk.agent.hold()
    await event(consumer, "hold", agent=agent, held_by="agent", ended_at=None)
    await asyncio.sleep(HOLD_S)
    await talk.agent.resume()
    await talk.told("said", "thank_you_for_waiting")
    held = next(one["data"] for one in consumer.table.values() if one["topic"].endswith("/event/call/hold"))
    assert held["hold_ms"] / 1000 == pytest.approx(HOLD_S, abs=1.0)
    assert await desk.ask(agent, "wrapup") == (True, None)
    assert await desk.ask(agent, "close:order") == (True, None)
    await talk.told("said", "bye_order")
    assert talk.caller.state is talk.agent.state is State.TALKING
    await talk.agent.hang_up()
    assert (await event(consumer, "talk", agent=agent))["hold_count"] == 1
    await asyncio.sleep(1.0)
    assert await desk.ask(agent, "ready") == (True, None)
    told = await event(consumer, "wrap_up", agent=agent, outcome="order", ended_by="ready")
    assert 900 < told["wrap_up_ms"] < 5000
