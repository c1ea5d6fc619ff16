"""Callers and agents: SIPp with scenarios made from a caller's timeline."""

from dataclasses import dataclass, field
from pathlib import Path

from callflow.lab.host import Host
from callflow.lab.ports import LOOPBACK, PortBlock
from callflow.lab.process import Process

_MEDIA_PORTS_PER_CALL = 8
_FAREWELL = "gone"

_SDP = """v=0
o=lab 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [{port}] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
"""

_INVITE = """INVITE sip:{entry}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{number}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
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
From: <sip:{number}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:{entry}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
Content-Length: 0

"""

_AGENT_BYE = """BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:agent@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: [$peer]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

"""

_NO_BODY = "Content-Length: 0\n\n"

_ANSWER = """SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
{body}"""


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
    address: str = LOOPBACK


@dataclass(frozen=True)
class Agents:
    """A bank of agents' phones that all behave alike; `talk_s` after the answer they hang up."""

    ring_s: float = 0.5
    talk_s: float = 1.5
    audio: Path | None = None


@dataclass
class Sipp:
    """Starts SIPp processes for one Asterisk."""

    host: Host
    work: Path
    ports: PortBlock
    asterisk_port: int
    _count: int = field(default=0, repr=False)

    async def call(self, caller: Caller, calls: int = 1, rate_per_s: float = 10.0) -> Process:
        """Place `calls` calls of this caller; the process ends with 0 when all went by the timeline."""
        name = self._file(f"caller-{caller.number.strip('[]')}", caller_xml(caller))
        extra = ["-m", str(calls), "-r", str(rate_per_s), f"{LOOPBACK}:{self.asterisk_port}"]
        return await self._start(name, self.ports.caller(), calls, caller.address, extra)

    async def answer(self, agents: Agents, port: int, calls: int = 100) -> Process:
        """Put a bank of agents' phones on `port`, until stopped."""
        name = self._file("agents", agents_xml(agents))
        return await self._start(name, port, calls, LOOPBACK, [])

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
        return await Process.start(self.host.command(*argv), self.work, name, cwd=self.work)


def caller_xml(caller: Caller) -> str:
    """The SIPp scenario of one caller."""
    names = {"entry": caller.entry, "number": caller.number}
    streamed = caller.audio is not None and caller.audio.suffix != ".pcap"
    body = _SDP.format(port="rtpstream_audio_port" if streamed else "media_port")
    parts = [
        _send(_INVITE.format(sdp=body, **names), retrans=True),
        *(f'<recv response="{code}" optional="true"/>' for code in (100, 180, 183)),
        '<recv response="200" rrs="true"/>',
        _send(_IN_DIALOG.format(method="ACK", cseq=1, **names)),
    ]
    if caller.audio:
        if caller.audio_at_s:
            parts += _wait_for_bye(caller.audio_at_s, "speak")
        parts.append(_play(caller.audio))
    parts += _wait_for_bye(caller.hang_up_at_s - caller.audio_at_s, "hang-up")
    parts += _leave(_IN_DIALOG.format(method="BYE", cseq=9, **names))
    return _scenario("caller", parts)


def _play(audio: Path, times: int = 1) -> str:
    if audio.suffix == ".pcap":
        return f'<nop><action><exec play_pcap_audio="{audio}"/></action></nop>'
    return f'<nop><action><exec rtp_stream="{audio},{times},0,PCMU/8000"/></action></nop>'


def agents_xml(agents: Agents) -> str:
    """The SIPp scenario of an agent's phone."""
    media = _SDP.format(port="rtpstream_audio_port" if agents.audio else "media_port")
    body = f"Content-Type: application/sdp\nContent-Length: [len]\n\n{media}"
    tag = ";tag=[pid]-[call_number]"
    parts = [
        '<recv request="INVITE" rrs="true"><action>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/></action></recv>',
        _send(_ANSWER.format(status="180 Ringing", tag=tag, body=_NO_BODY)),
        f'<pause milliseconds="{round(agents.ring_s * 1000)}"/>',
        _send(_ANSWER.format(status="200 OK", tag=tag, body=body), retrans=True),
        '<recv request="ACK"/>',
    ]
    if agents.audio:
        parts.append(_play(agents.audio, times=-1))
    return _scenario("agent", [*parts, *_wait_for_bye(agents.talk_s, "hang-up"), *_leave(_AGENT_BYE)])


def _leave(bye: str) -> list[str]:
    """Hang up with this BYE; or answer the other side's, if it came first."""
    return [
        _send(bye, retrans=True),
        '<recv response="200" next="end"/>',
        f'<label id="{_FAREWELL}"/>',
        _send(_ANSWER.format(status="200 OK", tag="", body=_NO_BODY)),
        '<label id="end"/>',
        '<pause milliseconds="50"/>',
    ]


def _wait_for_bye(seconds: float, then: str) -> list[str]:
    """Wait for the other side's BYE; go on at `then` if none comes."""
    wait_ms = max(1, round(seconds * 1000))
    return [
        f'<recv request="BYE" timeout="{wait_ms}" ontimeout="{then}" next="{_FAREWELL}"/>',
        f'<label id="{then}"/>',
    ]


def _send(message: str, *, retrans: bool = False) -> str:
    attribute = ' retrans="500"' if retrans else ""
    return f"<send{attribute}><![CDATA[\n{message}\n]]></send>"


def _scenario(name: str, parts: list[str]) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n' + "\n".join(parts) + "\n</scenario>\n"
