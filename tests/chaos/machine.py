"""Processor use: the programs of a chaos run, and everything else on the machine."""

import asyncio
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

EVERY_S = 0.5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
NAMES = {"asterisk": "Asterisk", "sipp": "phones", "tcpdump": "tcpdump", "mosquitto": "broker"}
US, DAEMON, OTHERS, IDLE = "harness", "daemon", "others", "idle"


@dataclass
class Split:
    """Seconds of processor time by program while the context lasts; samples twice a second."""

    shares: dict[str, float] = field(default_factory=dict)
    """Of all processors together, 0 to 1: Asterisk, daemon, phones, tcpdump, broker, harness, others, idle."""
    _seen: dict[tuple[int, str], tuple[str, float]] = field(default_factory=dict)
    """By process and the moment it began: its program, and its processor time."""
    _sampler: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._began = _machine()
        self._sample()
        self._before = {key: spent_s for key, (_, spent_s) in self._seen.items()}
        self._sampler = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sampler is not None:
            self._sampler.cancel()
        self._sample()
        all_s, idle_s = (now - before for now, before in zip(_machine(), self._began, strict=True))
        spent: dict[str, float] = defaultdict(float)
        for key, (program, spent_s) in self._seen.items():
            spent[program] += spent_s - self._before.get(key, 0.0)
        spent[IDLE] = idle_s
        spent[OTHERS] = max(0.0, all_s - sum(spent.values()))
        self.shares = {program: spent_s / all_s for program, spent_s in spent.items()} if all_s else {}

    def __str__(self) -> str:
        order = [DAEMON, *NAMES.values(), US, OTHERS, IDLE]
        return ", ".join(f"{name} {self.shares[name]:.0%}" for name in order if self.shares.get(name, 0.0) >= 0.005)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            self._sample()

    def _sample(self) -> None:
        ours = {os.getpid()}
        parents = {pid: stat for pid in _processes() if (stat := _stat(pid)) is not None}
        growing = True
        while growing:
            found = {pid for pid, stat in parents.items() if stat.parent in ours} - ours
            ours |= found
            growing = bool(found)
        for pid in ours & parents.keys():
            stat = parents[pid]
            self._seen[pid, stat.began] = _program(pid, stat.name), stat.spent_s


@dataclass(frozen=True)
class _Stat:
    name: str
    parent: int
    spent_s: float
    began: str


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> _Stat | None:
    with suppress(OSError):
        name, rest = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
        fields = rest.split()
        return _Stat(name, int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS_PER_S, fields[19])
    return None


def _program(pid: int, name: str) -> str:
    if pid == os.getpid():
        return US
    return NAMES.get(name, DAEMON if name.startswith(("python", "callflow")) else OTHERS)


def _machine() -> tuple[float, float]:
    """Seconds of processor time that all processors together have had, and spent idle."""
    fields = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) / TICKS_PER_S, (fields[3] + fields[4]) / TICKS_PER_S
