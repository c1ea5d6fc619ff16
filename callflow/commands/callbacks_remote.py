"""Steps in the call-back list of another node: asked for over MQTT, answered by the node, which alone can take them."""

import asyncio
from secrets import token_hex

import aiomqtt

from callflow.adapters.mqtt.client import collecting_client
from callflow.adapters.store.callback_queries import CallbackQueries
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.states import Step
from callflow.core.fleet.orders import Answer, ListStep, answer_of
from callflow.core.publishing.topics import Topics
from callflow.errors import CallflowError
from callflow.settings.model import Settings

ANSWER_S = 10.0


def entry_of_fleet(url: str, callback_id: str) -> tuple[Entry, str]:
    """An entry in the fleet's database, and its site; raises NoSuchCallback or StoreError."""
    table = fleet_metadata.tables["callbacks"]
    with Reader(url) as reader:
        entry = CallbackQueries(reader.rows).find(callback_id)
        (row,) = reader.rows(table.select().where(table.c.callback_id == entry.callback_id).limit(1))
    return entry, str(row["site"])


def step_at_its_node(
    settings: Settings, url: str, callback_id: str, step: Step, actor: str, why: str, agent: str = ""
) -> Answer:
    """What the node has done; raises CallflowError when it refuses or does not answer."""
    entry, site = entry_of_fleet(url, callback_id)
    asked = ListStep(token_hex(8), entry.callback_id, step, actor, why, agent)
    try:
        answer = asyncio.run(_ask(settings, Topics(site), asked))
    except TimeoutError:
        raise CallflowError(
            f"the node of {site} has not answered; whether it has taken the step is not known",
            f"callflow fleet shows the node, and callflow callbacks show {entry.callback_id} the entry a moment later",
        ) from None
    except (aiomqtt.MqttError, OSError) as error:
        remedy = "see [mqtt] host, port, username and password"
        raise CallflowError(f"the broker cannot be asked: {error}", remedy) from None
    if not answer.done:
        remedy = f"callflow callbacks show {entry.callback_id} shows who did what"
        raise CallflowError(f"{entry.callback_id}: {answer.why}", remedy)
    return answer


async def _ask(settings: Settings, topics: Topics, asked: ListStep) -> Answer:
    """The answer; raises TimeoutError, MqttError, OSError."""
    mqtt = settings.mqtt
    client_of_ours = collecting_client(mqtt, f"callflow-ask-{asked.order_id}", mqtt.tls_context())
    async with asyncio.timeout(ANSWER_S), client_of_ours as client:
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
