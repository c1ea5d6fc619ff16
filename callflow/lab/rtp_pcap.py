"""A caller's whole RTP stream as a pcap file SIPp can play: audio, key presses and gaps, packet by packet."""

import random
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dpkt

from callflow.sound.audio import FRAME

EVENT_PAYLOAD = 101
KEYS = "0123456789*#ABCD"
KEY_FRAMES = 8
_SSRC = 0x4C414231
_VOLUME = 10


@dataclass(frozen=True)
class Renumbering:
    """From `at_s` on, sequence numbers differ by `by` from what they would be; `new_ssrc`: the SSRC changes too."""

    at_s: float
    by: int = 0
    new_ssrc: bool = False


def write_stream(
    path: Path,
    codes: bytes,
    keys: Iterable[tuple[float, str]],
    loss: float = 0.0,
    renumberings: Sequence[Renumbering] = (),
    first_sequence: int = 0,
) -> Path:
    """Write mu-law `codes` (may be empty) and RFC 4733 `keys` (second, key); returns the path.

    A share `loss` of the packets, at random but always the same, is left out: their sequence numbers are missing.
    SIPp's clock starts at the first packet: without audio, start playing when the first key is due.
    """
    chance = random.Random(1)
    pressed: dict[int, tuple[str, int]] = {}
    for at_s, key in keys:
        first = round(at_s * 50)
        pressed |= {first + number: (key, number) for number in range(KEY_FRAMES)}
    with path.open("wb") as sink:
        writer = dpkt.pcap.Writer(sink)
        frames = max(len(codes) // FRAME, max(pressed, default=-1) + 1)
        for sequence, (frame, payload, kind) in enumerate(_packets(frames, codes, pressed)):
            if chance.random() < loss:
                continue
            timestamp = frame * FRAME
            if kind & 0x7F == EVENT_PAYLOAD:
                timestamp -= pressed[frame][1] * FRAME
            due = [change for change in renumberings if frame >= round(change.at_s * 50)]
            number = first_sequence + sequence + sum(change.by for change in due)
            ssrc = _SSRC + sum(change.new_ssrc for change in due)
            header = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, timestamp, ssrc)
            writer.writepkt(_datagram(header + payload), ts=frame * 0.02)
    return path


def _packets(frames: int, codes: bytes, pressed: dict[int, tuple[str, int]]) -> Iterator[tuple[int, bytes, int]]:
    for frame in range(frames):
        if frame in pressed:
            key, number = pressed[frame]
            yield from _event(frame, key, number)
        elif chunk := codes[frame * FRAME : (frame + 1) * FRAME]:
            yield frame, chunk, 0


def _event(frame: int, key: str, number: int) -> Iterator[tuple[int, bytes, int]]:
    last = number == KEY_FRAMES - 1
    end = 0x80 if last else 0
    payload = struct.pack("!BBH", KEYS.index(key), _VOLUME | end, (number + 1) * FRAME)
    marker = 0x80 if number == 0 else 0
    for _ in range(3 if last else 1):  # the end is sent three times, as RFC 4733 wants it
        yield frame, payload, EVENT_PAYLOAD | marker


def _datagram(payload: bytes) -> bytes:
    udp = dpkt.udp.UDP(sport=4000, dport=4000, data=payload)
    udp.ulen = len(udp)
    ip = dpkt.ip.IP(src=b"\x7f\0\0\1", dst=b"\x7f\0\0\1", p=dpkt.ip.IP_PROTO_UDP, data=udp)
    ip.len = len(ip)
    return bytes(dpkt.ethernet.Ethernet(src=b"\0" * 6, dst=b"\0" * 6, type=dpkt.ethernet.ETH_TYPE_IP, data=ip))
