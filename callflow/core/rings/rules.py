"""The section [rings] of the settings: which cadence counts, who an agent is, what a direct line is."""

from typing import Self

from pydantic import Field, model_validator

from callflow.core.rings.cadence import COUNTRIES, Cadence
from callflow.core.section import Name, Pattern, Section


class LineRules(Section):
    """One direct line with its own name."""

    numbers: tuple[str, ...] = Field(min_length=1, description="Dialled numbers or extensions that are this line.")
    cadence: Name | None = Field(None, description="Ring cadence of this line's phones; leave out for [rings] cadence.")


class RingRules(Section):
    """How rings are counted, and under which names."""

    cadence: Name = Field("cn", description="Cadence that rings are counted by: a country, or one of [rings.cadences].")
    analogue_offset_s: float = Field(
        0.0, ge=0, le=30, description="Seconds that analogue phones ring before Asterisk knows it (DAHDI)."
    )
    auto_answer_s: float = Field(
        0.3,
        ge=0,
        le=5,
        description="An answer sooner than this, in seconds, is automatic and left out of every service level.",
    )
    work_number: Pattern = Field(
        r"\d{2,}",
        description="Regular expression that finds the work number in a member's name, or else in the interface.",
    )
    work_numbers: dict[str, str] = Field(
        default_factory=dict, description="Work number by interface or member name, where the expression finds none."
    )
    line_pattern: Pattern = Field(
        r"[0-9]{2,5}", description="Regular expression: dialled extensions that are direct lines."
    )
    max_names: int = Field(
        500,
        ge=1,
        le=100_000,
        description="Queues, agents and lines with their own name, of each kind; further ones are called other.",
    )
    cadences: dict[Name, Cadence] = Field(default_factory=dict, description="Your own cadences, by name.")
    queue_cadences: dict[str, Name] = Field(
        default_factory=dict, description="Cadence by queue, if its phones do not ring by `cadence`."
    )
    lines: dict[str, LineRules] = Field(default_factory=dict, description="Direct lines with their own names.")

    @model_validator(mode="after")
    def _cadences_exist(self) -> Self:
        named = {"cadence": self.cadence}
        named |= {f"queue_cadences.{queue}": name for queue, name in self.queue_cadences.items()}
        named |= {f"lines.{name}.cadence": rules.cadence for name, rules in self.lines.items() if rules.cadence}
        for key, name in named.items():
            if name not in self.cadences and name not in COUNTRIES:
                known = sorted({*COUNTRIES, *self.cadences})
                raise ValueError(f"{key}: there is no cadence {name!r} in {known}")
        return self

    def cadence_name(self, queue: str = "", line: str = "") -> str:
        """Name of the cadence that a queue's or a line's rings are counted by."""
        own_line = self.lines.get(line)
        own = self.queue_cadences.get(queue) if queue else own_line.cadence if own_line else None
        return own or self.cadence

    def bell(self, name: str) -> Cadence:
        """The cadence of this name; a site's own goes before a country's."""
        return self.cadences.get(name) or COUNTRIES[name]

    def thresholds_s(self) -> tuple[float, ...]:
        """Where a class ends, seconds, of every cadence in use: bounds of a histogram that is to show the classes."""
        names = {self.cadence, *self.queue_cadences.values(), *(line.cadence for line in self.lines.values())} - {None}
        return tuple(sorted({ms / 1000 for name in names if name for ms in self.bell(name).thresholds_ms}))
