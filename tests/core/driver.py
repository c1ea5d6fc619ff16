"""Drives the pure core from one deadline to the next, with a virtual clock and a pretend Asterisk that obeys."""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from callflow.core import commands, events
from callflow.core.call_record import CallRecord, TimelineEntry
from callflow.core.heard import Heard
from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Ladder, Mode, Procedures, Profile, Rung
from callflow.core.screening.engine import Engine
from callflow.core.screening.rungs import FENCE_MS
from callflow.core.screening.states import HANG_UPS

START_MS = 1_000_000
UNIQUEID = "1000.1"
# With prompts of 4 s: greeting 0-4 s, listening 4-7 s, again 7-11 s, listening 11-14 s, goodbye 14-18 s, end at 20 s.
LISTENING = START_MS + 5000


def procedures(**changes: object) -> Procedures:
    """The shipped procedures with a profile for each mode."""
    values: dict[str, object] = {
        "profiles": {
            "default": Profile(),
            "support": Profile(),
            "impatient": Profile(media_wait_s=1.0, music_wait_s=0),
            "watch": Profile(mode=Mode.OBSERVE),
            "off": Profile(mode=Mode.OFF),
            "gentle": Profile(ladder="gentle"),
        },
        "ladders": {
            "silent": SILENT_LADDER,
            "quiet": QUIET_LADDER,
            "gentle": Ladder(rungs=(Rung(prompt="greeting", listen_s=4), Rung(listen_s=1, then="pass_on"))),
        },
        "languages": ("zh", "en"),
        "default_language": "en",
        "max_calls": 100,
        "max_lag_s": 0.4,
    }
    return Procedures.model_validate(values | changes)


@dataclass
class Driver:
    """The core, what came of it, and an Asterisk that plays prompts of `prompt_ms` and answers at once."""

    engine: Engine = field(default_factory=lambda: Engine(procedures()))
    prompt_ms: int = 4000
    release_ms: int = 0
    """How long a hang-up takes."""
    obedient: bool = True
    refuses_gain: bool = False
    tap: bool = False
    hears: tuple[Heard | None, float | None] = (None, None)
    """What the tap answers: what was heard, and the level of the voice or the noise in dBov."""
    verified: bool = True
    """There is evidence that a sound would have been heard."""
    answer: events.WindowJudged | None = None
    """Its whole answer, in the place of `hears`."""
    holds: type | None = None
    """Answers of this kind do not come, but are kept in `held`."""
    held: list[events.Event] = field(default_factory=list)
    now: int = START_MS
    log: list[tuple[int, commands.Command]] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    records: list[tuple[CallRecord, bool]] = field(default_factory=list)
    _due: list[tuple[int, events.Event]] = field(default_factory=list)
    _sounding_until: float = 0
    _armed_once: bool = False

    def link_up(self, *, proven: bool = True) -> "Driver":
        self.tell(events.LinkUp(self.now))
        if proven:
            self.tell(events.SoundStarted("selftest.2", self.now))
        return self

    def arrive(self, profile: str = "support", uniqueid: str = UNIQUEID, **more: Any) -> "Driver":
        self.tell(events.CallArrived(uniqueid, uniqueid, f"PJSIP/{uniqueid}", profile, self.now, **more))
        return self

    def tell(self, event: events.Event) -> None:
        self._take(self.engine.receive(event, self.now))

    def sound(self, ms: int | None, uniqueid: str = UNIQUEID, silence_ms: int = 160, *, low: bool = False) -> None:
        """A sound that starts now; `ms` None never ends; `low` is heard at the threshold that is set now alone."""
        self.tell(events.SoundStarted(uniqueid, self.now))
        self._sounding_until = 0 if low else inf if ms is None else self.now + ms
        if ms is not None:
            end = self.now + ms + silence_ms
            self._due.append((end, events.SoundEnded(uniqueid, end, ms)))

    def voice(self, level_dbov: float, heard: Heard = Heard.SPEECH) -> None:
        """A voice of this level begins; the tap hears it until told otherwise."""
        self.hears = (heard, level_dbov)
        self.tell(events.VoiceBegan(UNIQUEID, self.now))

    def finding(self, call_id: str, ask_id: int) -> events.WindowJudged:
        if self.answer is not None:
            return replace(self.answer, ask_id=ask_id, verified=self.verified)
        heard, level = self.hears
        if heard is None:
            return events.WindowJudged(call_id, ask_id, verified=self.verified)
        voice = heard in (Heard.SPEECH, Heard.QUIET)
        parts = 1000, 0, 1000 if heard is Heard.TONE else 0
        return events.WindowJudged(
            call_id,
            ask_id,
            heard,
            level if voice else None,
            -70.0 if voice else level,
            "",
            *parts,
            verified=self.verified,
        )

    def key(self, key: str = "5") -> None:
        self.tell(events.KeyPressed(UNIQUEID, key, self.now))

    def run_until(self, at_ms: int) -> "Driver":
        """Go from deadline to deadline up to `at_ms` (absolute)."""
        while True:
            deadline = self.engine.next_deadline()
            answer = min(self._due, key=lambda due: due[0], default=None)
            times = [t for t in (deadline, answer[0] if answer else None) if t is not None and t <= at_ms]
            if not times:
                break
            self.now = max(self.now, min(times))
            if answer and answer[0] <= self.now:
                self._due.remove(answer)
                self.tell(answer[1])
            else:
                self._take(self.engine.expire(self.now))
        self.now = max(self.now, at_ms)
        return self

    def run_for(self, ms: int) -> "Driver":
        return self.run_until(self.now + ms)

    def offset(self, command: type) -> list[int]:
        """When commands of this type came, in ms after the start."""
        return [at - START_MS for at, c in self.log if isinstance(c, command)]

    @property
    def results(self) -> list[str]:
        return [c.result.value for _, c in self.log if isinstance(c, commands.Release)]

    @property
    def prompts(self) -> list[str]:
        return [f"{c.language}/{c.prompt}" for _, c in self.log if isinstance(c, commands.PlayPrompt)]

    @property
    def final(self) -> CallRecord:
        """The one final record of the one call; fails when there is none or more than one."""
        (record,) = [r for r, final in self.records if final]
        return record

    def _take(self, issued: list[commands.Command]) -> None:
        for command in issued:
            self.log.append((self.now, command))
            if isinstance(command, commands.AddToTimeline):
                self.timeline.append(command.entry)
            elif isinstance(command, commands.SaveCall):
                self.records.append((command.record, command.final))
            elif isinstance(command, commands.JudgeWindow):
                self._answer(self.now, self.finding(command.call_id, command.ask_id))
            elif self.obedient:
                self._obey(command)

    def _answer(self, at_ms: int, event: events.Event) -> None:
        if self.holds is not None and isinstance(event, self.holds):
            self.held.append(event)
        else:
            self._due.append((at_ms, event))

    def _obey(self, command: commands.Command) -> None:
        match command:
            case commands.ArmEar(call_id):
                self._answer(self.now + 1, events.EarArmed(call_id))
                self._detect_anew(call_id)
            case commands.PlayPrompt(call_id, play_id):
                at = self.now + self.prompt_ms
                self._answer(at, events.PromptFinished(call_id, play_id, at))
            case commands.OpenTap(call_id) if self.tap:
                self._answer(self.now + 100, events.TapOpened(call_id))
            case commands.OpenTap(call_id):
                self._answer(self.now + 100, events.TapLost(call_id, "no tap here"))
            case commands.SetGain(call_id) if self.refuses_gain:
                self._answer(self.now + 1, events.GainRefused(call_id, "no func_volume"))
            case commands.SetGain(call_id, uniqueid, _, gain_db):
                self._answer(self.now + 1, events.GainSet(call_id, uniqueid, gain_db))
            case commands.FenceEvents(call_id, fence_id):
                self._answer(self.now + FENCE_MS, events.EventsFenced(call_id, fence_id))
            case commands.Release(call_id, _, result) if result in HANG_UPS:
                self._answer(self.now + self.release_ms, events.Released(call_id))

    def _detect_anew(self, call_id: str) -> None:
        """TALK_DETECT set again: what it had under way is forgotten, a sound loud enough for it told again."""
        again, self._armed_once = self._armed_once, True
        if not again:
            return
        self._due = [due for due in self._due if not isinstance(due[1], events.SoundEnded)]
        begins, ends = self.now + 60, self._sounding_until
        if begins < ends:
            self._due.append((begins, events.SoundStarted(call_id, begins)))
            if ends < inf:
                stop = int(ends) + 160
                self._due.append((stop, events.SoundEnded(call_id, stop, int(ends) - begins)))


def tapped(profile: Profile | None = None, ladder: Ladder = SILENT_LADDER) -> Driver:
    """A call whose tap is live and hears digital silence, though the line has carried something."""
    ladders = {"silent": ladder, "quiet": QUIET_LADDER}
    engine = Engine(procedures(profiles={"default": profile or Profile()}, ladders=ladders))
    call = Driver(engine=engine, tap=True, hears=(Heard.DIGITAL_SILENCE, -96.0)).link_up().arrive("default")
    call.run_until(START_MS + 200)
    call.tell(events.MediaBegan(UNIQUEID, call.now))
    return call


def gains(call: Driver) -> list[tuple[float, str, float]]:
    return [(c.gain_db, c.how, c.target_dbov) for _, c in call.log if isinstance(c, commands.SetGain)]
