"""The calls of the daemon's JSON log, and which kinds of callers are not among them yet."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PROFILE = "support"  # the daemon's own test calls have another
LADDER = ("greeting", "can_you_hear", "goodbye")
RESULTS = ("silent", "spoke", "rescued", "key", "hangup")


@dataclass
class Call:
    """One screened call: its log lines, first to last."""

    call_id: str
    lines: list[dict[str, Any]] = field(default_factory=list)

    def whats(self, kind: str) -> tuple[str, ...]:
        """What was said, decided, ... in this call."""
        return tuple(line["what"] for line in self.lines if line["event"] == kind)

    @property
    def result(self) -> str | None:
        """What was decided, None while it lasts."""
        return next(iter(self.whats("decided")), None)

    @property
    def silent_to_the_end(self) -> bool:
        """Nobody there: the whole ladder was climbed, and then decided."""
        return self.result == "silent" and self.whats("said") == LADDER

    def __str__(self) -> str:
        first = datetime.fromisoformat(self.lines[0]["timestamp"])
        shown = [f"call {self.call_id}: {self.result or 'still going on'}"]
        for line in self.lines:
            at_s = (datetime.fromisoformat(line["timestamp"]) - first).total_seconds()
            shown.append(f"  {at_s:6.2f} s  {line['event']:<14} {line['what']:<14} {line['why']}".rstrip())
        return "\n".join(shown)


def calls_in(log: str) -> list[Call]:
    """The callers' calls in this log, in the order of their arrival."""
    calls: dict[str, Call] = {}
    for text in log.splitlines():
        line = _parsed(text)
        if "call" in line and "what" in line:
            calls.setdefault(line["call"], Call(line["call"])).lines.append(line)
    return [call for call in calls.values() if call.whats("arrived") == (PROFILE,)]


def missing(calls: Iterable[Call]) -> list[str]:
    """What the log must still show, in words."""
    seen = list(calls)
    lacking = [f"a call decided {result!r}" for result in RESULTS if result not in {call.result for call in seen}]
    if not any(call.silent_to_the_end for call in seen):
        lacking.append(f"a silent caller who was told {', '.join(LADDER)}")
    return lacking


def _parsed(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text[text.index("{") :])  # after the service's name and, at times, terminal codes
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
