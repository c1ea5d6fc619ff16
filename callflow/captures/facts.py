"""The facts in a capture's messages: connections, calls, answers, and what the recorded daemon did."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from callflow.adapters.agi.answers import AnswerReader
from callflow.adapters.agi.arrival import call_arrived
from callflow.captures.capture_file import Block, Capture
from callflow.core.events import CallArrived

STREAM_FILE = 'STREAM FILE "'
RESULT = 'SET VARIABLE "CALLFLOW_RESULT" "'
DYING_S = 0.5
"""Within how long all connections of a killed process end."""


@dataclass(frozen=True, slots=True)
class LinkChange:
    """Both AMI connections are logged in, or one of them has ended."""

    up: bool


@dataclass(frozen=True, slots=True)
class ChannelsListed:
    """The list of CoreShowChannels is complete."""

    uniqueids: frozenset[str]


@dataclass(frozen=True, slots=True)
class CallerArrived:
    """A call arrived over FastAGI."""

    arrived: CallArrived


@dataclass(frozen=True, slots=True)
class PromptAnswered:
    """STREAM FILE was answered; `heard`: part of the prompt was played, `failed`: Asterisk could not go on."""

    call_id: str
    heard: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class AgiEnded:
    """Asterisk ended the FastAGI connection; `by_hangup`: with a HANGUP line."""

    call_id: str
    by_hangup: bool


@dataclass(frozen=True, slots=True)
class AmiAnswered:
    """An AMI answer: `ear` (TALK_DETECT was set on `channel`) or `fence` (a Ping on the connection of the events)."""

    kind: str
    channel: str
    ok: bool


@dataclass(frozen=True, slots=True)
class DaemonActed:
    """The recorded daemon acted on a call: `say PATH`, `stop` or `release RESULT`."""

    call_id: str
    what: str


@dataclass(frozen=True, slots=True)
class DaemonKilled:
    """The recorded daemon was killed: it left calls that it had not released."""


Fact = (
    LinkChange
    | DaemonKilled
    | ChannelsListed
    | CallerArrived
    | PromptAnswered
    | AgiEnded
    | AmiAnswered
    | DaemonActed
    | None
)


@dataclass
class _Agi:
    """One FastAGI connection."""

    call_id: str = ""
    ended: bool = False
    asked: list[str] = field(default_factory=list)
    reader: AnswerReader = field(default_factory=AnswerReader)


class FactReader:
    """Reads the facts of a capture from block `first` on; calls that began before belong to another daemon."""

    def __init__(self, capture: Capture, first: int = 0) -> None:
        self._capture = capture
        self._agis: dict[str, _Agi] = {}
        self._live: dict[str, str] = {}
        self._logins: dict[str, str] = {}
        self._asked: dict[tuple[str, str], dict[str, str]] = {}
        self._listed: set[str] = set()
        self._roles: dict[str, str] = {}
        self._up = self.attached = not capture.has_wires or first > 0
        """From its very start a capture shows the login itself."""
        self._abandoned = list(_abandoned(capture.blocks))
        for block in capture.blocks[:first]:
            self._note_login(block)

    def take(self, block: Block) -> Iterator[Fact]:
        """The facts in one block; None stands for an AMI event, which the daemon's own translation reads."""
        if block.wire.startswith("agi-"):
            yield from self._agi(block)
        elif block.what == ">":
            yield from self._from_daemon(block)
        elif block.what == "<":
            yield from self._from_asterisk(block)
        elif block.what.startswith("closed"):
            yield from self._closed(block)

    # -- AMI ------------------------------------------------------------------------------------------------------

    def _note_login(self, block: Block) -> None:
        """Note which connection this is: the one of the events or the one of the actions."""
        if block.what == ">" and block.name == "Login":
            self._asked[block.wire, block.headers.get("ActionID", "")] = block.headers
        elif block.what == "<" and (asked := self._asked_for(block)) and asked.get("Action") == "Login":
            role = "actions" if asked.get("Events") == "off" else "events"
            self._roles[block.wire] = "other" if role in self._roles.values() else role
        elif block.what.startswith("closed"):
            self._roles.pop(block.wire, None)

    def _asked_for(self, block: Block) -> dict[str, str] | None:
        if block.is_event or not block.lines:
            return None
        return self._asked.get((block.wire, block.headers.get("ActionID", "")))

    def _from_daemon(self, block: Block) -> Iterator[Fact]:
        headers = block.headers
        self._asked[block.wire, headers.get("ActionID", "")] = headers
        call_id = self._live.get(headers.get("Channel", ""))
        if call_id is None:
            return
        if block.name == "ControlPlayback":
            yield DaemonActed(call_id, "stop")
        elif block.name == "Setvar" and headers.get("Variable") == "CALLFLOW_RESULT":
            yield DaemonActed(call_id, f"release {headers.get('Value')}")

    def _from_asterisk(self, block: Block) -> Iterator[Fact]:
        headers = block.headers
        asked = self._asked.get((block.wire, headers.get("ActionID", "")))
        if asked is not None and asked.get("Action") == "CoreShowChannels":
            yield from self._channels(headers)
        elif block.is_event:
            if self._roles.get(block.wire, "events") == "events":
                yield None
        elif asked is not None:
            yield from self._answer(block, asked, headers.get("Response") == "Success")

    def _answer(self, block: Block, asked: dict[str, str], ok: bool) -> Iterator[Fact]:
        match asked.get("Action"):
            case "Login" if ok:
                self._note_login(block)
                if not self._up and {"events", "actions"} <= set(self._roles.values()):
                    self._up = True
                    yield LinkChange(True)
            case "Setvar" if asked.get("Variable") == "TALK_DETECT(set)":
                yield AmiAnswered("ear", asked.get("Channel", ""), ok)
            case "Ping" if self._roles.get(block.wire) == "events":
                yield AmiAnswered("fence", "", ok)

    def _channels(self, headers: dict[str, str]) -> Iterator[Fact]:
        if headers.get("Event") == "CoreShowChannel":
            self._listed.add(headers.get("Uniqueid", ""))
        elif headers.get("Event") == "CoreShowChannelsComplete":
            listed, self._listed = frozenset(self._listed), set()
            yield ChannelsListed(listed)

    def _closed(self, block: Block) -> Iterator[Fact]:
        if self._roles.pop(block.wire, "other") != "other" and self._up:
            self._up = False
            killed = any(abs(at_s - block.at_s) < DYING_S for at_s in self._abandoned)
            yield DaemonKilled() if killed and block.what == "closed by daemon" else LinkChange(False)

    # -- FastAGI --------------------------------------------------------------------------------------------------

    def _agi(self, block: Block) -> Iterator[Fact]:
        if block.what == "opened":
            self._agis[block.wire] = _Agi()
            return
        agi = self._agis.get(block.wire)
        if agi is None or agi.ended:
            return
        if block.what == ">":
            yield from self._agi_from_daemon(agi, block)
        elif block.what == "<":
            yield from self._agi_from_asterisk(agi, block)
        else:
            agi.ended = True
            if block.what == "closed by asterisk" and agi.call_id:
                yield AgiEnded(agi.call_id, by_hangup=False)

    def _agi_from_daemon(self, agi: _Agi, block: Block) -> Iterator[Fact]:
        for line in block.lines:
            agi.asked.append(line)
            if line.startswith(STREAM_FILE):
                yield DaemonActed(agi.call_id, f"say {line.split(chr(34))[1]}")
            elif line.startswith(RESULT):
                yield DaemonActed(agi.call_id, f"release {line.split(chr(34))[3]}")

    def _agi_from_asterisk(self, agi: _Agi, block: Block) -> Iterator[Fact]:
        if not agi.call_id:
            arrived = call_arrived(block.environment, self._capture.at_ms(block))
            agi.call_id = self._live[arrived.channel] = arrived.call_id
            if arrived.uniqueid:
                yield CallerArrived(arrived)
            return
        for line in block.lines:
            if line == "HANGUP":
                agi.ended = True
                yield AgiEnded(agi.call_id, by_hangup=True)
                return
            answer = agi.reader.take(line.encode("utf-8", "surrogateescape"))
            if answer and agi.asked and agi.asked.pop(0).startswith(STREAM_FILE):
                yield PromptAnswered(agi.call_id, answer.number("endpos") > 0, answer.failed)


def _abandoned(blocks: tuple[Block, ...]) -> Iterator[float]:
    """When the daemon closed a FastAGI connection without a release: a living daemon releases every call."""
    released: set[str] = set()
    for block in blocks:
        if not block.wire.startswith("agi-"):
            continue
        if (block.what == ">" and block.first.startswith(RESULT)) or block.lines == ("HANGUP",):
            released.add(block.wire)
        elif block.what == "closed by daemon" and block.wire not in released:
            yield block.at_s
