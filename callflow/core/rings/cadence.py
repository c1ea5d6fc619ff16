"""From seconds to rings: the bell of a country, and how an answer is judged by it (row P1 of the procedures)."""

from typing import Self

from pydantic import Field, model_validator

from callflow.core.rings.records import AnswerClass
from callflow.core.section import Name, Section

LATE_RINGS, IDEAL_RINGS = 3, 2


class Cadence(Section):
    """One whole ring: sound and silence in turn, as `ringcadence` of Asterisk's indications.conf writes it."""

    elements_ms: tuple[int, ...] = Field(
        min_length=2, max_length=16, description="Milliseconds of sound and silence in turn, beginning with sound."
    )

    @model_validator(mode="after")
    def _sounds_and_silences(self) -> Self:
        if len(self.elements_ms) % 2 or not all(0 < element <= 60_000 for element in self.elements_ms):
            raise ValueError("elements_ms wants pairs of sound and silence, each from 1 to 60000 milliseconds")
        return self

    @property
    def cycle_ms(self) -> int:
        """C: from the beginning of one ring to that of the next; (400, 200, 400, 2000) is one ring."""
        return sum(self.elements_ms)

    @property
    def sound_ms(self) -> int:
        """L: from the beginning of a ring to the beginning of its last silence."""
        return self.cycle_ms - self.elements_ms[-1]

    def rings(self, ring_ms: int) -> int:
        """Rings that have ended after so long: floor((t - L) / C) + 1 from L on, 0 before."""
        return (ring_ms - self.sound_ms) // self.cycle_ms + 1 if ring_ms >= self.sound_ms else 0

    def judge(self, ring_ms: int) -> AnswerClass:
        """An answer after so long: before the first ring has ended, just after the second, after the third, or else."""
        if ring_ms < self.sound_ms:
            return AnswerClass.EARLY
        if ring_ms > LATE_RINGS * self.cycle_ms:
            return AnswerClass.LATE
        if self.cycle_ms + self.sound_ms <= ring_ms < IDEAL_RINGS * self.cycle_ms:
            return AnswerClass.IDEAL
        return AnswerClass.ACCEPTABLE

    @property
    def thresholds_ms(self) -> tuple[int, int, int, int]:
        """Where a class ends: L, C + L, 2C, 3C."""
        cycle, sound = self.cycle_ms, self.sound_ms
        return sound, cycle + sound, IDEAL_RINGS * cycle, LATE_RINGS * cycle


_ONE_IN_FIVE = Cadence(elements_ms=(1000, 4000))
_TWO_IN_SIX = Cadence(elements_ms=(2000, 4000))
_DOUBLE = Cadence(elements_ms=(400, 200, 400, 2000))

COUNTRIES: dict[Name, Cadence] = {
    **dict.fromkeys(("cn", "de", "it", "ru", "tw"), _ONE_IN_FIVE),
    **dict.fromkeys(("us", "mx"), _TWO_IN_SIX),
    **dict.fromkeys(("uk", "au", "in", "sg"), _DOUBLE),
    "fr": Cadence(elements_ms=(1500, 3500)),
    "jp": Cadence(elements_ms=(1000, 2000)),
}
"""Asterisk's indications.conf, by country."""
