"""${...} and $[...] in a line of the dialplan, with the values of one channel."""

import re
from collections.abc import Callable

from callflow.simulator.pretend.program.expression import evaluate

_INNERMOST = re.compile(r"\$(?:\{([^{}$]*(?:\$(?![\[{])[^{}$]*)*)\}|\[([^\[\]$]*)\])")
_PART = re.compile(r"(?s)(.*?)(?::(-?\d+))?(?::(-?\d+))?")
Lookup = Callable[[str], str]


def substituted(text: str, lookup: Lookup) -> str:
    """A text with everything in it evaluated, from the inside out."""
    while found := _INNERMOST.search(text):
        name, expression = found[1], found[2]
        value = evaluate(expression) if name is None else _value(name, lookup)
        text = f"{text[: found.start()]}{value}{text[found.end() :]}"
    return text


def _value(name: str, lookup: Lookup) -> str:
    """A variable or function; `:1` leaves out its first letter, `:0:3` takes three."""
    found = None if "(" in name else _PART.fullmatch(name)
    if found is None or found[2] is None:
        return lookup(name)
    value, start = lookup(found[1]), int(found[2])
    rest = value[start:]
    return rest if found[3] is None else rest[: int(found[3])]


def arguments(data: str) -> list[str]:
    """The parts of an application's data; a comma in parentheses or quotes parts nothing."""
    parts, depth, quoted = [""], 0, False
    for letter in data:
        quoted ^= letter == '"'
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not quoted and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def call(text: str) -> tuple[str, str]:
    """Name and data of `Name(data)`; no data without parentheses."""
    name, _, data = text.partition("(")
    return name.strip(), data.removesuffix(")")
