"""Asks a node of a fleet for a step in its call-back list. Only the node can take it, and it answers over MQTT too."""

import asyncio

import aiomqtt

from callflow.adapters.mqtt.client import collecting_client
from callflow.adapters.mqtt.options import MqttOptions
from callflow.core.fleet.orders import Answer, ListStep, answer_of
from callflow.core.publishing.topics import Topics
from callflow.errors import CallflowError

ANSWER_S = 10.0


class NodeAway(CallflowError):
    """The broker cannot be asked, or the node has not answered: then it may have taken the step."""


async def answer_of_node(options: MqttOptions, site: str, asked: ListStep) -> Answer:
    """What the node of this site has done or refused; raises NodeAway after 10 s."""
    try:
        return await _ask(options, Topics(site), asked)
    except TimeoutError:
        raise NodeAway(
            f"the node of {site} has not answered; whether it has taken the step is not known",
            "callflow fleet shows the node, and the entry shows its last step a moment later",
        ) from None
    except (aiomqtt.MqttError, OSError) as error:
        remedy = "see [mqtt] host, port, username and password"
        raise NodeAway(f"the broker cannot be asked: {error}", remedy) from None


async def _ask(options: MqttOptions, topics: Topics, asked: ListStep) -> Answer:
    """The answer; raises TimeoutError, MqttError, OSError."""
    ours = collecting_client(options, f"callflow-ask-{asked.order_id}", options.tls_context())
    async with asyncio.timeout(ANSWER_S), ours as client:
        await client.subscribe(topics.fleet_answer, qos=1)
        await client.publish(topics.fleet_command, asked.body().encode(), qos=1)
        async for message in client.messages:
            try:
                answer = answer_of(bytes(message.payload).decode("utf-8", "replace"))
            except (ValueError, TypeError):
                continue
            if answer.order_id == asked.order_id:
                return answer
    raise TimeoutError
