"""How things are now: the states of queues, agents and lines, as they stand on the board of live states."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from callflow.core.publishing.board import Board
from callflow.core.publishing.envelope import utc
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import UnfitId, topic_id
from callflow.core.publishing.window import Window
from callflow.core.rings.current_states import AgentState, LineState, QueueState

MAX_UNFIT = 10_000


class StateKey(NamedTuple):
    """Whose state it is: `kind` is queue, agent or line, `name` the name as it is shown outside."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class State:
    """Figures ready for JSON; two states that differ in `as_of_ms` alone are equal."""

    as_of_ms: int = field(compare=False)
    figures: Mapping[str, Any]

    def shown(self, key: StateKey) -> dict[str, Any]:
        """The whole state as it is published."""
        return {"id": key.name, "as_of": utc(self.as_of_ms), **self.figures}


StateBoard = Board[StateKey, State]


class StateMaker:
    """Makes the states of one daemon."""

    def __init__(self, pseudonymizer: Pseudonymizer) -> None:
        self._pseudonymizer = pseudonymizer
        self.unfit: set[str] = set()
        """Names that cannot be part of a topic; nothing is published for them."""

    def states(
        self,
        queues: Iterable[QueueState],
        agents: Iterable[AgentState],
        lines: Iterable[LineState],
        windows: Mapping[str, Window],
    ) -> dict[StateKey, State]:
        """Everything there is now, by key."""
        made = [("queue", queue.queue, queue_state(queue, windows.get(queue.queue))) for queue in queues]
        made += [("agent", agent.agent, self._agent(agent)) for agent in agents]
        made += [("line", line.line, line_state(line)) for line in lines]
        return {key: state for kind, name, state in made if (key := self._key(kind, name)) is not None}

    def _key(self, kind: str, name: str) -> StateKey | None:
        try:
            return StateKey(kind, topic_id(self._pseudonymizer.name(topic_id(name))))
        except UnfitId:
            if len(self.unfit) < MAX_UNFIT:
                self.unfit.add(name)
            return None

    def _agent(self, agent: AgentState) -> State:
        figures = {
            "work": agent.work.value if agent.work else "logged_off",
            "since": utc(agent.since_ms),
            "queues": [self._pseudonymizer.name(queue) for queue in agent.queues],
        }
        return State(agent.as_of_ms, figures)


def queue_state(queue: QueueState, window: Window | None) -> State:
    """A queue now, and the figures of its window."""
    figures = {
        "waiting": queue.waiting,
        "oldest_joined_at": utc(queue.oldest_joined_ms),
        "members": {work.value: number for work, number in queue.members.items()},
        "window": None if window is None else window.figures(queue.as_of_ms),
    }
    return State(queue.as_of_ms, figures)


def line_state(line: LineState) -> State:
    """A direct line now."""
    return State(line.as_of_ms, {"ringing": line.ringing, "talking": line.talking})


def callback_states(now_ms: int, live: Mapping[str, int], cases: Mapping[str, int]) -> dict[StateKey, State]:
    """The call-back list and the open cases in figures, as `callbacks/list`; nothing where there is no list."""
    if not live:
        return {}
    figures = {**live, "cases_open": cases.get("open", 0), "cases_overdue": cases.get("overdue", 0)}
    return {StateKey("callbacks", "list"): State(now_ms, figures)}
