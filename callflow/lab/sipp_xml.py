"""The building blocks of SIPp scenarios, as text."""

from pathlib import Path

_FAREWELL = "gone"

SDP = """v=0
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

NO_BODY = "Content-Length: 0\n\n"

ANSWER = """SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
{body}"""


def play(audio: Path, times: int = 1) -> str:
    """Send a mu-law file or a pcap file; -1 times: without end."""
    if audio.suffix == ".pcap":
        return f'<nop><action><exec play_pcap_audio="{audio}"/></action></nop>'
    return f'<nop><action><exec rtp_stream="{audio},{times},0,PCMU/8000"/></action></nop>'


def leave(bye: str) -> list[str]:
    """Hang up with this BYE; or answer the other side's, if it came first."""
    return [
        send(bye, retrans=True),
        '<recv response="200" next="end"/>',
        f'<label id="{_FAREWELL}"/>',
        send(ANSWER.format(status="200 OK", tag="", body=NO_BODY)),
        '<label id="end"/>',
        '<pause milliseconds="50"/>',
    ]


def wait_for_bye(seconds: float, then: str) -> list[str]:
    """Wait for the other side's BYE; go on at `then` if none comes."""
    wait_ms = max(1, round(seconds * 1000))
    return [
        f'<recv request="BYE" timeout="{wait_ms}" ontimeout="{then}" next="{_FAREWELL}"/>',
        f'<label id="{then}"/>',
    ]


def send(message: str, *, retrans: bool = False) -> str:
    """Send a message; `retrans`: again every 500 ms until it is answered."""
    attribute = ' retrans="500"' if retrans else ""
    return f"<send{attribute}><![CDATA[\n{message}\n]]></send>"


def pause(seconds: float) -> str:
    """Do nothing for so long."""
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def scenario(name: str, parts: list[str]) -> str:
    """The whole file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n' + "\n".join(parts) + "\n</scenario>\n"
