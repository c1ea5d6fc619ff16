"""Every setting with the value that is in force."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, SecretStr

from callflow.settings.documentation import SECTIONS, settings_of, toml_value
from callflow.settings.errors import SECRETS
from callflow.settings.model import Settings


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting with its value."""

    name: str
    value: str
    default: str
    text: str

    @property
    def changed(self) -> bool:
        """The value is not the default."""
        return self.value != self.default


def in_force(settings: Settings) -> Iterator[InForce]:
    """Every setting with its value; a secret is only said to be set."""
    sections: list[tuple[str, BaseModel]] = [(name, getattr(settings, name)) for name in SECTIONS]
    for name, ladder in settings.ladders.items():
        sections += [(f"ladders.{name}.rungs[{number}]", rung) for number, rung in enumerate(ladder.rungs, 1)]
    sections += [(f"profiles.{name}", profile) for name, profile in settings.profiles.items()]
    sections += [(f"queues.{name}", target) for name, target in settings.queues.items()]
    for prefix, section in sections:
        for setting in settings_of(type(section), ""):
            value = _value(section, setting.name)
            yield InForce(f"{prefix}.{setting.name}", value, setting.default, setting.text)


def _value(section: BaseModel, dotted: str) -> str:
    value: object = section
    for part in dotted.split("."):
        value = getattr(value, part)
    shown = toml_value(value)
    hidden = isinstance(value, SecretStr) or dotted in SECRETS
    return "(set)" if hidden and shown != '""' else shown
