"""Steps in the call-back list of another node, from the command line."""

import asyncio
from secrets import token_hex

from callflow.adapters.mqtt.asking import answer_of_node
from callflow.adapters.store.callback_queries import CallbackQueries
from callflow.adapters.store.fleet.entries import site_of_entry
from callflow.adapters.store.queries import Reader
from callflow.core.callbacks.states import Step
from callflow.core.fleet.orders import Answer, ListStep
from callflow.errors import CallflowError
from callflow.settings.model import Settings


def step_at_its_node(
    settings: Settings, url: str, callback_id: str, step: Step, actor: str, why: str, agent: str = ""
) -> Answer:
    """What the node has done; raises CallflowError when it refuses or does not answer."""
    with Reader(url) as reader:
        entry = CallbackQueries(reader.rows).find(callback_id)
        site = site_of_entry(reader, entry.callback_id)
    asked = ListStep(token_hex(8), entry.callback_id, step, actor, why, agent)
    answer = asyncio.run(answer_of_node(settings.mqtt, site, asked))
    if not answer.done:
        remedy = f"callflow callbacks show {entry.callback_id} shows who did what"
        raise CallflowError(f"{entry.callback_id}: {answer.why}", remedy)
    return answer
