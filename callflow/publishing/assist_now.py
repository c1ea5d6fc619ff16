"""What assistance does in each talk under way, and each agent's wrap-up, as the page shows them beside the agent."""

from collections.abc import Mapping
from typing import Any

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.rings.records import Talk

ROOM = 10_000


class AssistNow:
    """Fed with what is saved anyway: each agent's last step of assistance in a talk, and wrap-up under way."""

    def __init__(self) -> None:
        self._steps: dict[str, dict[str, Any]] = {}
        self._wrap_ups: dict[str, dict[str, Any]] = {}

    def follow(self, record: object, final: bool) -> None:
        """A record was saved; steps, wrap-ups and ended talks change something here."""
        if isinstance(record, Talk) and final:
            self._steps.pop(record.agent, None)
        if isinstance(record, WrapUp):
            self._follow_wrap_up(record, final)
        if not isinstance(record, AssistStep) or not record.agent:
            return
        if record.kind is StepKind.ENDED:
            self._steps.pop(record.agent, None)
        elif record.agent in self._steps or len(self._steps) < ROOM:
            shown = {"kind": record.kind.value, "what": record.what, "outcome": record.outcome, "at_ms": record.at_ms}
            self._steps[record.agent] = shown

    def _follow_wrap_up(self, wrap_up: WrapUp, final: bool) -> None:
        if final:
            self._wrap_ups.pop(wrap_up.agent, None)
        elif wrap_up.agent in self._wrap_ups or len(self._wrap_ups) < ROOM:
            self._wrap_ups[wrap_up.agent] = {"began_ms": wrap_up.began_ms, "outcome": wrap_up.outcome}

    def of(self, agent: str) -> Mapping[str, Any]:
        """`assist`: the last step, `wrap_up`: asked for (`began_ms` is None) or under way; each None for none."""
        return {"assist": self._steps.get(agent), "wrap_up": self._wrap_ups.get(agent)}
