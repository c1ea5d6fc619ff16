"""What agents ask for over MQTT: a JSON object in, its answer out."""

import json
from collections.abc import Callable
from typing import Any

from callflow.core.assist.actions import WORDS, ActionAnswer, AgentActions, Door, Refusal
from callflow.core.documents import json_of
from callflow.core.publishing.topics import Topics

LONGEST = 2000
"""Characters of a command."""


class AgentCommands:
    """`{"action": ..., "request_id": ..., "call_id": ...}`; the last two may be left out."""

    def __init__(self, topics: Topics, actions: Callable[[], AgentActions | None]) -> None:
        self._topics = topics
        self._actions = actions

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return self._topics.command_filter

    def takes(self, topic: str) -> bool:
        """This is a command's topic."""
        return bool(self._topics.commanded(topic))

    async def answer(self, topic: str, payload: str) -> tuple[str, str]:
        """Topic and payload of the answer; what cannot be read is refused."""
        agent, asked = self._topics.commanded(topic), _read(payload)
        action, request_id, call_id = (asked.get(name, "") for name in ("action", "request_id", "call_id"))
        actions = self._actions()
        if actions is None:
            answer = ActionAnswer("", action, Refusal.NO_TALK, WORDS[Refusal.NO_TALK])
        else:
            answer = await actions.act(action, Door.MQTT, agent, call_id)
        told = {
            "request_id": request_id,
            "action": action,
            "done": answer.done,
            "refused": answer.refusal,
            "why": answer.why,
        }
        return self._topics.answer(agent), json.dumps(told, ensure_ascii=False)


def _read(payload: str) -> dict[str, str]:
    """The strings of a JSON object; nothing where it is none."""
    if len(payload) > LONGEST:
        return {}
    try:
        read: Any = json_of(payload)
    except ValueError:
        return {}
    if not isinstance(read, dict):
        return {}
    return {name: value[:150] for name, value in read.items() if isinstance(value, str)}
