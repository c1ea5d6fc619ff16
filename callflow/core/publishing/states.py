"""How things are now, as retained messages: whole JSON, only sent when something has changed."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from callflow.core.publishing.discovery import Discovery
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics, UnfitId, topic_id
from callflow.core.publishing.window import Window
from callflow.core.rings.records import AgentState, LineState, QueueState

ROOM = 10_000
_MOMENT = "as_of"
"""Differs every time, and alone is no news."""


class StateBoard:
    """The retained messages of one site: what each topic should say, and which of them the broker does not know yet.

    States coalesce: of several changes before `take` only the last is sent. A topic that has gone is sent empty, once.
    """

    def __init__(self, topics: Topics, pseudonymizer: Pseudonymizer, discovery: Discovery | None = None) -> None:
        self._topics = topics
        self._pseudonymizer = pseudonymizer
        self._discovery = discovery
        self._shown: dict[str, Mapping[str, Any]] = {}
        self._news: OrderedDict[str, None] = OrderedDict()
        self._foreign: set[str] = set()
        self.unfit: set[str] = set()
        """Names that cannot be part of a topic; nothing is published for them."""

    def update(
        self,
        queues: Iterable[QueueState],
        agents: Iterable[AgentState],
        lines: Iterable[LineState],
        windows: Mapping[str, Window],
    ) -> None:
        """Everything there is now; what is not among it has gone."""
        now: dict[str, Mapping[str, Any]] = {}
        for queue in queues:
            self._add(now, "queue", queue.queue, queue_state(queue, windows.get(queue.queue)))
        for agent in agents:
            self._add(now, "agent", agent.agent, self._agent(agent))
        for line in lines:
            self._add(now, "line", line.line, line_state(line))
        if self._discovery is not None:
            now |= self._discovery.configs([state["id"] for topic, state in now.items() if _kind(topic) == "queue"])
        for topic in self._shown.keys() - now.keys():
            del self._shown[topic]
            self._news[topic] = None
        self._news.update(dict.fromkeys(self._foreign - now.keys()))
        self._foreign.clear()
        for topic, state in now.items():
            if _news(self._shown.get(topic), state):
                self._shown[topic] = state
                self._news[topic] = None

    def all_again(self) -> None:
        """A broker may have forgotten everything: send all of it."""
        self._news.update(dict.fromkeys(self._shown))

    def take(self, most: int) -> list[tuple[str, str]]:
        """Up to `most` (topic, payload) to be sent, the longest waiting first; "" removes a topic."""
        topics = [self._news.popitem(last=False)[0] for _ in range(min(most, len(self._news)))]
        return [(topic, json.dumps(self._shown[topic]) if topic in self._shown else "") for topic in topics]

    def put_back(self, topics: Iterable[str]) -> None:
        """These were taken and may not have arrived."""
        self._news.update(dict.fromkeys(topics))

    def seen(self, topic: str) -> None:
        """The broker keeps this state: unless it turns out to be ours, an earlier life left it, and it goes."""
        if topic not in self._shown and len(self._foreign) < ROOM:
            self._foreign.add(topic)

    @property
    def waiting(self) -> int:
        """Topics with news not taken yet."""
        return len(self._news)

    def _add(self, now: dict[str, Mapping[str, Any]], kind: str, name: str, state: dict[str, Any]) -> None:
        try:
            shown = self._pseudonymizer.name(topic_id(name))
            now[self._topics.state(kind, shown)] = {"id": shown, **state}
        except UnfitId:
            if len(self.unfit) < ROOM:
                self.unfit.add(name)

    def _agent(self, agent: AgentState) -> dict[str, Any]:
        return {
            "as_of": utc(agent.as_of_ms),
            "work": agent.work.value if agent.work else "logged_off",
            "since": utc(agent.since_ms),
            "queues": [self._pseudonymizer.name(queue) for queue in agent.queues],
        }


def queue_state(queue: QueueState, window: Window | None) -> dict[str, Any]:
    """A queue now, and its last while."""
    return {
        "as_of": utc(queue.as_of_ms),
        "waiting": queue.waiting,
        "oldest_joined_at": utc(queue.oldest_joined_ms),
        "members": {work.value: number for work, number in queue.members.items()},
        "window": None if window is None else window.figures(queue.as_of_ms),
    }


def line_state(line: LineState) -> dict[str, Any]:
    """A direct line now."""
    return {"as_of": utc(line.as_of_ms), "ringing": line.ringing, "talking": line.talking}


def _kind(topic: str) -> str:
    return topic.split("/")[-3]


def _news(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    if old is None:
        return True
    return any(old[key] != value for key, value in new.items() if key != _MOMENT)
