"""Which numbers may be called back."""

import re

EMERGENCY = {
    "au": ("000", "106", "112"),
    "br": ("190", "191", "192", "193", "199"),
    "cn": ("110", "112", "119", "120", "122"),
    "eu": ("112",),
    "de": ("110", "112"),
    "fr": ("15", "17", "18", "112", "114", "196"),
    "gb": ("112", "999"),
    "hk": ("112", "999"),
    "in": ("100", "101", "102", "108", "112"),
    "jp": ("110", "118", "119"),
    "kr": ("112", "113", "119"),
    "nz": ("111",),
    "ru": ("101", "102", "103", "104", "112"),
    "sg": ("995", "999"),
    "tw": ("110", "112", "113", "119"),
    "us": ("911", "933", "988"),
}
"""Numbers that reach emergency services, by country. All of them are refused everywhere: phones roam, trunks differ."""

_PUNCTUATION = re.compile(r"[ ()./-]")
_PREFIXES = ("", "+", "0", "00", "000", "9", "90", "+0")


class UndialableNumber(ValueError):
    """A number that callflow does not call; the text says why."""


def bare(number: str) -> str:
    """The number without spaces and punctuation."""
    return _PUNCTUATION.sub("", number)


def caller_of(number: str) -> str:
    """What is the same for one caller, however the number is written: without punctuation and `+`."""
    return bare(number).lstrip("+")


def dialable(number: str, pattern: str, refused: tuple[str, ...]) -> str:
    """The number as it is dialled; raises UndialableNumber. `refused`: further numbers that are never called."""
    digits = bare(number)
    if not digits:
        raise UndialableNumber("the caller sent no number")
    if is_emergency(digits, refused):
        raise UndialableNumber("an emergency number, or one that the settings refuse")
    if not re.fullmatch(pattern, digits) or not re.fullmatch(r"\+?[0-9*#]+", digits):
        raise UndialableNumber(f"not a number that can be dialled (callbacks.dialable is {pattern!r})")
    return digits


def is_emergency(digits: str, refused: tuple[str, ...] = ()) -> bool:
    """Also with a `+`, zeros or an outside line's 9 in front."""
    forbidden = {number for numbers in EMERGENCY.values() for number in numbers} | {bare(number) for number in refused}
    return any(digits.startswith(prefix) and digits.removeprefix(prefix) in forbidden for prefix in _PREFIXES)
