"""The retained messages of one broker connection: each state under its topic, and its Home Assistant announcement."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from callflow.core.publishing.board import Change
from callflow.core.publishing.discovery import Discovery
from callflow.core.publishing.states import State, StateBoard, StateKey
from callflow.core.publishing.topics import Topics

MAX_LEFT_OVER = 10_000

Message = tuple[str, str]
"""Topic and payload; an empty payload removes the topic."""


class RetainedMessages:
    """Reads the board for one connection, from a snapshot on.

    A topic that the broker retains and that no state claims is left over from an earlier life of the daemon. It is
    removed, but only while `complete` says that the board holds all there is.
    """

    def __init__(self, board: StateBoard, topics: Topics, discovery: Discovery | None = None) -> None:
        self._board = board
        self._topics = topics
        self._discovery = discovery
        self._reader = board.reader()
        self._held: set[str] = set()
        """Topics that this connection has made the broker retain."""
        self._left_over: set[str] = set()
        """Topics that the broker retains, not claimed by a state so far."""

    def has_news(self, complete: bool) -> bool:
        """`take` would return something."""
        return self._reader.has_news or (complete and bool(self._left_over))

    def all_again(self) -> None:
        """Send everything once more."""
        self._reader = self._board.reader()

    def seen(self, topic: str) -> None:
        """The broker retains this topic."""
        if topic not in self._held and len(self._left_over) < MAX_LEFT_OVER:
            self._left_over.add(topic)

    def take(self, most: int, complete: bool) -> list[Message]:
        """The messages of up to `most` changes; what is left over goes with the last of them."""
        read = self._reader.take(most)
        messages: dict[str, str] = {}
        if read.fresh:
            self._left_over |= self._held
            self._held.clear()
            messages |= self._of_daemon()
        for change in read:
            messages |= self._of(change)
        for topic, payload in messages.items():
            self._left_over.discard(topic)
            (self._held.add if payload else self._held.discard)(topic)
        if complete and not self._reader.has_news:
            messages |= dict.fromkeys(self._left_over, "")
            self._left_over.clear()
        return list(messages.items())

    def _of_daemon(self) -> dict[str, str]:
        return {} if self._discovery is None else _as_json(self._discovery.of_daemon())

    def _of(self, change: Change[StateKey, State]) -> dict[str, str]:
        """The state, and for a queue that is new or gone its announcement."""
        key, state = change.key, change.value
        topic = self._topics.state(key.kind, key.name)
        shown = "" if state is None else json.dumps(state.shown(key))
        return {**dict(self._announcements(key, state)), topic: shown}

    def _announcements(self, key: StateKey, state: State | None) -> Iterator[Message]:
        if self._discovery is not None and key.kind == "queue":
            for topic, config in _as_json(self._discovery.of_queue(key.name)).items():
                if state is None:
                    yield topic, ""
                elif topic not in self._held:
                    yield topic, config


def _as_json(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {topic: json.dumps(config) for topic, config in configs.items()}
