"""How fast AMI's stream is taken in: stock panoramisk, the gate, and merely splitting, on the same made-up queue calls.

Run `python -m tests.adapters.bench_ami_intake`; user time per event is what to trust. Not a test: nothing is asserted.
"""

import asyncio
import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from panoramisk.manager import Manager

from callflow.adapters.ami.framing import END
from callflow.adapters.ami.protocol import GatedProtocol
from callflow.adapters.ami.translate import WANTED as SCREENING_WANTED
from callflow.adapters.ami.translate_rings import RINGS_WANTED

WANTED = SCREENING_WANTED | RINGS_WANTED
CALLS = 120
SEGMENT = 16_384
CALL = (
    ("Newchannel", 2), ("Newstate", 4), ("VarSet", 28), ("Newexten", 30), ("RTCPSent", 12), ("RTCPReceived", 10),
    ("DeviceStateChange", 8), ("QueueCallerJoin", 1), ("AgentCalled", 1), ("DialBegin", 1), ("DialState", 2),
    ("AgentConnect", 1), ("BridgeEnter", 2), ("NewConnectedLine", 4), ("MusicOnHoldStart", 1), ("DialEnd", 1),
    ("ChannelTalkingStart", 4), ("ChannelTalkingStop", 4), ("DTMFBegin", 1), ("DTMFEnd", 1), ("HangupRequest", 1),
    ("Hangup", 2), ("BridgeLeave", 2),
)  # fmt: skip


def stream() -> tuple[bytes, int]:
    """Bytes of CALLS calls, 123 events of 20 headers and about 410 bytes each, and the number of events."""
    events = [_event(name, call) for call in range(CALLS) for name, count in CALL for _ in range(count)]
    return b"".join(events), len(events)


def _event(name: str, call: int) -> bytes:
    lines = {
        "Event": name, "Privilege": "call,all", "Timestamp": f"17000000{call % 90 + 10}.123456",
        "Channel": f"PJSIP/trunk-{call:08x}", "ChannelState": "6", "ChannelStateDesc": "Up", "CallerIDNum": "100",
        "CallerIDName": "王小姐", "ConnectedLineNum": "<unknown>", "ConnectedLineName": "<unknown>", "Language": "zh",
        "AccountCode": "", "Context": "from-trunk", "Exten": "s", "Priority": "7", "Uniqueid": f"1700000000.{call}",
        "Linkedid": f"1700000000.{call}", "Duration": "740", "Direction": "Received", "Digit": "5",
    }  # fmt: skip
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n"


class Nowhere:
    """A transport without a wire."""

    def close(self) -> None: ...


def stock(count: Callable[[Any], None]) -> Callable[[bytes], None]:
    """panoramisk as it is, with a callback for each wanted event."""
    manager = Manager(log=logging.getLogger("stock"))
    for name in WANTED:
        manager.register_event(name.decode(), lambda _, event: count(event))
    protocol = manager.config["protocol_factory"]()
    protocol.connection_made(Nowhere())
    protocol.factory, protocol.encoding = manager, "utf8"
    taken: Callable[[bytes], None] = protocol.data_received
    return taken


class Owner:
    """What the gate needs of a session."""

    def __init__(self, count: Callable[[Any], None]) -> None:
        self.loop, self.log = asyncio.get_running_loop(), structlog.get_logger()
        self.counts: Counter[str] = Counter()
        self.dispatch = count

    def connection_lost(self, reason: str) -> None: ...


def gated(count: Callable[[Any], None]) -> Callable[[bytes], None]:
    """The gate, with the same callback."""
    protocol = GatedProtocol(WANTED, Owner(count))
    protocol.connection_made(Nowhere())  # type: ignore[arg-type]
    return protocol.data_received


def splitting(count: Callable[[Any], None]) -> Callable[[bytes], None]:
    """The floor: the stream is only cut into messages, and nothing is looked at."""
    tail = b""

    def take(data: bytes) -> None:
        nonlocal tail
        *_, tail = (tail + data).split(END)

    return take


def measure(make: Callable[[Callable[[Any], None]], Callable[[bytes], None]]) -> tuple[float, float, int]:
    """Events a second, user microseconds an event, wanted events seen; the best of five."""
    raw, total = stream()
    segments = [raw[start : start + SEGMENT] for start in range(0, len(raw), SEGMENT)]
    best = (0.0, 0.0, 0)
    for _ in range(5):
        seen: Counter[str] = Counter()
        take = make(lambda event, seen=seen: seen.update([event["Event"]]))  # type: ignore[misc]
        user, wall = resource.getrusage(resource.RUSAGE_SELF).ru_utime, time.perf_counter()
        for segment in segments:
            take(segment)
        user, wall = resource.getrusage(resource.RUSAGE_SELF).ru_utime - user, time.perf_counter() - wall
        best = max(best, (total / wall, user / total * 1e6, seen.total()))
    return best


async def main() -> None:
    """Print all and their ratios."""
    ways = {"panoramisk 1.4": stock, "the gate": gated, "only splitting": splitting}
    results = {name: measure(make) for name, make in ways.items()}
    stock_rate, gate_rate, floor_rate = (rate for rate, _, _ in results.values())
    for name, (rate, user_us, seen) in results.items():
        print(f"{name:<16} {rate:>10,.0f} events/s {user_us:>7.2f} user us/event   {seen} wanted events")
    print(f"the gate: {gate_rate / stock_rate:.1f} x stock, {gate_rate / floor_rate:.2f} of the floor")


if __name__ == "__main__":
    asyncio.run(main())
