"""The settings that a reload may change: each is marked beside its default (RELOADS in core/section.py)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from callflow.settings.model import Settings

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Change:
    """What a new reading of the settings changes; settings by dotted name, without their values."""

    in_force: Settings
    """The old settings, with the new values of those that a reload applies."""
    applied: tuple[str, ...]
    need_restart: tuple[str, ...]


def change(old: Settings, new: Settings) -> Change:
    """Compare two readings of the settings."""
    applied = tuple(name for name, reloads in _differing(old, new) if reloads)
    waiting = tuple(name for name, reloads in _differing(old, new) if not reloads)
    return Change(_merged(old, new), applied, waiting)


def reloads(field: FieldInfo) -> bool:
    """Whether a reload applies this setting, or this whole section."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("reloads"))


def _merged(old: Model, new: Model) -> Model:
    """`old` with those values of `new` that a reload applies."""
    taken: dict[str, Any] = {}
    for name, field in type(old).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        if reloads(field) and before != after:
            taken[name] = after
        elif isinstance(before, BaseModel):
            taken[name] = _merged(before, after)
    return old.model_copy(update=taken)


def _differing(old: BaseModel, new: BaseModel) -> Iterator[tuple[str, bool]]:
    """The dotted name of every setting that differs, and whether a reload applies it."""
    for name, field in type(old).model_fields.items():
        for inner, inherited in _between(name, getattr(old, name), getattr(new, name)):
            yield inner, reloads(field) or inherited


def _between(name: str, old: Any, new: Any) -> Iterable[tuple[str, bool]]:
    """The same below one name; a table's entries are named one by one."""
    if old == new:
        return ()
    if isinstance(old, BaseModel) and isinstance(new, BaseModel):
        return [(f"{name}.{inner}", itself) for inner, itself in _differing(old, new)]
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [pair for key in keys for pair in _between(f"{name}.{key}", old.get(key), new.get(key))]
    return [(name, False)]
