"""One talk as assistance knows it: its state, what is written down of it, and what it wants done."""

from dataclasses import dataclass, field

from callflow.core import commands
from callflow.core.assist.commands import AssistCommand, SaveStep
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.states import AFTER_PARTING, Input, State, next_state
from callflow.core.assist.steps import TO_CALL_BACK, AssistStep, StepKind
from callflow.core.profile import Assist, Mode, Procedures, Profile
from callflow.core.rings.names import interface_of
from callflow.core.rings.talk_events import TalkParties

MOST_RAISED = 20_000
CORE = "assist"
"""Whom the listening service listens for."""


@dataclass(slots=True)
class Link:
    """The known state of the AMI connection."""

    up: bool = False
    may_go_deaf: bool = True
    proven: bool = False
    """A sound has been heard over it."""
    unplayable: set[tuple[str, str]] = field(default_factory=set)
    """Goodbyes that Asterisk could not play, recording and language: until it connects again, or a reload."""


class Levels:
    """By how many dB callflow has raised what channels send or hear: it stays so from talk to talk, by uniqueid."""

    def __init__(self) -> None:
        self._db: dict[str, float] = {}

    def of(self, uniqueid: str) -> float:
        """0 where nothing was raised."""
        return self._db.get(uniqueid, 0.0)

    def set(self, uniqueid: str, db: float) -> None:
        """Asterisk has set it."""
        self._db.pop(uniqueid, None)
        if db:
            while len(self._db) >= MOST_RAISED:
                del self._db[next(iter(self._db))]
            self._db[uniqueid] = db

    def forget(self, uniqueid: str) -> None:
        """The channel has ended."""
        self._db.pop(uniqueid, None)


@dataclass(slots=True)
class Case:
    """Shared by the parts of one assisted talk."""

    talk_id: str
    parties: TalkParties
    profile_name: str
    profile: Profile
    rules: AssistRules
    procedures: Procedures
    language: str
    link: Link
    levels: Levels
    """Of the caller's channel as the agent hears it, and of the agent's as the caller does."""
    began_ms: int
    found: bool = False
    """callflow has come upon it: what was said before is not known."""
    state: State = State.ARMING
    commands: list[AssistCommand] = field(default_factory=list)
    heard: bool = False
    """The caller was heard in this talk, or since the agent said that the call is a nuisance."""
    nuisance: bool = False
    """The agent has said so: a caller who answers the one question ends it."""
    closed_as: str = ""
    """How the agent has closed the talk: enquiry, order, no_order."""
    call_back_asked: bool = False
    """The caller is on the call-back list, on the agent's word."""
    _steps: int = 0

    @property
    def pretends(self) -> bool:
        """Observe mode: everything is judged, nothing is said or done."""
        return self.profile.mode is Mode.OBSERVE

    @property
    def speaks(self) -> bool:
        """The profile lets callflow speak to the caller."""
        return self.profile.assist in (Assist.PROMPT, Assist.ACT)

    @property
    def phone(self) -> str:
        """The agent's phone, as Dial takes it."""
        return interface_of(self.parties.agent_channel)

    @property
    def has_number(self) -> bool:
        """The caller can be called back."""
        return any(mark.isdigit() for mark in self.parties.caller_number)

    @property
    def parted(self) -> bool:
        """The agent is free, or about to be."""
        return self.state in AFTER_PARTING

    @property
    def done(self) -> bool:
        return self.state is State.DONE

    @property
    def caller_ear(self) -> str:
        """Id by which the listening service knows the caller's ears."""
        return f"{self.talk_id}/caller"

    @property
    def agent_ear(self) -> str:
        return f"{self.talk_id}/agent"

    @property
    def window_ear(self) -> str:
        """Whose windows are judged: the caller's tap where there is one, which goes before TALK_DETECT does."""
        return f"{self.talk_id}/tap" if self.profile.ear == "tap" else self.caller_ear

    def go(self, what: Input) -> None:
        """Move as the table says. Raises IllegalInput."""
        self.state = next_state(self.state, what)

    def do(self, command: AssistCommand) -> None:
        self.commands.append(command)

    def open_tap(self) -> None:
        """More is needed than TALK_DETECT tells. Screening, which decides about callers, has the last taps."""
        parties = self.parties
        uniqueid, channel = parties.caller_uniqueid, parties.caller_channel
        self.do(commands.OpenTap(self.window_ear, uniqueid, channel, yields=True, some_will_do=True))

    def close_tap(self) -> None:
        """The ladder is left."""
        if self.profile.ear == "tap":
            self.do(commands.StopListening(self.window_ear, self.parties.caller_channel, disarm=False))

    def begin_window(self) -> None:
        """What is heard from here on is judged together."""
        self.do(commands.BeginWindow(self.window_ear))
        self.do(commands.CountPackets(self.window_ear, self.parties.caller_channel))

    def judge_window(self, ask_id: int, *, verdict: bool = True) -> None:
        """Ask what was heard since; without a verdict it is only a look."""
        self.do(commands.JudgeWindow(self.window_ear, self.parties.caller_channel, ask_id, verdict=verdict))

    def tell(
        self,
        kind: StepKind,
        now_ms: int,
        what: str = "",
        why: str = "",
        *,
        outcome: str = "",
        lasted_ms: int | None = None,
    ) -> None:
        """Write down one step."""
        self._steps += 1
        parties = self.parties
        step = AssistStep(
            step_id=f"{self.talk_id}-{self._steps}",
            talk_id=self.talk_id,
            call_id=parties.call_id,
            seq=self._steps,
            agent=parties.agent,
            queue=parties.queue,
            profile=self.profile_name,
            mode=self.profile.assist.value,
            at_ms=now_ms,
            kind=kind,
            what=what,
            outcome=outcome,
            why=why,
            lasted_ms=lasted_ms,
            caller_number=parties.caller_number if kind in TO_CALL_BACK and not self._is_unwanted(kind) else "",
        )
        self.do(SaveStep(step))

    def ask_call_back(self, why: str, now_ms: int) -> None:
        """Put the caller on the call-back list, once."""
        if not self.call_back_asked:
            self.call_back_asked = True
            self.tell(StepKind.CALLBACK_ASKED, now_ms, why=why)

    def _is_unwanted(self, kind: StepKind) -> bool:
        """Nobody calls a nuisance back."""
        return self.nuisance and kind is StepKind.HUNG_UP

    def file_of(self, prompt: str) -> tuple[str, str]:
        """Recording and language of a prompt."""
        return self.profile.prompts.get(prompt, prompt), self.language
