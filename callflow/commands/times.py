"""Times as people write them on the command line, and as callflow shows them: local, with their zone."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

import typer

UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
DAY_S = 86_400
_FIRST_MS, _LAST_MS = -62_135_424_000_000, 253_402_128_000_000
"""3 January of the year 1 and 30 December of 9999: every zone can show them."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_when(text: str) -> int:
    """Epoch ms of `2h` (ago), `2026-01-31`, `2026-01-31T14:05`; local time unless it carries a zone."""
    ago = re.fullmatch(r"(\d{1,6})\s*([smhdw])", text.strip().lower())
    try:
        if ago:
            when = datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        else:
            when = datetime.fromisoformat(text.strip()).astimezone()
        return round(when.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise typer.BadParameter(
            f"{text!r} is not a time: write 30m, 2h, 1d or 1w (ago), 2026-01-31, or 2026-01-31T14:05"
        ) from None


def local(at_ms: int, zone: tzinfo | None = None) -> datetime:
    """The time of an epoch ms in `zone`, or in the machine's own; the first or last there is for one beyond."""
    at_ms = min(max(at_ms, _FIRST_MS), _LAST_MS)
    return (datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000)).astimezone(zone)


def shown(at_ms: int) -> str:
    """`2026-01-31 14:05:03 CET`."""
    return f"{local(at_ms):%Y-%m-%d %H:%M:%S %Z}"


def shown_exactly(at_ms: int) -> str:
    """`2026-01-31 14:05:03.120 CET`."""
    at = local(at_ms)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d} {at:%Z}"


def iso(at_ms: int | None, zone: tzinfo | None = None) -> str:
    """`2026-01-31T14:05:03.120+01:00` in `zone` or local time, "" for no time."""
    return "" if at_ms is None else local(at_ms, zone).isoformat(timespec="milliseconds")


def seconds(ms: int) -> str:
    """`2.130 s`."""
    return f"{ms / 1000:.3f} s"


def shown_seconds(seconds: float) -> str:
    """`0 s`, `7.8 s`, `3:05 min`, `12:30 h`."""
    if not seconds:
        return "0 s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 6000:
        return f"{whole // 60}:{whole % 60:02} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h"


def parse_length(text: str) -> float:
    """Seconds of `180`, `180s`, `30m` or `1.5h`; more than none, and at most a day. Raises typer.BadParameter."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smh]?)", text.strip().lower())
    length_s = float(found[1]) * UNITS_S[found[2]] if found else 0
    if not 0 < length_s <= DAY_S:
        raise typer.BadParameter(f"{text!r} is not a length of time: write 180s, 30m or 1h, at most 24h")
    return length_s
