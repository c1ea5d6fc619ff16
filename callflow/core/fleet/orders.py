"""What a node of a fleet is asked over MQTT, by the collector or by a person, and the answer. All are JSON."""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from callflow.core.callbacks.states import Step
from callflow.core.documents import json_of

LONGEST = 4000
"""Characters of a message."""
MOST = 2**53
"""Times beyond are none."""


class Do(StrEnum):
    """What a node is asked to do."""

    RAISE = "raise"
    """Put a caller on the call-back list, who made short calls at several nodes, the last one here."""
    BEGIN_ANEW = "begin_anew"
    """The short calls of this caller are counted: count from 0."""
    SETTLE = "settle"
    """A call with the caller of an entry was answered at another node."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What goes to a node, or comes back."""

    def body(self) -> str:
        """The message."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Order(_Message):
    """One caller at one node. Only the node knows the number: it finds it by the call."""

    order_id: str
    do: Do
    caller: str
    """The hash."""
    call_id: str
    """Of the caller's last short call at this node."""
    call_ms: int
    """When that ended, epoch ms."""
    at_ms: int
    """When the last of all short calls ended."""
    profile: str
    why: str
    callback_id: str = ""
    """The entry to be settled."""


@dataclass(frozen=True, slots=True)
class ListStep(_Message):
    """A step in the call-back list of a node, asked for by a person."""

    order_id: str
    callback_id: str
    step: Step
    actor: str
    why: str
    agent: str = ""
    """For a dial: the agent whose phone is to ring."""
    revision: int = 0
    """Of the entry that the person sees: the node refuses the step for another one. 0: for any."""


@dataclass(frozen=True, slots=True)
class Answer(_Message):
    """The outcome of an order. A refused order is not sent again."""

    order_id: str
    done: bool
    why: str
    callback_id: str = ""


def order_of(text: str) -> Order | ListStep:
    """What a message asks for; raises ValueError."""
    try:
        said = _read(text, Order)
    except ValueError:
        said = _read(text, ListStep)
        return ListStep(**said | {"step": Step(said["step"])})
    return Order(**said | {"do": Do(said["do"])})


def answer_of(text: str) -> Answer:
    """The answer of a message; raises ValueError."""
    return Answer(**_read(text, Answer))


def _read(text: str, kind: type[Any]) -> dict[str, Any]:
    """The fields of a message; what another release adds is left out, and what it has not is as by default."""
    said = json_of(text) if len(text) <= LONGEST else None
    if not isinstance(said, dict):
        raise ValueError("it is not an object, or too long")
    found: dict[str, Any] = {}
    for field in fields(kind):
        value = said.get(field.name, None if field.default is MISSING else field.default)
        wanted = field.type if field.type in (int, bool) else str
        if type(value) is not wanted or (isinstance(value, int) and not 0 <= value < MOST):
            raise ValueError(f"{field.name} is {value!r}")
        found[field.name] = value
    return found
