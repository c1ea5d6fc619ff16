"""Agents' phones: SIPp scenarios for those who answer, do not answer, refuse, send on, or put the caller on hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from callflow.lab.sipp_xml import ANSWER, NO_BODY, SDP, leave, pause, play, scenario, send, wait_for_bye

Behaviour = Literal["answer", "ignore", "reject", "forward", "hold"]
ANSWER_TAG = ";tag=[pid]-[call_number]"

_IN_DIALOG = """{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:agent@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: [$peer]
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:agent@[local_ip]:[local_port]>
Max-Forwards: 70
{body}"""

CANCELLED = """SIP/2.0 487 Request Terminated
[last_Via:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
CSeq: [$cseq] INVITE
Content-Length: 0

"""


@dataclass(frozen=True)
class Agents:
    """A bank of agents' phones that all behave alike; `talk_s` after the answer they hang up."""

    ring_s: float = 0.5
    talk_s: float = 1.5
    audio: Path | None = None
    does: Behaviour = "answer"
    forward_to: str = "1999"
    hold_after_s: float = 0.5
    hold_s: float = 0.5


def agents_xml(agents: Agents | Sequence[Agents]) -> str:
    """The SIPp scenario of agents' phones; of several banks, each takes the next call in turn."""
    banks = [agents] if isinstance(agents, Agents) else list(agents)
    parts = [
        '<recv request="INVITE" rrs="true"><action>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>'
        '<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/></action></recv>',
        *_turns(len(banks)),
    ]
    for number, bank in enumerate(banks):
        parts += [f'<label id="bank{number}"/>', *_phone(bank, str(number))]
    return scenario(
        "agent", [*parts, '<label id="leave"/>', *leave(in_dialog("BYE", 9)), '<Reference variables="peer,cseq"/>']
    )


def _turns(banks: int) -> list[str]:
    """A jump to the bank whose turn it is; nothing for one bank."""
    if banks == 1:
        return []
    tests = [f'<test assign_to="is{n}" variable="turn" compare="equal" value="{n}"/>' for n in range(banks)]
    return [
        '<Global variables="turn"/>',
        f'<nop><action>{"".join(tests)}<add assign_to="turn" value="1"/>'
        f'<test assign_to="over" variable="turn" compare="equal" value="{banks}"/></action></nop>',
        '<nop next="over" test="over"/>',
        '<nop next="choose"/>',
        '<label id="over"/>',
        '<nop><action><assign assign_to="turn" value="0"/></action></nop>',
        '<label id="choose"/>',
        *(f'<nop next="bank{n}" test="is{n}"/>' for n in range(banks)),
    ]


def _phone(bank: Agents, name: str) -> list[str]:
    """From the ringing to the moment of the agent's own hang-up."""
    ringing = send(ANSWER.format(status="180 Ringing", tag=ANSWER_TAG, body=NO_BODY))
    match bank.does:
        case "ignore":
            return [ringing, '<recv request="CANCEL"/>', *_refuse("200 OK", ""), send(CANCELLED), *_refused()]
        case "reject":
            return [ringing, pause(bank.ring_s), *_refuse("486 Busy Here", ANSWER_TAG), *_refused()]
        case "forward":
            moved = _refuse("302 Moved Temporarily", ANSWER_TAG)
            moved = [part.replace("Contact: <sip:", f"Contact: <sip:{bank.forward_to}@") for part in moved]
            return [ringing, pause(bank.ring_s), *moved, *_refused()]
    answered = [
        ringing,
        pause(bank.ring_s),
        send(ANSWER.format(status="200 OK", tag=ANSWER_TAG, body=_sdp(bank)), retrans=True),
        '<recv request="ACK"/>',
    ]
    if bank.audio:
        answered.append(play(bank.audio, times=-1))
    talk_s = bank.talk_s
    if bank.does == "hold":
        answered += [*wait_for_bye(bank.hold_after_s, f"hold{name}"), *_invite_again(bank, 2, "sendonly")]
        answered += [*wait_for_bye(bank.hold_s, f"resume{name}"), *_invite_again(bank, 3, "sendrecv")]
        talk_s = max(0.0, talk_s - bank.hold_after_s - bank.hold_s)
    return [*answered, *wait_for_bye(talk_s, f"hang-up{name}"), '<nop next="leave"/>']


def _refuse(status: str, tag: str) -> list[str]:
    return [send(ANSWER.format(status=status, tag=tag, body=NO_BODY))]


def _refused() -> list[str]:
    return ['<recv request="ACK" next="end"/>']


def _invite_again(bank: Agents, cseq: int, direction: str) -> list[str]:
    """A re-INVITE that puts the caller on hold, or takes them back."""
    return [
        send(in_dialog("INVITE", cseq, _sdp(bank, direction)), retrans=True),
        '<recv response="100" optional="true"/>',
        '<recv response="200"/>',
        send(in_dialog("ACK", cseq)),
    ]


def in_dialog(method: str, cseq: int, body: str = NO_BODY) -> str:
    """A request of the agent's phone within its call."""
    return _IN_DIALOG.format(method=method, cseq=cseq, body=body)


def _sdp(bank: Agents, direction: str = "") -> str:
    media = SDP.format(port="rtpstream_audio_port" if bank.audio else "media_port")
    more = f"a={direction}\n" if direction else ""
    return f"Content-Type: application/sdp\nContent-Length: [len]\n\n{media}{more}"
