"""Evidence of failures: every run keeps it in a separate folder, by default."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import dpkt

from callflow.lab.lab import Lab
from callflow.lab.prompts import Burst
from callflow.lab.roots import cache_folder
from callflow.lab.wire import Packet, WireCall
from tests.chaos.audit import longest_silence_s
from tests.labs import rows
from tests.services.systemd import Service

WORTH_S = 4.0
"""A caller who heard nothing for longer is kept in full."""
GAP_S = 0.1
RUNS = 12
"""So many runs are kept; the oldest goes first."""
MOST = 40
"""Callers kept of one fault, the longest silences first."""


def runs_folder() -> Path:
    """Where runs are kept unless told otherwise."""
    return cache_folder().parent / "chaos"


class Kept:
    """The folder of one run."""

    def __init__(self, folder: Path | None, version: str) -> None:
        if folder is None:
            runs = sorted(runs_folder().glob("*-asterisk-*"))
            for old in runs[: max(0, len(runs) - RUNS + 1)]:
                shutil.rmtree(old, ignore_errors=True)
            folder = runs_folder() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-asterisk-{version}"
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def callers(
        self, fault: str, lab: Lab, database: Path, judged: Sequence[tuple[WireCall, Sequence[Burst]]], packets: Path
    ) -> int:
        """The whole trace of each caller who heard nothing for long; how many there are."""
        silences = [(longest_silence_s(call, bursts), call, bursts) for call, bursts in judged]
        worth = sorted((one for one in silences if one[0] > WORTH_S), key=lambda one: -one[0])
        said = _Said(packets) if worth else None
        for silence_s, call, bursts in worth[:MOST]:
            place = self.folder / fault / f"{silence_s:.1f}s-{call.number}.txt"
            place.parent.mkdir(exist_ok=True)
            lines = [*_wire(call, bursts), *_timeline(database, call)]
            if said is not None:
                lines += said.about(call, lab.asterisk.ports.agi, database)
            place.write_text("".join(f"{_clock(at)} {text}\n" for at, text in sorted(lines)))
        return len(worth)

    def fault(self, fault: str, packets: Path, database: Path) -> None:
        """After a violation: the packets and the database as well."""
        place = self.folder / fault
        place.mkdir(exist_ok=True)
        shutil.copy(packets, place / "packets.pcap")
        source, copy = sqlite3.connect(f"file:{database}?mode=ro", uri=True), sqlite3.connect(place / "callflow.db")
        with closing(source), closing(copy):
            source.backup(copy)

    def logs(self, lab: Lab, service: Service) -> None:
        """What daemon, manager and Asterisk have written."""
        for file, name in ((service.daemon.log, "daemon.log"), (lab.asterisk.log, "asterisk.log")):
            if file.exists():
                shutil.copy(file, self.folder / name)
        (self.folder / "journal").write_text("".join(f"{line}\n" for line in service.journal))


def _wire(call: WireCall, bursts: Sequence[Burst]) -> Iterator[tuple[float, str]]:
    marks = {
        "INVITE": call.invite_at,
        "answered": call.answered_at,
        "the agent's phone rings": call.agent_rang_at,
        "the agent answers": call.agent_answered_at,
        f"BYE by {call.ended_by}": call.bye_at,
    }
    yield from ((at, f"wire    {what}") for what, at in marks.items() if at is not None)
    yield from ((at, f"wire    key {key}") for at, key in call.keys)
    for burst in bursts:
        cut = f", cut after {burst.cut_at_ms} ms" if burst.was_cut else ""
        yield burst.started_at, f"wire    caller hears {burst.prompt or 'a sound'} until {_clock(burst.ended_at)}{cut}"
    yield from _gaps(call.sent, "the phone sends nothing")
    if (sound_at := call.first_sound_at()) is not None:
        yield sound_at, "wire    caller's first sound"


def _gaps(packets: Sequence[Packet], what: str) -> Iterator[tuple[float, str]]:
    for before, after in pairwise(packets):
        if after.at - before.at > GAP_S:
            yield before.at, f"wire    {what} for {after.at - before.at:.2f} s"


def _timeline(database: Path, call: WireCall) -> Iterator[tuple[float, str]]:
    query = "select h.* from happenings h join calls c using (call_id, node) where c.caller_number = ? order by h.seq"
    for row in rows(database, query, call.number):
        yield row["at_ms"] / 1000, f"callflow {row['kind']} {row['what']} {row['why']}".rstrip()


class _Said:
    """What went over FastAGI and AMI, read once from a capture."""

    def __init__(self, packets: Path) -> None:
        self._lines: list[tuple[float, int, int, str]] = []
        with packets.open("rb") as file:
            for at, frame in dpkt.pcap.Reader(file):
                tcp = dpkt.ethernet.Ethernet(frame).data.data
                if isinstance(tcp, dpkt.tcp.TCP) and tcp.data:
                    self._lines.append((float(at), tcp.sport, tcp.dport, bytes(tcp.data).decode(errors="replace")))

    def about(self, call: WireCall, agi_port: int, database: Path) -> Iterator[tuple[float, str]]:
        """The AGI dialogue of one caller, and every piece of AMI that names the channel."""
        begun = (line for line in self._lines if f"agi_callerid: {call.number}\n" in line[3])
        peers = {source for _, source, target, _ in begun if target == agi_port}
        uniqueids = [row["uniqueid"] for row in rows(database, _UNIQUEID, call.number)]
        for at, source, target, text in self._lines:
            if agi_port in (source, target) and not peers.isdisjoint((source, target)):
                by = "agi <-  " if target == agi_port else "agi ->  "
                yield from ((at, f"{by}{line}") for line in text.splitlines() if line and not line.startswith("agi_"))
            elif any(uniqueid in text for uniqueid in uniqueids):
                yield from ((at, f"ami     {line}") for line in _messages(text, uniqueids))


_UNIQUEID = "select uniqueid from calls where caller_number = ?"


def _messages(text: str, uniqueids: Iterable[str]) -> Iterator[str]:
    for message in text.split("\r\n\r\n"):
        if any(uniqueid in message for uniqueid in uniqueids):
            yield " | ".join(message.splitlines())[:300]


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:-3]
