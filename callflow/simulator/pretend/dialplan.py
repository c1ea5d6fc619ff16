"""The dialplan as ShowDialPlan lists it: dialplan/callflow.conf itself, and the context that callers enter by."""

import re
from dataclasses import dataclass
from pathlib import Path

_ENTRY = (
    "Set(CHANNEL(language)=${CUT(EXTEN,_,2)})",
    "Gosub(callflow-screen,s,1(${CUT(EXTEN,_,3-)}))",
    "UserEvent(LabResult,Number: ${CALLERID(num)},Result: ${CALLFLOW_RESULT},Agi: ${AGISTATUS})",
)
_STEP = re.compile(r"(?:exten\s*=>\s*([^,]+),(\d+)|same\s*=>\s*n(?:\(([^)]+)\))?),(\w+)\((.*)\)\s*$")


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


def read_dialplan(include: Path, agi_address: str, agent: str) -> list[Step]:
    """The entry context, and the steps of `include` with this FastAGI address in place of its own."""
    text = include.read_text("utf-8").replace("agi://127.0.0.1:4573/${CALLFLOW_TOKEN}/screen", agi_address)
    return [*_entries(agent), *_parsed(text)]


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
