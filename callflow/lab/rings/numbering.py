"""A ring scenario's place in the lab: the numbers and names that everything has in it."""

from dataclasses import dataclass

from callflow.lab.rings.scenario import Party, Scenario


@dataclass(frozen=True)
class Numbered:
    """A scenario with its numbers: agents 8xxx, entry 61xx (queue) or 71xx (line), second queue 62xx, caller 31xx."""

    scenario: Scenario
    index: int

    def number(self, party: Party) -> str:
        """Number, and name of the endpoint, of one phone."""
        return self.caller if party == "caller" else str(8010 + 10 * self.index + "abc".index(party))

    @property
    def numbers(self) -> dict[str, str]:
        """Number of each agent's phone, by its letter."""
        return {letter: self.number(letter) for letter in self.scenario.phones}

    def fill(self, text: str) -> str:
        """A text of the scenario with the numbers in it."""
        names = {"queue": self.queue, "entry": self.entry, "second": self.second_entry, "caller": self.caller}
        return text.format(**names, **self.numbers)

    def dialled(self, to: str) -> str:
        """What is dialled for a phone's letter, or for a text with numbers in it."""
        return self.numbers.get(to) or self.fill(to)

    @property
    def queue(self) -> str:
        return f"ring-{self.scenario.name}"

    @property
    def second_queue(self) -> str:
        return f"{self.queue}-2"

    @property
    def entry(self) -> str:
        """What the caller dials."""
        return str((7100 if self.scenario.queue is None else 6100) + self.index)

    @property
    def second_entry(self) -> str:
        """The extension of the second queue."""
        return str(6200 + self.index)

    @property
    def caller(self) -> str:
        """The caller's number."""
        return str(3100 + self.index)
