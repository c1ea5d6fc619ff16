"""Turns pydantic's errors into sentences that name the setting, its source and the remedy."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from callflow.errors import SettingError
from callflow.settings.credentials import credential_files
from callflow.settings.environment import variable_of

SECRETS = ("secret", "token", "password", "key", "database_url")
"""Settings by these names are never shown."""
_SHAPES = {"tuple_type": "a list", "list_type": "a list", "dict_type": "a table", "model_type": "a table"}


def explain(error: ValidationError, file: Path | None, model: type[BaseModel]) -> SettingError:
    """One SettingError for the first mistake; it also counts the others."""
    first, *more = error.errors()
    loc = [str(part) for part in first["loc"]]
    file = credential_files(model).get(".".join(loc), file)
    problem, remedy = _verdict(first, loc, model)
    also = f", and {len(more)} more mistake{'s' * (len(more) > 1)}" if more else ""
    return SettingError(".".join(loc) or "settings", f"{problem} ({_source(loc, file)}){also}", remedy)


def _verdict(detail: ErrorDetails, loc: list[str], model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    if detail["type"] == "extra_forbidden":
        return "there is no such setting", _did_you_mean(loc, model)
    message = detail["msg"].removeprefix("Value error, ")
    if not loc:
        return message, "correct it; `callflow settings reference` explains every setting"
    wanted = _SHAPES.get(detail["type"], "")
    problem = f"must be {wanted}" if wanted else f"{message[:1].lower()}{message[1:]}"
    if len(loc) > 1 and detail["type"] != "missing":  # a whole section may hold a secret
        problem += f", not {_shown(detail['input'], loc)}"
    if wanted and variable_of(loc) in os.environ:
        return problem, _form(wanted, loc, model)
    return problem, f"correct {'.'.join(loc)}; `callflow settings reference` lists every setting with its bounds"


def _form(wanted: str, loc: list[str], model: type[BaseModel]) -> str:
    """How a list or a table is written in the environment."""
    variable = variable_of(loc)
    if wanted == "a list":
        return f'write it as JSON: {variable}=\'["...", "..."]\''
    key = next(iter(_keys_beside([*loc, ""], model)), "")
    if key:
        return f"set its parts one by one, e.g. {variable_of([*loc, key])}=..."
    return f"write it as JSON: {variable}='{{\"NAME\": ...}}'"


def _source(loc: list[str], file: Path | None) -> str:
    """The variable of the setting, or of the list or table that contains it; else the file."""
    variables = (variable_of(loc[:count]) for count in range(len(loc), 0, -1))
    variable = next((name for name in variables if name in os.environ), "")
    return f"variable {variable}" if variable else f"file {file}" if file else "defaults"


def _shown(value: Any, loc: list[str]) -> str:
    if loc[-1:] and loc[-1].lower() in SECRETS:
        return "the value given"
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
        return "a table" if isinstance(value, dict) else "a list of tables"  # whose parts may be secrets
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _did_you_mean(loc: list[str], model: type[BaseModel]) -> str:
    known = sorted(_keys_beside(loc, model))
    close = difflib.get_close_matches(loc[-1], known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known) or 'nothing'}"


def _keys_beside(loc: list[str], model: type[BaseModel]) -> Iterable[str]:
    """Names of the settings that are valid at this place."""
    here: Any = model
    for part in loc[:-1]:
        fields = getattr(here, "model_fields", None)
        here = fields[part].annotation if fields and part in fields else _item_type(here)
    return getattr(here, "model_fields", {})


def _item_type(annotation: Any) -> Any:
    """The type of the values of dict[str, X] or tuple[X, ...]; X itself if it is a model."""
    models = [arg for arg in get_args(annotation) if hasattr(arg, "model_fields")]
    return models[0] if models else annotation
