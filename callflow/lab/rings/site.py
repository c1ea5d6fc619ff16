"""The Asterisk configuration of ring scenarios, and the numbers everything has in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from callflow.lab.rings.scenario import Scenario
from callflow.processes.ports import LOOPBACK

AGENTS = "ring-agents"


@dataclass(frozen=True)
class Numbered:
    """A scenario with its place in the lab: agents 81xx, entry 61xx (queue) or 71xx (line), caller 31xx."""

    scenario: Scenario
    index: int

    def phone(self, letter: str) -> str:
        """Number, and name of the endpoint, of one phone."""
        return str(8010 + 10 * self.index + "abc".index(letter))

    @property
    def numbers(self) -> dict[str, str]:
        """Number of each phone, to be put into the scenario's texts."""
        return {letter: self.phone(letter) for letter in self.scenario.phones}

    @property
    def queue(self) -> str:
        return f"ring-{self.scenario.name}"

    @property
    def entry(self) -> str:
        """What the caller dials."""
        return str((7100 if self.scenario.queue is None else 6100) + self.index)

    @property
    def caller(self) -> str:
        """The caller's number."""
        return str(3100 + self.index)


def additions(port: int, scenarios: Sequence[Numbered]) -> dict[str, str]:
    """Texts to add to the lab's files: name and text."""
    return {
        "pjsip.conf": "".join(_endpoint(number, port) for s in scenarios for number in s.numbers.values()),
        "queues.conf": "".join(_queue(s) for s in scenarios if s.scenario.queue is not None),
        "extensions.conf": "\n[from-lab]\n" + "".join(_entry(s) for s in scenarios) + _agents(),
        "features.conf": "[general]\npickupexten = *8\natxfernoanswertimeout = 10\n[featuremap]\natxfer => *2\n",
        "followme.conf": "".join(_followme(s) for s in scenarios),
    }


def _endpoint(number: str, port: int) -> str:
    group = number[:-1]
    return (
        f"\n[{number}]\ntype = endpoint\ncontext = {AGENTS}\naors = {number}\ndisallow = all\nallow = ulaw\n"
        f"direct_media = no\ncall_group = {int(group) - 801}\npickup_group = {int(group) - 801}\n"
        f"[{number}]\ntype = aor\ncontact = sip:{number}@{LOOPBACK}:{port}\n"
    )


def _queue(numbered: Numbered) -> str:
    options = {"strategy": "ringall", "timeout": 15, "retry": 1, "ringinuse": "yes"} | (numbered.scenario.queue or {})
    lines = "".join(f"{key} = {value}\n" for key, value in options.items())
    members = [member.format(**numbered.numbers) for member in numbered.scenario.members]
    return f"\n[{numbered.queue}]\n{lines}" + "".join(f"member => {member}\n" for member in members)


def _entry(numbered: Numbered) -> str:
    queue = numbered.queue
    usual = (
        ["Dial(PJSIP/{a},20,tT)", "Hangup()"]
        if numbered.scenario.queue is None
        else [
            "Answer()",
            "Queue({queue},tT,,,20)",
            "UserEvent(CallflowQueue,Queue: {queue},Status: ${{QUEUESTATUS}})",
            "Hangup()",
        ]
    )
    lines = [
        line.format(queue=queue, entry=numbered.entry, **numbered.numbers)
        for line in numbered.scenario.dialplan or usual
    ]
    return f"exten => {numbered.entry},1,{lines[0]}\n" + "".join(f" same => n,{line}\n" for line in lines[1:])


def _agents() -> str:
    """An agent's extension, and what transfers and forwards lead to."""
    return (
        f"\n[{AGENTS}]\nexten => _8XXX,1,Dial(PJSIP/${{EXTEN}},15,tT)\n same => n,Hangup()\n"
        "exten => 5,1,Wait(1)\n same => n,Hangup()\n"
        "exten => _9X.,1,Dial(PJSIP/${EXTEN:1},15)\n same => n,Hangup()\n"
        "\n[nowhere]\nexten => _8XXX,1,Goto(ring-agents,${EXTEN},1)\n"
    )


def _followme(numbered: Numbered) -> str:
    if "followme" not in " ".join(numbered.scenario.dialplan).lower():
        return ""
    numbers = numbered.numbers
    steps = "".join(f"number => {number},3\n" for number in numbers.values())
    return f"[{numbered.entry}]\ncontext = {AGENTS}\nenable_callee_prompt = false\ntakecall = 1\n{steps}\n"
