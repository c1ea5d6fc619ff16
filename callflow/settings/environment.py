"""Settings from the environment: CALLFLOW_AMI__SECRET is [ami] secret. Misspelt names are refused."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from callflow.errors import SettingError

PREFIX = "CALLFLOW_"
_OF_A_SERVICE = ("tcp://", "udp://", "sctp://")
"""For a service callflow-http, Kubernetes sets CALLFLOW_HTTP_PORT; that is not a misspelt setting."""


class Environment(EnvSettingsSource):
    """The environment as a source; a list or table that is not JSON is left for the model to refuse."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """The value of a list or a table."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def variable_of(parts: list[str]) -> str:
    """The variable of a setting: ["ami", "secret"] is CALLFLOW_AMI__SECRET."""
    return PREFIX + "__".join(parts).upper()


def refuse_misspelt(model: type[BaseModel], environ: Mapping[str, str] = os.environ) -> None:
    """Raises SettingError for a variable that looks like a setting but that pydantic would silently ignore."""
    right = {_squeezed(variable): variable for variable in _variables(model, [])}
    for name, value in environ.items():
        if not name.upper().startswith(PREFIX) or value.startswith(_OF_A_SERVICE):
            continue
        meant = right.get(_squeezed(name.upper()), name.upper())
        section, nested, _ = name.upper().removeprefix(PREFIX).partition("__")
        if meant != name.upper():
            raise SettingError(name, "there is no such setting (environment)", f"did you mean {meant}?")
        if nested and section.lower() not in model.model_fields:
            raise SettingError(name, "there is no such setting (environment)", _nearest(name.upper(), right.values()))


def _nearest(name: str, variables: Any) -> str:
    close = difflib.get_close_matches(name, list(variables), 1)
    return f"did you mean {close[0]}?" if close else "`callflow settings reference` lists every setting"


def _squeezed(name: str) -> str:
    return re.sub("_+", "_", name)


def _variables(model: type[BaseModel], above: list[str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variables(field.annotation, [*above, name])
        elif above:
            yield variable_of([*above, name])
