"""The dialplan as ShowDialPlan lists it: dialplan/callflow.conf itself, and the context that callers enter by."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ENTRY = (
    "Set(CHANNEL(language)=${CUT(EXTEN,_,2)})",
    "Gosub(callflow-screen,s,1(${CUT(EXTEN,_,3-)}))",
    "UserEvent(LabResult,Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})",
)
_STEP = re.compile(r"(?:exten\s*=>\s*([^,]+),(\d+)|same\s*=>\s*n(?:\(([^)]+)\))?),(\w+)\((.*)\)\s*$")
_PATTERN_LETTERS = {"X": r"\d", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*"}
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of one extension."""

    context: str
    exten: str
    priority: int
    label: str
    application: str
    data: str

    def headers(self) -> str:
        """Its ListDialplan entry, behind the ActionID."""
        label = f"ExtensionLabel: {self.label}\r\n" if self.label else ""
        return (
            f"Context: {self.context}\r\nExtension: {self.exten}\r\n{label}Priority: {self.priority}\r\n"
            f"Application: {self.application}\r\nAppData: {self.data}\r\nRegistrar: pbx_config\r\n"
        )


class Dialplan:
    """Finds steps by place: exact extensions first, then patterns in their order."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = list(steps)
        self._found: dict[tuple[str, str], dict[int, Step] | None] = {}
        self._extensions: dict[str, dict[str, dict[int, Step]]] = {}
        for step in self.steps:
            self._extensions.setdefault(step.context, {}).setdefault(step.exten, {})[step.priority] = step

    def step(self, context: str, exten: str, priority: int) -> Step | None:
        """The step at this place; None if there is none."""
        return (self._extension(context, exten) or {}).get(priority)

    def priority(self, context: str, exten: str, label: str) -> int:
        """The number of a priority that is given by number or label; 0 if there is none."""
        if label.isdigit():
            return int(label)
        steps = self._extension(context, exten) or {}
        return next((number for number, step in steps.items() if step.label == label), 0)

    def _extension(self, context: str, exten: str) -> dict[int, Step] | None:
        key = context, exten
        if key not in self._found:
            known = self._extensions.get(context, {})
            fitting = (steps for pattern, steps in known.items() if _fits(pattern, exten))
            found = known.get(exten) or next(fitting, None)
            if len(self._found) > _MOST_KEPT:
                self._found.clear()
            self._found[key] = found
        return self._found[key]


def _fits(pattern: str, exten: str) -> bool:
    if not pattern.startswith("_"):
        return pattern == exten
    return re.fullmatch(_as_regex(pattern[1:]), exten) is not None


@cache
def _as_regex(pattern: str) -> str:
    parts = re.findall(r"\[[^\]]*\]|.", pattern)
    return "".join(_PATTERN_LETTERS.get(part.upper(), part if part[0] == "[" else re.escape(part)) for part in parts)


def read_dialplan(include: Path, agi_address: str, agent: str, others: str = "") -> list[Step]:
    """The entry context, and the steps of `include` and of a text, with this FastAGI address in place of theirs."""
    port = agi_address.split("/")[2]
    steps = list(_entries(agent))
    for text in (include.read_text("utf-8"), others):
        whole = text.replace("agi://127.0.0.1:4573/${CALLFLOW_TOKEN}/screen", agi_address)
        steps += _parsed(whole.replace("127.0.0.1:4573", port))
    return steps


def _entries(agent: str) -> list[Step]:
    steps: list[Step] = []
    ends = {
        "_dial!": (*_ENTRY, f"Dial(PJSIP/agent/sip:${{CALLERID(num)}}@{agent},30)", "Hangup()"),
        "_queue!": (*_ENTRY, "Queue(lab,,,,30)", "Hangup()"),
        "h": ("UserEvent(LabH,Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})",),
        "fax": (
            "UserEvent(LabFax,Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})",
            "Wait(1)",
            "Hangup()",
        ),
    }
    for exten, calls in ends.items():
        for priority, call in enumerate(calls, 1):
            application, _, data = call.partition("(")
            steps.append(Step("from-lab", exten, priority, "", application, data[:-1]))
    return steps


def _parsed(text: str) -> list[Step]:
    steps: list[Step] = []
    context = exten = ""
    priority = 0
    for raw in text.splitlines():
        line = raw.partition(";")[0].strip() if not raw.lstrip().startswith("same") else raw.strip()
        if line.startswith("["):
            context = line.strip("[]")
        elif found := _STEP.match(line):
            if found[1]:
                exten, priority = found[1].strip(), int(found[2])
            else:
                priority += 1
            steps.append(Step(context, exten, priority, found[3] or "", found[4], found[5]))
    return steps
