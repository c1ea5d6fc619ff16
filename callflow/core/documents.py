"""JSON and TOML that come from outside: whatever they contain, only ValueError is raised.

Python's own readers also raise RecursionError, for brackets a thousand deep.
"""

import json
import tomllib
from typing import Any

_TOO_DEEP = "it is nested too deeply"


def json_of(text: str | bytes) -> Any:
    """The value of a JSON text; raises ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def toml_of(text: str) -> dict[str, Any]:
    """The tables of a TOML text; raises ValueError, also for a number of 5,000 digits."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
