"""The service standards of queues: what is promised to callers, and how it is measured."""

from typing import Annotated

from pydantic import Field, field_validator

from callflow.core.rings.names import safe_name
from callflow.core.section import Section
from callflow.core.service.level import Formula

QueueName = Annotated[str, Field(pattern=r"^[^\x00-\x1f/+#]{1,128}$")]


class QueueTarget(Section):
    """The service standard of one queue."""

    formula: Formula = Field(Formula.A, description="Formula of the service level, A to F (docs/reports.md).")
    threshold_s: int = Field(20, ge=1, le=3600, description="Seconds within which a caller should be answered.")
    short_abandon_s: int = Field(
        5, ge=0, le=600, description="A caller who hangs up within this many seconds counts as a short abandon."
    )
    target_percent: float = Field(
        80.0,
        ge=0,
        le=100,
        description="Service level to reach, percent; reports show up to 10 points less in yellow, below in red.",
    )


class Targets(Section):
    """The standards of all queues, by the safe names that records have."""

    queues: dict[QueueName, QueueTarget]

    @field_validator("queues")
    @classmethod
    def _by_safe_name(cls, queues: dict[str, QueueTarget]) -> dict[str, QueueTarget]:
        return {safe_name(queue): target for queue, target in queues.items()}

    def of(self, queue: str) -> QueueTarget:
        """The queue's own, by its safe name or the one it has in Asterisk; else the one named default."""
        return self.queues.get(safe_name(queue)) or self.queues["default"]
