"""What assistance does in each talk under way, as the page shows it beside the agent."""

from collections.abc import Mapping
from typing import Any

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.rings.records import Talk

ROOM = 10_000


class AssistNow:
    """Fed with what is saved anyway: the last step of assistance of each agent, until the talk ends."""

    def __init__(self) -> None:
        self._steps: dict[str, dict[str, Any]] = {}

    def follow(self, record: object, final: bool) -> None:
        """A record was saved; steps and ended talks change something here."""
        if isinstance(record, Talk) and final:
            self._steps.pop(record.agent, None)
        if not isinstance(record, AssistStep) or not record.agent:
            return
        if record.kind is StepKind.ENDED:
            self._steps.pop(record.agent, None)
        elif record.agent in self._steps or len(self._steps) < ROOM:
            shown = {"kind": record.kind.value, "what": record.what, "outcome": record.outcome, "at_ms": record.at_ms}
            self._steps[record.agent] = shown

    def all(self) -> Mapping[str, Mapping[str, Any]]:
        """The last step, by agent."""
        return self._steps
