"""What the Asterisk of ring scenarios has besides the lab's own files: phones, queues, lines, features."""

from collections.abc import Mapping, Sequence

from callflow.lab.rings.numbering import Numbered
from callflow.processes.ports import LOOPBACK

AGENTS = "ring-agents"


def additions(port: int, scenarios: Sequence[Numbered]) -> dict[str, str]:
    """Texts to add to the lab's files: name and text."""
    features = "[general]\npickupexten = *8\natxfernoanswertimeout = 10\n[featuremap]\natxfer => *2\nblindxfer => #1\n"
    return {
        "pjsip.conf": "".join(_endpoints(s, port) for s in scenarios),
        "queues.conf": "".join(_queues(s) for s in scenarios),
        "extensions.conf": "\n[from-lab]\n"
        + "".join(_entry(s) for s in scenarios if s.scenario.calls)
        + _agents(scenarios),
        "features.conf": features,
        "followme.conf": "".join(_followme(s) for s in scenarios),
    }


def _endpoints(numbered: Numbered, port: int) -> str:
    called = [] if numbered.scenario.calls else [numbered.caller]
    return "".join(_endpoint(number, port) for number in (*numbered.numbers.values(), *called))


def _endpoint(number: str, port: int) -> str:
    group = number[:-1]  # named, for numbered groups end at 63
    return (
        f"\n[{number}]\ntype = endpoint\ncontext = {AGENTS}\naors = {number}\ndisallow = all\nallow = ulaw\n"
        f"direct_media = no\nnamed_call_group = {group}\nnamed_pickup_group = {group}\n"
        f"[{number}]\ntype = aor\ncontact = sip:{number}@{LOOPBACK}:{port}\n"
    )


def _queues(numbered: Numbered) -> str:
    scenario = numbered.scenario
    options = {"strategy": "ringall", "timeout": 15, "retry": 1, "ringinuse": "yes"}
    text = ""
    if scenario.queue is not None:
        text += _queue(numbered, numbered.queue, options | scenario.queue, scenario.members)
    if scenario.second_members:
        text += _queue(numbered, numbered.second_queue, options, scenario.second_members)
    return text


def _queue(numbered: Numbered, name: str, options: Mapping[str, object], members: Sequence[str]) -> str:
    lines = [f"{key} = {value}" for key, value in options.items()]
    lines += [f"member => {numbered.fill(member)}" for member in members]
    return f"\n[{name}]\n" + "".join(f"{line}\n" for line in lines)


def _entry(numbered: Numbered) -> str:
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
    lines = [numbered.fill(line) for line in numbered.scenario.dialplan or usual]
    return f"exten => {numbered.entry},1,{lines[0]}\n" + "".join(f" same => n,{line}\n" for line in lines[1:])


def _agents(scenarios: Sequence[Numbered]) -> str:
    """An agent's extension, the second queues, and what transfers and forwards lead to."""
    second = "".join(
        f"exten => {s.second_entry},1,Answer()\n same => n,Queue({s.second_queue},tT,,,20)\n same => n,Hangup()\n"
        for s in scenarios
        if s.scenario.second_members
    )
    return (
        f"\n[{AGENTS}]\nexten => _8XXX,1,Dial(PJSIP/${{EXTEN}},15,tT)\n same => n,Hangup()\n{second}"
        "exten => 5,1,Wait(1)\n same => n,Hangup()\n"
        "exten => _3XXX,1,Dial(PJSIP/${EXTEN},15)\n same => n,Hangup()\n"
        "exten => _9X.,1,Dial(PJSIP/${EXTEN:1},15)\n same => n,Hangup()\n"
        "\n[nowhere]\nexten => _8XXX,1,Goto(ring-agents,${EXTEN},1)\n"
    )


def _followme(numbered: Numbered) -> str:
    if "followme" not in " ".join(numbered.scenario.dialplan).lower():
        return ""
    numbers = numbered.numbers
    steps = "".join(f"number => {number},3\n" for number in numbers.values())
    return f"[{numbered.entry}]\ncontext = {AGENTS}\nenable_callee_prompt = false\ntakecall = 1\n{steps}\n"
