"""The text of every setting, with default and bounds: source of the example file and the reference."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from callflow.adapters.webhooks.options import WebhookOptions
from callflow.core.callbacks.rules import CallbackProfile
from callflow.core.greetings.rules import GreetedLine
from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Ladder, Profile, Quiet, Rung, TalkDetect
from callflow.core.rings.cadence import Cadence
from callflow.core.rings.rules import LineRules
from callflow.core.service.targets import QueueTarget
from callflow.settings.model import Settings
from callflow.settings.reload import reloads

SECTIONS = (
    "node",
    "ami",
    "agi",
    "tap",
    "limits",
    "prompts",
    "store",
    "fleet",
    "log",
    "rings",
    "callbacks",
    "greetings",
    "assist",
    "ratings",
    "standards",
    "evaluation",
    "mqtt",
    "http",
    "web",
    "alerts",
    "privacy",
)
HEAD = """\
Every setting of callflow, with its default. To change a setting, remove the # before its name
(lines with # and no space). You can also set each in the environment: CALLFLOW_AMI__SECRET is [ami] secret."""
LADDER_HEAD = """\
The ladder for silent callers. Each rung says its prompt, listens for listen_s after the end of the prompt, and then
does what `then` says: "next", "hang_up" (after pause_s) or "pass_on" (to a person). A caller who makes a sound or
presses a key at any moment goes on at once. Other ladders have other names; a profile selects one with
ladder = "NAME"."""
QUIET_LADDER_HEAD = """\
The ladder for a voice too low to understand. A rung with raise_gain raises the gain first; a caller who is then clear
goes on, and callflow says nothing. profiles.NAME.quiet selects the ladder."""
PROFILE_HEAD = """\
The dialplan names a profile: Gosub(callflow-screen,s,1(support)) uses [profiles.support]; a name that is not here
uses [profiles.default]."""

QUEUE_HEAD = """\
The service standard of a queue, by its name in queues.conf: [queues.support]. A queue that is not here uses
[queues.default]. Formulas: A answered in time / (answered + abandoned - short abandons), B answered in time /
offered, C also counts callers who gave up in time, D leaves them out, E answered in time / answered,
F is C for short ones."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as text; `bounds` is "" if it has none; `reloads`: a reload applies it to new calls."""

    name: str
    default: str
    bounds: str
    text: str
    reloads: bool = False


def settings_of(model: type[BaseModel], prefix: str, above: FieldInfo | None = None) -> Iterator[Setting]:
    """The settings of one section, nested ones with dotted names; `above` is the setting that holds the section."""
    for name, field in model.model_fields.items():
        nested, holder = field.annotation, above if above is not None and reloads(above) else field
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from settings_of(nested, f"{prefix}{name}.", holder)
        elif not _is_table_of_sections(field):
            yield Setting(
                f"{prefix}{name}",
                toml_value(field.get_default(call_default_factory=True)),
                _bounds(field),
                _text(field),
                reloads(holder),
            )


def all_settings() -> Iterator[Setting]:
    """Every setting of every section."""
    fields = Settings.model_fields
    for section in SECTIONS:
        model = fields[section].annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)  # noqa: PT018
        yield from settings_of(model, f"{section}.", fields[section])
    yield from settings_of(Rung, "ladders.NAME.rungs[].", fields["ladders"])
    yield from settings_of(Profile, "profiles.NAME.", fields["profiles"])
    yield from settings_of(QueueTarget, "queues.NAME.", fields["queues"])
    yield from settings_of(CallbackProfile, "callbacks.profiles.NAME.", fields["callbacks"])
    yield from settings_of(GreetedLine, "greetings.lines.NAME.", fields["greetings"])
    yield from settings_of(Cadence, "rings.cadences.NAME.")
    yield from settings_of(LineRules, "rings.lines.NAME.")
    yield from settings_of(WebhookOptions, "webhooks.NAME.")


def toml_value(value: Any) -> str:
    """A value in TOML; of a table only what differs from the default; "" for none."""
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)} = {toml_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, time):
        return json.dumps(value.isoformat("minutes"))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(inner) for inner in value) + "]"
    return json.dumps(str(value) if isinstance(value, Enum | Path) else value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def example() -> str:
    """The text of config/callflow.toml."""
    blocks = [_comment(HEAD)]
    for section in SECTIONS:
        model = Settings.model_fields[section].annotation
        assert isinstance(model, type) and issubclass(model, BaseModel)  # noqa: PT018
        blocks.append(_section(section, model))
        if section == "callbacks":
            blocks.append(_section("callbacks.profiles.default", CallbackProfile))
        if section == "greetings":
            blocks.append(_pattern("greetings.lines.NAME", GreetedLine))
        if section == "rings":
            blocks += [_pattern("rings.cadences.NAME", Cadence), _pattern("rings.lines.NAME", LineRules)]
        if section == "mqtt":
            blocks.append(_pattern("webhooks.NAME", WebhookOptions))
    blocks.append(_comment(LADDER_HEAD) + _rungs("silent", SILENT_LADDER))
    blocks.append(_comment(QUIET_LADDER_HEAD) + _rungs("quiet", QUIET_LADDER))
    blocks.append(_comment(PROFILE_HEAD) + "\n" + _section("profiles.default", Profile))
    blocks.append(_section("profiles.default.talk_detect", TalkDetect))
    blocks.append(_section("profiles.default.quiet", Quiet))
    blocks.append(_comment(QUEUE_HEAD) + "\n" + _section("queues.default", QueueTarget))
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def _section(name: str, model: type[BaseModel]) -> str:
    lines = [f"[{name}]"]
    for field_name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            continue
        if _is_table_of_sections(field):
            continue
        bounds = _bounds(field)
        lines.append(_comment(_text(field) + (f" ({bounds})" if bounds else "")).rstrip())
        value = toml_value(field.get_default(call_default_factory=True))
        lines.append(f"#{field_name} = {value or '...'}")
    return "\n".join(lines)


def _is_table_of_sections(field: FieldInfo) -> bool:
    """Its entries are sections of their own, one of which is shown."""
    default = field.get_default(call_default_factory=True)
    return isinstance(default, dict) and any(isinstance(value, BaseModel) for value in default.values())


def _pattern(name: str, model: type[BaseModel]) -> str:
    """A section that a site makes under its own names, as comments."""
    lines = (line.removeprefix("#").lstrip() for line in _section(name, model).splitlines())
    return "\n".join(f"# {line}" for line in lines)


def _rungs(name: str, ladder: Ladder) -> str:
    return "".join(f"\n#[[ladders.{name}.rungs]]\n{_rung(rung)}" for rung in ladder.rungs)


def _rung(rung: Rung) -> str:
    shown = {k: v for k, v in rung.model_dump().items() if k in _shown_keys(rung) or v != _default(k)}
    return "".join(f"#{k} = {toml_value(v)}\n" for k, v in shown.items() if v is not None)


def _shown_keys(rung: Rung) -> tuple[str, ...]:
    """Keys of a rung that are shown even at their default."""
    return ("prompt", "listen_s", "then", *(["pause_s"] if rung.then == "hang_up" else []))


def _default(name: str) -> Any:
    return Rung.model_fields[name].default


def _comment(text: str) -> str:
    lines = textwrap.wrap(text.replace("\n", " "), 112)
    return "".join(f"# {line}\n" for line in lines)


def _text(field: FieldInfo) -> str:
    return field.description or ""


def _bounds(field: FieldInfo) -> str:
    """Least and greatest value, from the constraints of the field."""
    signs = (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below"))
    parts = [f"{word} {getattr(c, sign):g}" for sign, word in signs for c in field.metadata if hasattr(c, sign)]
    return " ".join(parts)
