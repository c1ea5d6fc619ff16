"""Captures: what went over the wires between an Asterisk and a daemon, as text to read, to compare and to replay.

    callflow capture 1
    purpose: A caller who says nothing.
    asterisk: 22.10.1
    procedures: {"profiles": ...}
    began: 1763775000.123456

    0.000000 ami-1 opened

    0.001201 ami-1 <
    Event: Newchannel
    ...

A block begins with its arrival (seconds after `began`, epoch s) and its wire: `ami-N` and `agi-N` are the N-th
connection to the AMI and from FastAGI; `ami` alone is a session of the recorder's own. `<` came from Asterisk, `>` went
to it. Blocks end with an empty line, as AMI's own messages do. Bytes that are not UTF-8 are kept as lone surrogates.

AMI messages as a socket gave them, without any of this, are read too: their own time stamps tell when they came.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Literal, Self, get_args

from callflow.adapters.agi.arrival import parse_variables
from callflow.adapters.ami.framing import parse
from callflow.errors import CallflowError

MAGIC = "callflow capture 1"
REMEDY = "name a file that `callflow record` has written"
What = Literal["opened", "<", ">", "closed by asterisk", "closed by daemon"]
_HEAD = re.compile(rf"(\d{{1,12}}\.\d+) (ami|(?:ami|agi)-\d+) ({'|'.join(get_args(What))})")
_AMI_MESSAGES = ("Event: ", "Response: ", "Asterisk Call Manager/")
_STAMP = re.compile(r"Timestamp: (\d{1,12}\.\d+)")
_LATEST_S = 1e12
LONGEST_S = 31 * 86_400
"""What a replay goes through; the core looks at what is due every few seconds of it."""
_EMPTY = re.compile(r"[\w()-]+: ?")
"""A header without a value; the blank behind its colon is not written: editors take such blanks away."""


class CaptureInvalid(CallflowError):
    """A capture cannot be read; `problem` begins with file and line."""


@dataclass(frozen=True)
class Block:
    """One message, or the beginning or end of a connection; `at_s` counts from the capture's beginning."""

    at_s: float
    wire: str
    what: What
    lines: tuple[str, ...] = ()

    @property
    def first(self) -> str:
        """The first line, "" without one."""
        return self.lines[0] if self.lines else ""

    @property
    def is_event(self) -> bool:
        """An AMI event from Asterisk."""
        return self.what == "<" and self.first.startswith("Event: ")

    @property
    def name(self) -> str:
        """The event's or the action's name, "" for anything else."""
        key, _, value = self.first.partition(": ")
        return value if key in ("Event", "Action") else ""

    @cached_property
    def headers(self) -> dict[str, str]:
        """AMI's headers, read as the daemon reads them."""
        return parse(self.raw("\r\n"))

    @cached_property
    def environment(self) -> dict[str, str]:
        """FastAGI's variables, read as the daemon reads them."""
        return parse_variables(self.raw("\n"))

    def raw(self, line_end: str) -> bytes:
        """The bytes that came, without the closing line ends."""
        return line_end.join(self.lines).encode("utf-8", "surrogateescape")

    def __str__(self) -> str:
        lines = (line.rstrip(" ") if _EMPTY.fullmatch(line) else line for line in self.lines)
        return "\n".join((f"{self.at_s:.6f} {self.wire} {self.what}", *lines))


@dataclass(frozen=True)
class Capture:
    """A capture's header, and its blocks in order of their arrival."""

    began_s: float
    header: dict[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    name: str = ""

    @property
    def has_wires(self) -> bool:
        """Recorded between the daemon and Asterisk, AMI and FastAGI: all that the daemon knew."""
        return any(block.wire.startswith("agi-") for block in self.blocks)

    def at_ms(self, block: Block) -> int:
        """When a block arrived, epoch ms, as the daemon's clock says it."""
        return int((self.began_s + block.at_s) * 1000)

    @property
    def events(self) -> Iterator[Block]:
        """The AMI events."""
        return (block for block in self.blocks if block.is_event)


class CaptureWriter:
    """Writes a capture block by block; what was written before a crash can be read."""

    def __init__(self, sink: IO[str], header: dict[str, str], began_s: float) -> None:
        self._sink = sink
        self.began_s = began_s
        self.count = 0
        lines = [MAGIC, *(f"{name}: {value}" for name, value in header.items()), f"began: {began_s:.6f}"]
        sink.write("\n".join(lines) + "\n\n")

    @classmethod
    def create(cls, path: Path, header: dict[str, str], began_s: float) -> Self:
        """A new file at `path`; raises OSError."""
        return cls(path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n"), header, began_s)

    def write(self, block: Block) -> None:
        """Append one block."""
        self.count += 1
        self._sink.write(f"{block}\n\n")
        self._sink.flush()

    def close(self) -> None:
        """Nothing more will be written."""
        self._sink.close()


def read_capture(path: Path) -> Capture:
    """The capture of a file. Raises CaptureInvalid."""
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise CaptureInvalid(f"{path} cannot be read: {error.strerror}", REMEDY) from None
    parts = list(_paragraphs(text.split("\n")))
    if not parts or parts[0][1][0] != MAGIC:
        return _from_socket(path, text)
    header = dict(line.split(": ", 1) for line in parts[0][1][1:] if ": " in line)
    try:
        began_s = float(header.pop("began"))
    except (KeyError, ValueError):
        began_s = math.nan
    if not abs(began_s) < _LATEST_S:
        raise CaptureInvalid(f"{path}: its header does not say when it began", REMEDY) from None
    blocks = tuple(_block(path, number, lines) for number, lines in parts[1:])
    return _not_endless(path, Capture(began_s, header, blocks, path.stem))


def _not_endless(path: Path, capture: Capture) -> Capture:
    if any(block.at_s > LONGEST_S for block in capture.blocks):
        raise CaptureInvalid(f"{path}: it lasts for more than {LONGEST_S // 86_400} days", "correct its times")
    return capture


def _from_socket(path: Path, text: str) -> Capture:
    """AMI messages that nobody has framed; lines that begin with # are remarks. Raises CaptureInvalid."""
    lines = [line.removesuffix("\r") for line in text.split("\n") if not line.startswith("#")]
    messages = [tuple(message) for _, message in _paragraphs([*lines, ""]) if message[0].startswith(_AMI_MESSAGES)]
    if not messages:
        raise CaptureInvalid(f"{path}, line 1: not a capture", REMEDY)
    stamps = [_stamp_s(message) for message in messages]
    began_s = next((stamp for stamp in stamps if stamp is not None), 0.0)
    blocks, now_s = [], 0.0
    for message, stamp in zip(messages, stamps, strict=True):
        now_s = max(now_s, (stamp or 0.0) - began_s)
        blocks.append(Block(now_s, "ami", "<", message))
    header = {"purpose": f"AMI messages of {path.name}"}
    return _not_endless(path, Capture(began_s, header, tuple(blocks), path.stem))


def _stamp_s(message: tuple[str, ...]) -> float | None:
    found = (_STAMP.fullmatch(line) for line in message)
    return next((float(match[1]) for match in found if match), None)


def write_capture(path: Path, capture: Capture, blocks: Iterable[Block]) -> None:
    """The same capture with other blocks."""
    writer = CaptureWriter.create(path, capture.header, capture.began_s)
    for block in blocks:
        writer.write(block)
    writer.close()


def _paragraphs(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and lines of each paragraph; a file cut short in mid-block ends with the block before."""
    start, part = 1, list[str]()
    for number, line in enumerate(lines, 1):
        if line:
            part.append(line)
        elif part:
            yield start, part
            start, part = number + 1, []
        else:
            start = number + 1


def _block(path: Path, number: int, lines: list[str]) -> Block:
    found = _HEAD.fullmatch(lines[0])
    if not found:
        remedy = "a block begins with seconds, wire and direction, e.g. `0.250000 ami-1 <`"
        raise CaptureInvalid(f"{path}, line {number}: {lines[0][:60]!r} begins no block", remedy)
    content = tuple(f"{line} " if _EMPTY.fullmatch(line) else line for line in lines[1:])
    return Block(float(found[1]), found[2], found[3], content)  # type: ignore[arg-type]  # the pattern says so
