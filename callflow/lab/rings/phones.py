"""All phones of a lab's ring scenarios in one SIPp: the number that is called chooses what it does."""

from collections.abc import Iterable

from callflow.lab.phones import ANSWER_TAG, CANCELLED, in_dialog
from callflow.lab.rings.scenario import Phone
from callflow.lab.rings.site import Numbered
from callflow.lab.sipp_xml import ANSWER, NO_BODY, SDP, leave, scenario, send, wait_for_bye

_PROVISIONAL = {180: "180 Ringing", 183: "183 Session Progress"}


def phones_xml(scenarios: Iterable[Numbered]) -> str:
    """The SIPp scenario of every phone of these scenarios."""
    phones = [(s.phone(letter), phone, s) for s in scenarios for letter, phone in s.scenario.phones.items()]
    chosen = "".join(
        f'<ereg regexp="^INVITE sip:{number}@" search_in="msg" assign_to="is{number}"/>' for number, _, _ in phones
    )
    parts = [
        '<recv request="INVITE" rrs="true"><action>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>'
        f'<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>{chosen}</action></recv>',
        *(f'<nop next="phone{number}" test="is{number}"/>' for number, _, _ in phones),
    ]
    for number, phone, numbered in phones:
        parts += [f'<label id="phone{number}"/>', *_phone(number, phone, numbered)]
    parts += ['<label id="cancelled"/>', send(_answer("200 OK", tag="")), send(CANCELLED)]
    parts += ['<recv request="ACK" next="end"/>']
    parts += ['<label id="refused"/>', '<recv request="ACK" next="end"/>']
    parts += ['<label id="leave"/>', *leave(in_dialog("BYE", 9)), '<Reference variables="peer,cseq"/>']
    return scenario("phones", parts)


def _phone(number: str, phone: Phone, numbered: Numbered) -> list[str]:
    """From the INVITE to the phone's own hang-up; a CANCEL may come before the answer, a BYE after it."""
    parts = [send(_answer(_PROVISIONAL[code])) for code in phone.provisional]
    ring_s = 3600.0 if phone.does == "ignore" else phone.ring_s
    wait_ms = max(1, round(ring_s * 1000))
    if phone.ring_s or phone.does == "ignore":
        parts.append(f'<recv request="CANCEL" timeout="{wait_ms}" ontimeout="answer{number}" next="cancelled"/>')
    parts.append(f'<label id="answer{number}"/>')
    match phone.does:
        case "reject":
            return [*parts, send(_answer("486 Busy Here")), '<nop next="refused"/>']
        case "forward":
            to = numbered.phone(phone.forward_to or "b")
            moved = _answer("302 Moved Temporarily").replace("Contact: <sip:", f"Contact: <sip:{to}@")
            return [*parts, send(moved), '<nop next="refused"/>']
    sdp = "Content-Type: application/sdp\nContent-Length: [len]\n\n" + SDP.format(port="media_port")
    answered = ANSWER.format(status="200 OK", tag=ANSWER_TAG, body=sdp)
    parts += [send(answered, retrans=True), '<recv request="ACK"/>']
    return [*parts, *wait_for_bye(phone.talk_s, f"bye{number}"), '<nop next="leave"/>']


def _answer(status: str, tag: str = "") -> str:
    return ANSWER.format(status=status, tag=tag or ("" if status == "200 OK" else ANSWER_TAG), body=NO_BODY)
