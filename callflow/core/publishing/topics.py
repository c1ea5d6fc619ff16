"""Topics below callflow/v1/<site>/: one place where names become parts of a topic."""

import re
from dataclasses import dataclass

LONGEST_ID = 128
_UNFIT = re.compile(r"[+#/$\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class UnfitId(ValueError):
    """A name cannot be a part of a topic; nothing is published for it."""


def topic_id(name: str) -> str:
    """`name` as one level of a topic; raises UnfitId for + # / $, control characters, nothing, or too much."""
    if not is_fit(name):
        raise UnfitId(f"{name[:LONGEST_ID]!a} cannot be a part of a topic")
    return name


def is_fit(name: str) -> bool:
    """`name` can be one level of a topic."""
    return bool(name) and len(name.encode("utf-8", "replace")) <= LONGEST_ID and not _UNFIT.search(name)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site."""

    site: str

    def __post_init__(self) -> None:
        topic_id(self.site)

    @property
    def root(self) -> str:
        return f"callflow/v1/{self.site}"

    @property
    def status(self) -> str:
        """Retained: whether the daemon is online."""
        return f"{self.root}/status"

    @property
    def collected(self) -> str:
        """Not retained, from the collector: up to where this site's events are stored."""
        return f"{self.root}/collected"

    @property
    def node(self) -> str:
        """Retained, for the collector: which daemon publishes here."""
        return f"{self.root}/node"

    @property
    def fleet_command(self) -> str:
        """Not retained, from the collector: what this node is asked to do."""
        return f"{self.root}/fleet/command"

    @property
    def fleet_answer(self) -> str:
        """Not retained, for the collector: what came of it."""
        return f"{self.root}/fleet/answer"

    def state(self, kind: str, name: str) -> str:
        """Retained: `kind` is queue, agent or line. Raises UnfitId."""
        return f"{self.root}/{kind}/{topic_id(name)}/state"

    @property
    def state_filter(self) -> str:
        """The topic filter of every state."""
        return f"{self.root}/+/+/state"

    @property
    def command_filter(self) -> str:
        """The topic filter of what agents ask for."""
        return f"{self.root}/agent/+/command"

    def commanded(self, topic: str) -> str:
        """The agent of a command's topic; "" for any other topic, and for one that could not be answered."""
        agent, _, last = topic.removeprefix(f"{self.root}/agent/").partition("/")
        is_command = last == "command" and topic.startswith(self.root)
        return agent if is_command and is_fit(agent) else ""

    def answer(self, agent: str) -> str:
        """Not retained: answers to what an agent asked for. Raises UnfitId."""
        return f"{self.root}/agent/{topic_id(agent)}/answer"

    def call(self, kind: str) -> str:
        """Not retained: the events of calls."""
        return f"{self.root}/event/call/{kind}"

    def alert(self, kind: str) -> str:
        """Not retained: alerts."""
        return f"{self.root}/event/alert/{kind}"


def event_name(topic: str) -> str:
    """call.stay of callflow/v1/SITE/event/call/stay."""
    return ".".join(topic.split("/")[-2:])
