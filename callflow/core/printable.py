"""Text from outside, made harmless: for a terminal, for a record and for a log line."""

import re

LONGEST_NAME = 256
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def printable(text: str, kept: str = "") -> str:
    """`text` with control and format characters (ESC, C1, bidirectional controls) spelt out, except those `kept`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode("ascii") for c in text)


def is_text(text: str) -> bool:
    """`text` can be stored and sent: it has no bytes that the command line could not decode (lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """A name or number for a record: control characters and runs of blanks become one blank, the rest is cut off."""
    return _BLANKS.sub(" ", text[: 4 * longest]).strip()[:longest]


def shortened(text: str, longest: int = 64) -> str:
    """`text` for a log line or an error: at most `longest` characters, the last one an ellipsis if more were there."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
