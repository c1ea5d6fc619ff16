"""The base of every settings section: sections of the core, of the adapters and of the daemon are made of it."""

import re
import warnings
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


def _compiles(pattern: str) -> str:
    """`[[a]`, which a later Python may read as something else, is accepted in silence."""
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:  # the last two: a{9999999999} and ((((…
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression of Python."""

RELOADS: JsonDict = {"reloads": True}
"""`json_schema_extra` of a setting, or of a whole section, that a reload applies; any other needs a restart."""


class Section(BaseModel):
    """Frozen; refuses unknown keys. Each field has a default, a bound and one line of description with its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
