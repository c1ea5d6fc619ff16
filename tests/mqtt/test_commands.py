"""What agents ask for over a broker: each command has one answer, and nothing that comes in harms the link."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from callflow.core.assist.actions import WORDS, ActionAnswer, Door, Refusal
from callflow.core.publishing.topics import Topics
from callflow.publishing.agent_commands import AgentCommands
from tests.mqtt.sending import Sending, sending
from tests.mqtt.waiting import soon
from tests.services.mosquitto import Broker, settings_for

AGENT = "callflow/v1/lab/agent/8001"


class Floor:
    """Does what is an action, and refuses the rest."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def act(
        self, action: str, door: Door, agent: str, call_id: str = "", queues: tuple[str, ...] = ()
    ) -> ActionAnswer:
        assert door is Door.MQTT
        self.asked.append((action, agent, call_id))
        refusal = None if action == "repeat" else Refusal.UNKNOWN_ACTION
        return ActionAnswer("r", action, refusal, WORDS[refusal] if refusal else "")


async def command(client: aiomqtt.Client, payload: str | bytes, *, retain: bool = False) -> None:
    await client.publish(f"{AGENT}/command", payload, qos=1, retain=retain)


async def answers(client: aiomqtt.Client, number: int) -> list[dict[str, Any]]:
    found = []
    async with asyncio.timeout(20):
        async for message in client.messages:
            found.append(json.loads(bytes(message.payload)))
            if len(found) == number:
                break
    return found


async def listening(sender: Sending) -> None:
    """Wait until the daemon has subscribed: it sends no event before."""
    sender.tell(1)
    await soon(lambda: sender.outbox.sent >= 3)


async def test_a_command_is_done_and_answered(tmp_path: Path, broker: Broker) -> None:
    floor = Floor()
    async with sending(tmp_path / "d", dict(settings_for(broker.port)) | {"commands": True}) as sender:
        sender.publishing.agent_actions = floor
        async with broker.client() as desk:
            await desk.subscribe(f"{AGENT}/answer", qos=1)
            await listening(sender)
            await command(desk, json.dumps({"action": "repeat", "request_id": "one", "call_id": "c.1"}))
            (answer,) = await answers(desk, 1)
    assert floor.asked == [("repeat", "8001", "c.1")]
    assert answer == {"request_id": "one", "action": "repeat", "done": True, "refused": None, "why": ""}


async def test_what_cannot_be_read_is_refused_and_the_link_lives(tmp_path: Path, broker: Broker) -> None:
    garbage = [b"\xff\xfe", b"{", b"[1]", b'{"action": 7}', b"[" * 1900, b'"x"' * 1000]
    async with sending(tmp_path / "d", dict(settings_for(broker.port)) | {"commands": True}) as sender:
        sender.publishing.agent_actions = Floor()
        async with broker.client() as desk:
            await desk.subscribe(f"{AGENT}/answer", qos=1)
            await listening(sender)
            for payload in garbage:
                await command(desk, payload)
            await command(desk, b'{"action": "repeat"}')
            found = await answers(desk, len(garbage) + 1)
        assert sender.link.counts["connections"] == 1
    assert sorted(answer["done"] for answer in found) == [False] * len(garbage) + [True]
    assert {answer["refused"] for answer in found if not answer["done"]} == {"unknown_action"}


async def test_a_retained_command_is_an_old_one(tmp_path: Path, broker: Broker) -> None:
    floor = Floor()
    async with broker.client() as desk:
        await command(desk, b'{"action": "louder"}', retain=True)
        async with sending(tmp_path / "d", dict(settings_for(broker.port)) | {"commands": True}) as sender:
            sender.publishing.agent_actions = floor
            await desk.subscribe(f"{AGENT}/answer", qos=1)
            await listening(sender)
            await command(desk, b'{"action": "repeat"}')
            await answers(desk, 1)
    assert floor.asked == [("repeat", "8001", "")]


async def test_no_command_is_taken_unless_the_settings_say_so(tmp_path: Path, broker: Broker) -> None:
    floor = Floor()
    async with sending(tmp_path / "d", dict(settings_for(broker.port))) as sender, broker.client() as desk:
        sender.publishing.agent_actions = floor
        await listening(sender)
        await command(desk, b'{"action": "repeat"}')
        sender.show(1, "support")
        await sender.read_off_again()
    assert floor.asked == []


@pytest.mark.parametrize(
    "topic",
    [
        "agent/8001/state",
        "agent//command",
        "queue/8001/command",
        "agent/8001/x/command",
        "agent/$8001/command",
        f"agent/{'坐' * 43}/command",
    ],
)
def test_only_the_topic_of_commands_is_one(topic: str) -> None:
    commands = AgentCommands(Topics("lab"), lambda: None)
    assert not commands.takes(f"callflow/v1/lab/{topic}")
    assert not commands.takes("callflow/v1/other/agent/8001/command")
    assert commands.takes("callflow/v1/lab/agent/8001/command")
