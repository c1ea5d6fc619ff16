"""Callers and agents: SIPp with scenarios made from a caller's timeline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callflow.lab.host import Host
from callflow.lab.sipp_agents import Agents, agents_xml
from callflow.lab.sipp_xml import SDP, leave, play, scenario, send, wait_for_bye
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.processes.process import Process

__all__ = ["Agents", "Caller", "Sipp", "agents_xml", "caller_xml"]

_MEDIA_PORTS_PER_CALL = 8

_INVITE = """INVITE sip:{entry}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {name}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:{entry}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{number}@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{sdp}"""

_IN_DIALOG = """{method} sip:{entry}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {name}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:{entry}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
Content-Length: 0

"""

_KEY_BY_INFO = """INFO sip:{entry}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {name}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:{entry}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
"""


@dataclass(frozen=True)
class Caller:
    """One caller: what is dialled, what they send, when they hang up. Seconds count from the answer.

    `audio` is a headerless mu-law file, or a pcap file of `stream` if keys are pressed; None sends no RTP at all.
    When it ends, so does the RTP.
    """

    number: str
    entry: str
    audio: Path | None = None
    audio_at_s: float = 0.0
    hang_up_at_s: float = 60.0
    gives_up_after_s: float | None = None
    """Seconds without an answer before a CANCEL; None waits for ever."""
    address: str = LOOPBACK
    name: str = ""
    info_key: tuple[float, str] | None = None
    """A key pressed so many seconds after the audio began, sent by SIP INFO instead of RTP."""


@dataclass
class Sipp:
    """Starts SIPp processes for one Asterisk."""

    host: Host
    work: Path
    ports: PortBlock
    asterisk_port: int
    asterisk_host: str = LOOPBACK
    _count: int = field(default=0, repr=False)

    async def call(self, caller: Caller, calls: int = 1, rate_per_s: float = 10.0) -> Process:
        """Place `calls` calls of this caller; the process ends with 0 when all went by the timeline."""
        name = self._file(f"caller-{caller.number.strip('[]')}", caller_xml(caller))
        extra = ["-m", str(calls), "-r", str(rate_per_s), f"{self.asterisk_host}:{self.asterisk_port}"]
        return await self._start(name, self.ports.caller(), calls, caller.address, extra)

    async def answer(self, agents: Agents | Sequence[Agents], port: int, calls: int = 100) -> Process:
        """Put a bank of agents' phones on `port`, until stopped."""
        return await self.run("agents", agents_xml(agents), port, calls)

    async def run(self, name: str, text: str, port: int, calls: int) -> Process:
        """A SIPp of its own scenario on `port`, until stopped."""
        return await self._start(self._file(name, text), port, calls, LOOPBACK, [])

    def _file(self, name: str, text: str) -> str:
        self._count += 1
        unique = f"{self._count:03d}-{name}"
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / f"{unique}.xml").write_text(text)
        return unique

    async def _start(self, name: str, port: int, calls: int, address: str, extra: list[str]) -> Process:
        first, last = self.ports.media(_MEDIA_PORTS_PER_CALL * calls)
        options = {
            "-sf": self.work / f"{name}.xml", "-i": address, "-p": port, "-mi": address, "-l": calls,
            "-min_rtp_port": first, "-max_rtp_port": last, "-error_file": self.work / f"{name}.err",
            "-timer_resol": 1,
        }  # fmt: skip
        flat = [str(part) for pair in options.items() for part in pair]
        argv = ["sipp", *flat, "-nostdin", "-trace_err", "-random_base_ssrc", *extra]
        return await Process.start(self.host.command(*argv), self.work, name, cwd=self.work, ahead=True)


def caller_xml(caller: Caller) -> str:
    """The SIPp scenario of one caller."""
    shown = f'"{caller.name}" ' if caller.name else ""
    names = {"entry": caller.entry, "number": caller.number or "anonymous", "name": shown}
    streamed = caller.audio is not None and caller.audio.suffix != ".pcap"
    body = SDP.format(port="rtpstream_audio_port" if streamed else "media_port")
    parts = [
        send(_INVITE.format(sdp=body, **names), retrans=True),
        *_answered(caller, names),
        send(_IN_DIALOG.format(method="ACK", cseq=1, **names)),
    ]
    if caller.audio:
        if caller.audio_at_s:
            parts += wait_for_bye(caller.audio_at_s, "speak")
        parts.append(play(caller.audio))
    stays_s = caller.hang_up_at_s - caller.audio_at_s
    if caller.info_key:
        at_s, key = caller.info_key
        parts += [*wait_for_bye(at_s, "press"), send(_KEY_BY_INFO.format(key=key, **names)), '<recv response="200"/>']
        stays_s -= at_s
    parts += wait_for_bye(stays_s, "hang-up")
    parts += leave(_IN_DIALOG.format(method="BYE", cseq=9, **names))
    return scenario("caller", parts)


def _answered(caller: Caller, names: dict[str, str]) -> list[str]:
    """Wait for the answer; a caller who gives up waits only this long after the last provisional response."""
    provisional = (100, 180, 181, 183)
    if caller.gives_up_after_s is None:
        news = [f'<recv response="{code}" optional="true"/>' for code in provisional]
        return [*news, '<recv response="200" rrs="true"/>']
    until = f'timeout="{round(caller.gives_up_after_s * 1000)}" ontimeout="give-up"'
    # The CANCEL and the ACK carry the branch of their INVITE, which is 6 and 9 messages before them.
    cancel = _IN_DIALOG.format(method="CANCEL", cseq=1, **names).replace("[branch]", "[branch-6]")
    ack = _IN_DIALOG.format(method="ACK", cseq=1, **names).replace("[branch]", "[branch-9]")
    return [
        *(f'<recv response="{code}" optional="true" {until}/>' for code in provisional),
        f'<recv response="200" rrs="true" {until} next="answered"/>',
        '<label id="give-up"/>',
        send(cancel.replace("[peer_tag_param]", "")),
        '<recv response="200"/>',
        '<recv response="487"/>',
        send(ack),
        '<nop next="end"/>',
        '<label id="answered"/>',
    ]
