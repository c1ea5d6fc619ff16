"""How fast AMI's stream is taken in, step by step, on the same made-up queue calls: `... [--quick]`.

Run `python -m tests.adapters.bench_ami_intake`; CPU per event is what to trust. The steps add up: only splitting,
the gate (split, choose, parse), translation for both cores, the ring tracker. Stock panoramisk is the yardstick.
"""

import argparse
import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

import structlog
from panoramisk.manager import Manager

from callflow.adapters.ami.framing import END
from callflow.adapters.ami.protocol import GatedProtocol
from callflow.adapters.ami.translate import WANTED as SCREENING_WANTED
from callflow.adapters.ami.translate import stamped_ms, translate
from callflow.adapters.ami.translate_rings import RINGS_WANTED, RingTranslator
from callflow.core.rings.rules import RingRules
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets

WANTED = SCREENING_WANTED | RINGS_WANTED
CALLS, QUICK_CALLS = 120, 10
REPEATS, QUICK_REPEATS = 15, 1
SEGMENT = 16_384
MEMBER = {"Queue": "support", "Interface": "PJSIP/8051", "MemberName": "8051", "Status": "1", "Paused": "0"}
BRIDGE = {"BridgeUniqueid": "bridge"}
CALL: tuple[tuple[str, int, str, dict[str, str]], ...] = (
    ("Newchannel", 1, "caller", {}), ("VarSet", 28, "caller", {}), ("Newexten", 30, "caller", {}),
    ("RTCPSent", 12, "caller", {}), ("RTCPReceived", 10, "caller", {}), ("Newstate", 1, "caller", {}),
    ("ChannelTalkingStart", 4, "caller", {}), ("ChannelTalkingStop", 4, "caller", {"Duration": "740"}),
    ("DTMFBegin", 1, "caller", {"Direction": "Received", "Digit": "5"}),
    ("DTMFEnd", 1, "caller", {"Direction": "Received", "Digit": "5"}),
    ("QueueCallerJoin", 1, "caller", {"Queue": "support", "Position": "1", "Count": "1"}),
    ("MusicOnHoldStart", 1, "caller", {}), ("DeviceStateChange", 8, "caller", {}), ("NewConnectedLine", 4, "agent", {}),
    ("Newchannel", 1, "agent", {"ChannelStateDesc": "Down"}),
    ("Newstate", 1, "agent", {"ChannelStateDesc": "Ringing"}), ("AgentCalled", 1, "both", MEMBER),
    ("DialBegin", 1, "both", {"DialString": "8051"}), ("DialState", 2, "both", {"DialStatus": "RINGING"}),
    ("Newstate", 2, "agent", {}), ("DialEnd", 1, "both", {"DialStatus": "ANSWER"}),
    ("QueueCallerLeave", 1, "caller", {"Queue": "support"}),
    ("AgentConnect", 1, "both", MEMBER | {"HoldTime": "9", "RingTime": "9"}),
    ("BridgeEnter", 1, "agent", BRIDGE), ("BridgeEnter", 1, "caller", BRIDGE), ("HangupRequest", 1, "caller", {}),
    ("BridgeLeave", 1, "caller", BRIDGE), ("BridgeLeave", 1, "agent", BRIDGE), ("AgentComplete", 1, "both", MEMBER),
    ("Hangup", 1, "agent", {"Cause": "16"}), ("Hangup", 1, "caller", {"Cause": "16"}),
)  # fmt: skip
Take = Callable[[bytes], None]


def stream(calls: int) -> tuple[bytes, int]:
    """Bytes of that many calls, 124 events of 20 to 40 headers each, and the number of events."""
    events = [
        _event(name, who, more, call * 200 + number)
        for call in range(calls)
        for number, (name, who, more) in enumerate(
            (name, who, more) for name, count, who, more in CALL for _ in range(count)
        )
    ]
    return b"".join(events), len(events)


def _event(name: str, who: str, more: dict[str, str], number: int) -> bytes:
    call = number // 200
    lines = {"Event": name, "Privilege": "call,all", "Timestamp": f"{1_700_000_000 + number / 10:.6f}"}
    lines |= _channel("", "agent" if who == "agent" else "caller", call)
    if who == "both":
        lines |= _channel("Dest", "agent", call)
    lines |= more
    return "".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n"


def _channel(prefix: str, who: str, call: int) -> dict[str, str]:
    """The headers by which Asterisk describes a channel."""
    name, uniqueid = ("PJSIP/trunk", f"17.{2 * call}") if who == "caller" else ("PJSIP/8051", f"17.{2 * call + 1}")
    described = {
        "Channel": f"{name}-{call:08x}", "ChannelState": "6", "ChannelStateDesc": "Up", "CallerIDNum": "100",
        "CallerIDName": "王小姐", "ConnectedLineNum": "<unknown>", "ConnectedLineName": "<unknown>", "Language": "zh",
        "AccountCode": "", "Context": "from-trunk", "Exten": "s", "Priority": "7", "Uniqueid": uniqueid,
        "Linkedid": f"17.{2 * call}",
    }  # fmt: skip
    return {f"{prefix}{key}": value for key, value in described.items()}


class Nowhere:
    """A transport without a wire."""

    def close(self) -> None: ...
    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Owner:
    """What the gate needs of a session. The time stands still, so that no turn of the loop is ever over."""

    def __init__(self, dispatch: Callable[[dict[str, str]], None]) -> None:
        self.loop, self.log = self, structlog.get_logger()
        self.counts: Counter[str] = Counter()
        self.dispatch = dispatch

    def time(self) -> float:
        return 0.0

    def connection_lost(self, reason: str) -> None: ...


def stock(seen: Counter[str]) -> Take:
    """panoramisk as it is, with a callback for each wanted event."""
    manager = Manager(log=logging.getLogger("stock"))
    for name in WANTED:
        manager.register_event(name.decode(), lambda _, event: seen.update((event["Event"],)))
    protocol = manager.config["protocol_factory"]()
    protocol.connection_made(Nowhere())
    protocol.factory, protocol.encoding = manager, "utf8"
    taken: Take = protocol.data_received
    return taken


def splitting(seen: Counter[str]) -> Take:
    """The floor: the stream is only cut into messages, and nothing is looked at."""
    tail = b""

    def take(data: bytes) -> None:
        nonlocal tail
        *_, tail = (tail + data).split(END)

    return take


def gated(seen: Counter[str]) -> Take:
    """The gate, with the same callback."""
    return _gate(lambda event: seen.update((event["Event"],)))


def translated(seen: Counter[str]) -> Take:
    """The gate, and each wanted event translated for both cores."""
    for_rings = RingTranslator()

    def take(event: dict[str, str]) -> None:
        translate(event, 0)
        if for_rings(event, 0) is not None:
            seen["facts"] += 1

    return _gate(take)


def tracked(seen: Counter[str]) -> Take:
    """The same, and the facts told to the ring tracker."""
    for_rings, tracker = RingTranslator(), Tracker(RingRules(), Targets(queues={"default": QueueTarget()}))

    def take(event: dict[str, str]) -> None:
        translate(event, 0)
        if (fact := for_rings(event, 0)) is not None:
            seen["facts"] += 1
            seen["records"] += len(tracker.receive(fact, stamped_ms(event) or 0))

    return _gate(take)


def _gate(dispatch: Callable[[dict[str, str]], None]) -> Take:
    protocol = GatedProtocol(WANTED, Owner(dispatch))
    protocol.connection_made(Nowhere())  # type: ignore[arg-type]
    return protocol.data_received


def measure(make: Callable[[Counter[str]], Take], calls: int, repeats: int) -> tuple[float, float, Counter[str]]:
    """Events a second, CPU microseconds an event, what was seen; the cheapest of some runs."""
    raw, total = stream(calls)
    segments = [raw[start : start + SEGMENT] for start in range(0, len(raw), SEGMENT)]
    runs: list[tuple[float, float, Counter[str]]] = []
    for _ in range(repeats):
        seen: Counter[str] = Counter()
        take = make(seen)
        cpu, wall = time.process_time(), time.perf_counter()
        for segment in segments:
            take(segment)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        runs.append((total / wall, cpu / total * 1e6, seen))
    return min(runs, key=lambda run: run[1])


WAYS: dict[str, Callable[[Counter[str]], Take]] = {
    "panoramisk 1.4": stock, "only splitting": splitting, "the gate": gated, "and translation": translated,
    "and the tracker": tracked,
}  # fmt: skip


async def main() -> None:
    """Print all and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a second: shows that it works, measures little")
    calls, repeats = (QUICK_CALLS, QUICK_REPEATS) if parser.parse_args().quick else (CALLS, REPEATS)
    results = {name: measure(make, calls, repeats) for name, make in WAYS.items()}
    for name, (rate, cpu_us, seen) in results.items():
        told = ", ".join(f"{count} {what}" for what, count in _totals(seen))
        print(f"{name:<16} {rate:>10,.0f} events/s {cpu_us:>7.2f} us of CPU/event   {told}")
    cost = {name: cpu_us for name, (_, cpu_us, _) in results.items()}
    print(f"the gate: {cost['panoramisk 1.4'] / cost['the gate']:.1f} x stock")
    for name, before in (("the gate", ""), ("and translation", "the gate"), ("and the tracker", "and translation")):
        print(f"{name}: {(cost[name] - cost.get(before, 0)) / cost['only splitting']:.1f} x splitting")


def _totals(seen: Counter[str]) -> list[tuple[str, int]]:
    known = {what: seen[what] for what in ("facts", "records") if what in seen}
    return list(known.items()) if known else [("wanted events", seen.total())]


if __name__ == "__main__":
    asyncio.run(main())
