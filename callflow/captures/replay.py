"""Replaying a capture through the daemon's own translation and core, in virtual time.

From the start, the core must decide what the recorded daemon decided. From any later block it acts as a daemon that
connects to a running PBX: it leaves the calls alone that it was not given, and only counts what it cannot assign.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from callflow.adapters.ami.translate import translate
from callflow.captures.capture_file import Block, Capture, CaptureInvalid
from callflow.captures.facts import (
    AgiEnded,
    AmiAnswered,
    CallerArrived,
    ChannelsListed,
    DaemonActed,
    DaemonKilled,
    FactReader,
    LinkChange,
    PromptAnswered,
)
from callflow.core import commands, events
from callflow.core.profile import Procedures
from callflow.core.screening.engine import Engine
from callflow.core.screening.states import HANG_UPS

PROMPT_PATH = "{language}/callflow/{prompt}"
AGI_HANGUP_MS = 250
"""How long the daemon waits, after HANGUP, for AMI to say whether the caller has gone (see runtime/dispatch.py)."""
ENDING_MS = 100
"""How long it waits, after a prompt that was cut short, for FastAGI to end the call (see agi/session.py)."""
ANSWER_MS = 1
FENCE_MS = 31
LAST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing done to a call: `say PATH`, `stop` or `release RESULT`, at `at_ms` (epoch)."""

    at_ms: int
    call_id: str
    what: str


@dataclass
class Replayed:
    """What the core did with a capture."""

    decisions: list[Decision] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    """Result by call, from the final records: what the database would say."""
    unexpected: Counter[str] = field(default_factory=Counter)
    saved: Counter[str] = field(default_factory=Counter)
    """Final records by call: each call must have exactly one."""
    open: set[str] = field(default_factory=set)
    """Calls with a first record and no final one."""

    @property
    def tally(self) -> Counter[str]:
        """How many calls came to which result."""
        return Counter(self.results.values())

    @property
    def saved_twice(self) -> list[str]:
        """Calls with more than one final record."""
        return [call_id for call_id, number in self.saved.items() if number > 1]


def procedures_of(capture: Capture) -> Procedures | None:
    """The procedures that were in force, None if the capture does not say. Raises CaptureInvalid."""
    text = capture.header.get("procedures")
    try:
        return Procedures.model_validate_json(text) if text else None
    except ValidationError as error:
        problem = f"{capture.name}: its header's procedures are wrong: {error.errors()[0]['msg']}"
        raise CaptureInvalid(problem, "take them out; the settings' own are then used") from None


class Replay:
    """One pass over a capture; the daemon's part between reader and core is done here, in the same order."""

    def __init__(self, capture: Capture, procedures: Procedures, prompt_path: str = PROMPT_PATH) -> None:
        self._capture = capture
        self._procedures = procedures
        self._prompt_path = prompt_path

    def run(self, first: int = 0, on_decision: Callable[[Decision], None] = lambda decision: None) -> Replayed:
        """From block `first` on; never raises for anything in the capture."""
        core = _Core(self._procedures, self._prompt_path, self._capture, on_decision)
        reader = FactReader(self._capture, first)
        blocks = self._capture.blocks
        if first < len(blocks) and reader.attached:
            core.attach(self._capture.at_ms(blocks[first]))
        for block in blocks[first:]:
            core.pass_time(now_ms := self._capture.at_ms(block))
            for fact in reader.take(block):
                core.take(fact, block, now_ms)
            core.pass_time(now_ms)
        core.pass_time(self._capture.at_ms(blocks[-1]) + LAST_MS if blocks else 0)
        core.out.unexpected = core.engine.unexpected
        return core.out


class _Core:
    """The engine with a virtual clock; gives the answers that the capture does not contain."""

    def __init__(
        self, procedures: Procedures, prompt_path: str, capture: Capture, on_decision: Callable[[Decision], None]
    ) -> None:
        self._procedures = procedures
        self.engine = Engine(procedures)
        self.out = Replayed()
        self._prompt_path = prompt_path
        self._wired = capture.has_wires
        self._on_decision = on_decision
        self._due: list[tuple[int, int, events.Event]] = []
        self._sent = 0
        self._plays: dict[str, tuple[int, str]] = {}
        self._stopped: set[str] = set()
        self._fences: list[tuple[int, commands.FenceEvents]] = []
        self._arming: dict[str, str] = {}

    def _new_daemon(self) -> None:
        """Start a new daemon, which knows nothing of the earlier calls."""
        before = self.engine.unexpected
        self.engine = Engine(self._procedures)
        self.engine.unexpected += before
        self.out.open.clear()
        self._due.clear()
        self._plays.clear()
        self._fences.clear()
        self._arming.clear()

    def attach(self, now_ms: int) -> None:
        """Connect a daemon now."""
        self._receive(events.LinkUp(now_ms, may_go_deaf=False), now_ms)

    def pass_time(self, until_ms: int) -> None:
        """Do what is due before `until_ms`, in order."""
        while True:
            deadline = self.engine.next_deadline()
            answer = min(self._due, default=None)
            times = [at for at in (deadline, answer[0] if answer else None) if at is not None and at <= until_ms]
            if not times:
                return
            if answer and answer[0] == min(times):
                self._due.remove(answer)
                self._receive(answer[2], answer[0])
            else:
                self._carry_out(self.engine.expire(min(times)), min(times))

    def take(self, fact: object, block: Block, now_ms: int) -> None:
        """One thing that the reader told."""
        match fact:
            case LinkChange(up=True):
                self._receive(events.LinkUp(now_ms, may_go_deaf=False), now_ms)
            case DaemonKilled():
                self._new_daemon()
            case LinkChange(up=False):
                self._receive(events.LinkLost(now_ms, "the connection ended"), now_ms)
            case ChannelsListed(uniqueids):
                self._receive(events.ChannelsSeen(uniqueids, now_ms), now_ms)
            case CallerArrived(arrived):
                self._receive(arrived, now_ms)
            case PromptAnswered(call_id, heard, failed):
                self._prompt_ended(call_id, heard, now_ms + (ENDING_MS if failed else 0))
            case AgiEnded(call_id, by_hangup):
                self._due = [due for due in self._due if getattr(due[2], "call_id", None) != call_id]
                self._later(now_ms + (AGI_HANGUP_MS if by_hangup else 0), events.AgiClosed(call_id, now_ms))
            case AmiAnswered(kind, channel, ok):
                self._answered(kind, channel, ok, now_ms)
            case _:
                if block.is_event and (event := translate(block.headers, now_ms)) is not None:
                    self._receive(event, now_ms)

    # -- answers --------------------------------------------------------------------------------------------------

    def _prompt_ended(self, call_id: str, heard: bool, at_ms: int) -> None:
        """STREAM FILE was answered; without a question here, the call belongs to an earlier daemon."""
        play_id, path = self._plays.pop(call_id, (0, ""))
        if not play_id:
            self.engine.unexpected["an answer to nobody"] += 1
        elif heard or call_id in self._stopped:
            self._later(at_ms, events.PromptFinished(call_id, play_id, at_ms))
        else:
            self._later(at_ms, events.PromptFailed(call_id, play_id, at_ms, f"Asterisk has no sound file {path}"))

    def _answered(self, kind: str, channel: str, ok: bool, now_ms: int) -> None:
        if kind == "ear" and (call_id := self._arming.pop(channel, None)) is not None:
            event = events.EarArmed(call_id) if ok else events.EarFailed(call_id, "refused")
            self._receive(event, now_ms)
        elif kind == "fence" and self._fences and now_ms - self._fences[0][0] >= FENCE_MS - 10:
            fence = self._fences.pop(0)[1]
            self._receive(events.EventsFenced(fence.call_id, fence.fence_id), now_ms)

    def _later(self, at_ms: int, event: events.Event) -> None:
        self._sent += 1
        self._due.append((at_ms, self._sent, event))

    # -- the core -------------------------------------------------------------------------------------------------

    def _receive(self, event: events.Event, now_ms: int) -> None:
        self._carry_out(self.engine.receive(event, now_ms), now_ms)

    def _carry_out(self, issued: list[commands.Command], now_ms: int) -> None:
        for command in issued:
            self._do(command, now_ms)

    def _do(self, command: commands.Command, now_ms: int) -> None:
        match command:
            case commands.ArmEar(call_id, channel):
                self._arming[channel] = call_id
                if not self._wired:
                    self._later(now_ms + ANSWER_MS, events.EarArmed(call_id))
            case commands.FenceEvents(call_id, fence_id):
                self._fences.append((now_ms, command))
                if not self._wired:
                    self._later(now_ms + FENCE_MS, events.EventsFenced(call_id, fence_id))
            case commands.JudgeWindow(call_id, _, ask_id):  # a capture has no sound: Asterisk's ear alone judges
                self._later(now_ms + ANSWER_MS, events.WindowJudged(call_id, ask_id))
            case commands.PlayPrompt(call_id, play_id, prompt, language):
                path = self._prompt_path.format(language=language, prompt=prompt)
                self._plays[call_id] = (play_id, path)
                self._decided(now_ms, call_id, f"say {path}")
            case commands.StopPrompt(call_id):
                self._stopped.add(call_id)
                if self.engine.link_up:
                    self._decided(now_ms, call_id, "stop")
            case commands.SaveCall(record, False):
                self.out.open.add(record.call_id)
            case commands.SaveCall(record, True):
                self.out.open.discard(record.call_id)
                self.out.saved[record.call_id] += 1
                self.out.results[record.call_id] = record.result.value if record.result else ""
            case commands.Release(call_id, _, result):
                self._decided(now_ms, call_id, f"release {result}")
                if result in HANG_UPS:
                    self._later(now_ms, events.Released(call_id))

    def _decided(self, now_ms: int, call_id: str, what: str) -> None:
        decision = Decision(now_ms, call_id, what)
        self.out.decisions.append(decision)
        self._on_decision(decision)


def recorded(capture: Capture) -> list[Decision]:
    """What the daemon did while the capture was made."""
    reader = FactReader(capture)
    did = ((block, fact) for block in capture.blocks for fact in reader.take(block) if isinstance(fact, DaemonActed))
    return [Decision(capture.at_ms(block), fact.call_id, fact.what) for block, fact in did]
