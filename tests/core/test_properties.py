"""Under no order of events does callflow hang up on a caller who spoke or pressed a key since the last rung began.

Messages are late or lost, a hang-up takes time, the ear goes deaf, and any step may fail with an error of our own.

Nor does it hold a caller in silence for more than 5 s: then the next prompt begins, or the caller goes on.

With the tap live there is one more way to a hang-up: a voice too low, to the end of the quiet ladder. Then the tap must
not plainly understand anybody, with our gain counted in. A sound that only Asterisk's ear took for speech counts unless
the tap explained it as noise or a tone.

`CALLFLOW_ORDERS=100000 python -m pytest tests/core/test_properties.py` tries so many orders.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.core.screening.assessor import LOOK_MARGIN_DB
from callflow.core.screening.call import LONGEST_SILENCE_MS, SPARE_MS
from callflow.core.screening.engine import Engine
from callflow.core.screening.states import HANG_UPS
from tests.core.driver import START_MS, UNIQUEID, procedures

ORDERS = int(os.environ.get("CALLFLOW_ORDERS", "3000"))
HANG_UP_MS = 100
pytestmark = pytest.mark.timeout(7200)  # what 100,000 orders take
MIN_SPEECH_MS = 120
SILENCE_MS = 160
PLAIN_DBOV = -38.0 + LOOK_MARGIN_DB
LAST_RUNGS = ("goodbye", "too_faint")
HEARS: dict[str, tuple[Heard | None, float]] = {
    "hears nothing": (Heard.DIGITAL_SILENCE, -96),
    "hears clear": (Heard.SPEECH, -26),
    "hears low": (Heard.QUIET, -45),
    "hears too low": (Heard.QUIET, -58),
    "hears noise": (Heard.NOISE, -40),
    "hears tone": (Heard.TONE, -20),
    "hears music": (Heard.MUSIC, -20),
    "hears noise begin": (Heard.NOISE, -40),
    "hears no more": (None, 0),
}
VOICES = (Heard.SPEECH, Heard.QUIET)


class World:
    """Feeds the core with any events in any order and remembers what the caller really did."""

    def __init__(self, profile: str) -> None:
        self.engine = Engine(procedures())
        self.now = START_MS
        self.play_id = 0
        self.fence_id = 0
        self.last_rung_at: int | None = None
        self.sound_from: int | None = None
        self.signs: list[int] = []
        self.released: list[str] = []
        self.hanging_up: tuple[str, int] | None = None
        """A hang-up that is under way, and since when."""
        self.slow = False
        """Hang-ups take time."""
        self.final = 0
        self.armed = False
        self.tapped = False
        self.hears = "hears nothing"
        self.gain_db = 0.0
        self.answers = True
        self.asked: list[events.Event] = []
        self.deaf_since: int | None = None
        """Asterisk has gone deaf: what the caller says reaches nobody."""
        self.fails = False
        """The next step of the call fails with an error of our own."""
        self.faults = 0
        self.silent_from: int | None = START_MS
        """Since when the caller hears nothing; None while a prompt plays, and once the call has gone on."""
        self.longest_silence_ms = 0
        self.take(self.engine.receive(events.LinkUp(self.now), self.now))
        self.take(self.engine.receive(events.SoundStarted("x", self.now), self.now))
        arrived = events.CallArrived(UNIQUEID, UNIQUEID, "PJSIP/a", profile, self.now)
        self.take(self.engine.receive(arrived, self.now))

    def take(self, issued: list[commands.Command]) -> None:
        for command in issued:
            self.sounds(command)
            match command:
                case commands.PlayPrompt():
                    self.play_id = command.play_id
                    if command.prompt in LAST_RUNGS:
                        self.last_rung_at = self.now
                case commands.ArmEar():
                    self.sound_from = None
                case commands.JudgeWindow():
                    self.asked.append(self.finding(command))
                case commands.FenceEvents():
                    self.fence_id = command.fence_id
                case commands.SetGain():
                    self.gain_db = command.gain_db
                case commands.Release():
                    self.release(command)
                case commands.SaveCall():
                    self.final += command.final
                case commands.LogFault():
                    self.faults += 1
        if not self.slow:
            self.carry_out()
        if self.answers:
            asked, self.asked = self.asked, []
            for answer in asked:
                self.take(self.engine.receive(answer, self.now))

    def sounds(self, command: commands.Command) -> None:
        """A prompt begins, or the call goes on, or a prompt ends."""
        match command:
            case commands.PlayPrompt(call_id) if call_id == UNIQUEID:
                self.hears_something()
            case commands.Release(call_id) if call_id == UNIQUEID and command.result not in HANG_UPS:
                self.hears_something()
            case commands.StopPrompt(call_id) if call_id == UNIQUEID:
                self.silent_from = self.silent_from or self.now

    def hears_something(self) -> None:
        """The silence is over."""
        if self.silent_from is not None:
            self.longest_silence_ms = max(self.longest_silence_ms, self.now - self.silent_from)
        self.silent_from = None

    def release(self, command: commands.Release) -> None:
        """A hang-up is begun; any other release takes its place."""
        if command.result in HANG_UPS:
            assert self.tapped or command.result != "quiet", "hung up a low voice that nobody could hear any more"
            self.hanging_up = command.result, self.now
        else:
            self.hanging_up = None
            self.released.append(command.result)

    def carry_out(self) -> None:
        """The dialplan has the channel and hangs up."""
        if self.hanging_up is not None:
            result, _ = self.hanging_up
            self.hanging_up = None
            self.check_nobody_was_there()
            self.hears_something()
            self.released.append(result)
            self.take(self.engine.receive(events.Released(UNIQUEID), self.now))

    def give_up(self) -> None:
        """The hang-up has taken too long."""
        self.hanging_up = None
        self.take(self.engine.receive(events.ReleaseFailed(UNIQUEID, "x"), self.now))

    def finding(self, command: commands.JudgeWindow) -> events.WindowJudged:
        """What the tap says: the truth; without a tap nothing. From then on the core can know of a clear voice."""
        if self.clear:
            self.signs.append(self.now)
        heard, level = HEARS[self.hears] if self.tapped and self.deaf_since is None else (None, 0.0)
        if heard in VOICES:
            return events.WindowJudged(UNIQUEID, command.ask_id, heard, level, -80, verified=True)
        verified = self.deaf_since is None
        lasting_ms = 900 if self.hears == "hears noise begin" else 0
        return events.WindowJudged(
            UNIQUEID, command.ask_id, heard, None, level, "", heard_ms=1000, lasting_ms=lasting_ms, verified=verified
        )

    @property
    def clear(self) -> bool:
        """The tap hears a voice that plainly can be understood, however short a look it takes."""
        heard, level = HEARS[self.hears]
        return self.tapped and self.deaf_since is None and heard in VOICES and level + self.gain_db >= PLAIN_DBOV

    @property
    def low(self) -> bool:
        return self.tapped and HEARS[self.hears][0] in VOICES and not self.clear

    @property
    def explained(self) -> bool:
        """Asterisk's ear may be told by the tap that this is no caller, or one too low."""
        return self.tapped and (HEARS[self.hears][0] in (Heard.NOISE, Heard.TONE) or self.low)

    def check_nobody_was_there(self) -> None:
        assert self.last_rung_at is not None, "hung up before the last rung"
        assert not [at for at in self.signs if at >= self.last_rung_at], "hung up on a caller who was there"
        if self.sound_from is not None:
            judged = self.now - self.sound_from >= SILENCE_MS + MIN_SPEECH_MS
            assert judged, "hung up while a sound was not yet judged"
            assert self.tapped, "hung up in mid-word"

    def event(self, event: events.Event) -> None:
        match event:
            case events.KeyPressed():
                self.signs.append(self.now)
            case events.SoundStarted(uniqueid) if uniqueid == UNIQUEID and self.sound_from is None:
                self.sound_from = self.now
            case events.SoundEnded():
                long = event.duration_ms is None or event.duration_ms >= MIN_SPEECH_MS
                if long and not self.explained:
                    self.signs.append(self.now)
                self.sound_from = None
            case events.EarArmed() if not self.armed:
                self.armed = True
                self.sound_from = None
            case events.VoiceBegan() if self.tapped and self.clear:
                self.signs.append(self.now)
            case events.TapOpened():
                self.tapped = True
            case events.TapLost():
                self.tapped = False
            case events.PromptFinished(_, play_id) if play_id == self.play_id:
                self.silent_from = self.silent_from or self.now
            case events.CallerHungUp() | events.AgiClosed():
                self.silent_from = None
        with self.failing("receive"):
            self.take(self.engine.receive(event, self.now))

    @contextmanager
    def failing(self, step: str) -> Iterator[None]:
        """Inside, a step of the call fails, if one is to."""
        screening = self.engine._calls.get(UNIQUEID) if self.fails else None
        if screening is not None:
            self.fails = False
            setattr(screening, step, fail)
        yield

    def wait(self, ms: int) -> None:
        until = self.now + ms
        while True:
            gives_up_at = None if self.hanging_up is None else self.hanging_up[1] + HANG_UP_MS
            due = min((at for at in (self.engine.next_deadline(), gives_up_at) if at is not None), default=None)
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            if due == gives_up_at:
                self.give_up()
                continue
            with self.failing("expire"):
                self.take(self.engine.expire(self.now))
        self.now = until

    def do(self, step: str) -> None:
        """One step by its name."""
        if step in HEARS:
            self.hears = step
        elif step == "deaf":
            self.deaf_since = self.now if self.deaf_since is None else self.deaf_since
        elif self.deaf_since is not None and step in ("sound", "click", "word", "odd stop", "voice"):
            whole = self.now - self.deaf_since >= MIN_SPEECH_MS
            self.signs += [self.now] if step == "word" and whole else []
        elif step == "hears again":
            if self.deaf_since is not None:
                self.deaf_since = None
                self.event(events.EarDeafened(UNIQUEID))
        elif step in ("slow", "prompt"):
            self.slow = step == "slow"
        elif step == "carry out":
            self.carry_out()
        elif step == "fail":
            self.fails = True
        elif step in ("mute", "answer"):
            self.answers = step == "answer"
            self.take([])
        else:
            self.event(received(self)[step])


def fail(*_: object) -> NoReturn:
    raise ZeroDivisionError("a step that fails")


def received(world: World) -> dict[str, events.Event]:
    now, call = world.now, UNIQUEID
    return {
        "armed": events.EarArmed(call),
        "ear failed": events.EarFailed(call, "x"),
        "sound": events.SoundStarted(call, now),
        "click": events.SoundEnded(call, now, 20),
        "word": events.SoundEnded(call, now, 400),
        "odd stop": events.SoundEnded(call, now, None),
        "key": events.KeyPressed(call, "1", now),
        "said": events.PromptFinished(call, world.play_id, now),
        "said late": events.PromptFinished(call, world.play_id - 1, now),
        "unsaid": events.PromptFailed(call, world.play_id, now, "x"),
        "fenced": events.EventsFenced(call, world.fence_id),
        "unfenced": events.FenceFailed(call, world.fence_id, "x"),
        "tapped": events.TapOpened(call),
        "untapped": events.TapLost(call, "x"),
        "media": events.MediaBegan(call, now),
        "voice": events.VoiceBegan(call, now),
        "gained": events.GainSet(call, call, world.gain_db),
        "no gain": events.GainRefused(call, "x"),
        "late answer": events.WindowJudged(call, 0, Heard.QUIET, -70, -90),
        "hung up": events.CallerHungUp(call, now),
        "taken": events.AgiClosed(call, now),
        "lost": events.LinkLost(now, "x"),
        "up": events.LinkUp(now),
        "seen": events.ChannelsSeen(frozenset(), now),
        "other": events.SoundStarted("other", now),
        "again": events.CallArrived(f"{call}-2", call, "PJSIP/a", "support", now),
    }


LIKELY = st.sampled_from(["sound", "click", "word", "key", "said", "fenced"])
SLOW = st.sampled_from(["slow", "sound", "voice", "key", "carry out", "fenced"])
DEAF = st.sampled_from(["deaf", "deaf", "word", "hears again"])
HEARD = st.sampled_from([*HEARS, "voice", "voice", "word", "said", "fenced", "gained", "tapped"])
ODD = st.sampled_from([*received(World("support")), *HEARS, "mute", "answer", "slow", "prompt", "fail"])
WAITS = st.one_of(st.integers(0, 400), st.sampled_from([280, 800, 2000, 3000, 3001, 4000, 5000]))
CLIMB: list[str | int] = ["armed", "said", 3000, "said", 3000, "said", 2000]
"""The way up to just before the hang-up; anything may happen from any step of it on."""
LOW: list[str | int] = [
    "tapped", "armed", "hears too low", "voice", 800, "gained", "said", "voice", 2000,
    "said", "voice", 2000, "said", 2000,
]  # fmt: skip
"""The way up the quiet ladder."""
LATE = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 9, 11, 12, 13, 14, 14, 14])
ANYWHERE = st.builds(
    lambda way, climbed, rest: way[:climbed] + rest,
    st.sampled_from([CLIMB, ["tapped", "media", *CLIMB], LOW]),
    LATE,
    st.lists(LIKELY | LIKELY | HEARD | DEAF | SLOW | ODD | WAITS, max_size=30),
)
CHUNKS: list[list[str | int]] = [
    ["deaf", 200, "word"], ["fenced"], ["fenced"], [50], [200], ["sound"], ["click"], ["key"], ["carry out"], ["voice"],
    ["mute"], ["answer"],
]  # fmt: skip
LAST_MOMENTS = st.builds(
    lambda way, slow, chunks: [*(["slow"] if slow else []), *way, *chain.from_iterable(chunks)],
    st.sampled_from([CLIMB, ["tapped", "media", *CLIMB], LOW]),
    st.booleans(),
    st.lists(st.sampled_from(CHUNKS), min_size=1, max_size=6),
)
"""The whole way up, and then what matters between the fence and the act."""
STEPS = ANYWHERE | LAST_MOMENTS


def played(profile: str, steps: list[str | int], *, once: bool = False) -> World:
    """The world after these steps and a long wait; `once` leaves out a second screening of the same channel."""
    world = World(profile)
    for step in steps:
        if isinstance(step, int):
            world.wait(step)
        elif not (once and step == "again"):
            world.do(step)
    world.wait(200_000)
    return world


@settings(max_examples=ORDERS)
@given(steps=STEPS)
def test_nobody_who_was_there_is_hung_up(steps: list[str | int]) -> None:
    assert played("support", steps).engine.live == 0, "a call was never let go"


@settings(max_examples=ORDERS)
@given(steps=STEPS)
def test_nobody_is_held_in_silence(steps: list[str | int]) -> None:
    """Prompts end at once here, so a profile that waits for media only briefly, and for music not at all."""
    world = played("impatient", steps)
    assert world.longest_silence_ms <= LONGEST_SILENCE_MS + SPARE_MS


@settings(max_examples=ORDERS // 8)
@given(steps=STEPS)
def test_observing_never_acts(steps: list[str | int]) -> None:
    world = played("watch", steps, once=True)
    assert world.released == ["observed"]
    assert world.play_id == 0
    assert world.final == 1, "accounted for exactly once"


@settings(max_examples=ORDERS // 8)
@given(steps=STEPS)
def test_each_call_has_exactly_one_final_record(steps: list[str | int]) -> None:
    assert played("support", steps, once=True).final == 1


@settings(max_examples=ORDERS // 8)
@given(before=STEPS, after=STEPS)
def test_a_step_that_fails_hands_its_call_on(before: list[str | int], after: list[str | int]) -> None:
    world = played("support", [*before, "fail", *after], once=True)
    assert world.engine.live == 0
    if world.faults:
        assert world.released[-1:] == ["unavailable"]
        assert world.final == 1


def test_the_way_up_the_quiet_ladder_ends_there() -> None:
    """What the properties are about can be reached."""
    assert played("support", [*LOW, "fenced"]).released == ["quiet"]
    assert played("support", ["tapped", "media", *CLIMB, "fenced"]).released == ["silent"]
    assert played("support", ["tapped", "media", *CLIMB, "deaf", 200, "word", "fenced"]).released == ["unavailable"]
    slowly = ["tapped", "media", *CLIMB, "slow", "fenced"]
    assert played("support", [*slowly, 50, "carry out"]).released == ["silent"]
    assert played("support", [*slowly, 50, "sound", "carry out"]).released == ["unavailable"]
    assert played("support", [*slowly, 101, "carry out"]).released == ["unavailable"]
