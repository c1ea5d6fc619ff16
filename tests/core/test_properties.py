"""Under no order of events is a caller hung up who spoke or pressed a key since the last rung began.

With the tap live there is one way more to be hung up: a voice too low, to the end of the quiet ladder. Then nobody may
be there whom the tap could plainly understand, with our gain counted in. A sound that only Asterisk's ear took for
speech counts unless the tap explained it as noise or a tone.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core import commands, events
from callflow.core.heard import Heard
from callflow.core.screening.engine import Engine
from callflow.core.screening.weighing import LOOK_MARGIN_DB
from tests.core.driver import START_MS, UNIQUEID, procedures

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
    "hears no more": (None, 0),
}
VOICES = (Heard.SPEECH, Heard.QUIET)


class World:
    """Feeds the core with any events in any order and remembers what the caller really did."""

    def __init__(self, profile: str) -> None:
        self.engine = Engine(procedures())
        self.now = START_MS
        self.play_id = 0
        self.last_rung_at: int | None = None
        self.sound_from: int | None = None
        self.signs: list[int] = []
        self.released: list[str] = []
        self.final = 0
        self.armed = False
        self.tapped = False
        self.hears = "hears nothing"
        self.gain_db = 0.0
        self.answers = True
        self.asked: list[events.Event] = []
        self.deaf_since: int | None = None
        """Asterisk has gone deaf: what the caller says reaches nobody."""
        self.take(self.engine.receive(events.LinkUp(self.now), self.now))
        self.take(self.engine.receive(events.SoundStarted("x", self.now), self.now))
        arrived = events.CallArrived(UNIQUEID, UNIQUEID, "PJSIP/a", profile, self.now)
        self.take(self.engine.receive(arrived, self.now))

    def take(self, issued: list[commands.Command]) -> None:
        for command in issued:
            match command:
                case commands.PlayPrompt():
                    self.play_id = command.play_id
                    if command.prompt in LAST_RUNGS:
                        self.last_rung_at = self.now
                case commands.ArmEar():
                    self.sound_from = None
                case commands.JudgeWindow():
                    self.asked.append(self.finding(command))
                case commands.SetGain():
                    self.gain_db = command.gain_db
                case commands.Release():
                    self.released.append(command.result)
                    if command.result in ("silent", "quiet"):
                        self.check_nobody_was_there()
                    if command.result == "quiet":
                        assert self.tapped, "hung up a low voice that nobody could hear any more"
                case commands.SaveCall():
                    self.final += command.final
        if self.answers:
            asked, self.asked = self.asked, []
            for answer in asked:
                self.take(self.engine.receive(answer, self.now))

    def finding(self, command: commands.JudgeWindow) -> events.WindowJudged:
        """What the tap says: the truth; without a tap nothing. From then on the core can know of a clear voice."""
        if self.clear:
            self.signs.append(self.now)
        heard, level = HEARS[self.hears] if self.tapped and self.deaf_since is None else (None, 0.0)
        if heard in VOICES:
            return events.WindowJudged(UNIQUEID, command.ask_id, heard, level, -80, verified=True)
        verified = self.deaf_since is None
        return events.WindowJudged(UNIQUEID, command.ask_id, heard, None, level, "", heard_ms=1000, verified=verified)

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
        self.take(self.engine.receive(event, self.now))

    def wait(self, ms: int) -> None:
        until = self.now + ms
        while (due := self.engine.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
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
        elif step in ("mute", "answer"):
            self.answers = step == "answer"
            self.take([])
        else:
            self.event(received(self)[step])


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
        "fenced": events.EventsFenced(call),
        "unfenced": events.FenceFailed(call, "x"),
        "tapped": events.TapOpened(call),
        "untapped": events.TapLost(call, "x"),
        "media": events.MediaBegan(call, now),
        "voice": events.VoiceBegan(call, now),
        "gained": events.GainSet(call, world.gain_db),
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
DEAF = st.sampled_from(["deaf", "deaf", "word", "hears again"])
HEARD = st.sampled_from([*HEARS, "voice", "voice", "word", "said", "fenced", "gained", "tapped"])
ODD = st.sampled_from([*received(World("support")), *HEARS, "mute", "answer"])
WAITS = st.one_of(st.integers(0, 400), st.sampled_from([280, 800, 2000, 3000, 3001, 4000, 5000]))
CLIMB: list[str | int] = ["armed", "said", 3000, "said", 3000, "said", 2000]
"""The way up to just before the hang-up; anything may happen from any step of it on."""
LOW: list[str | int] = [
    "tapped", "armed", "hears too low", "voice", 800, "gained", "said", "voice", 2000,
    "said", "voice", 2000, "said", 2000,
]  # fmt: skip
"""The way up the quiet ladder."""
LATE = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 9, 11, 12, 13, 14, 14, 14])
STEPS = st.builds(
    lambda way, climbed, rest: way[:climbed] + rest,
    st.sampled_from([CLIMB, ["tapped", "media", *CLIMB], LOW]),
    LATE,
    st.lists(LIKELY | LIKELY | HEARD | DEAF | ODD | WAITS, max_size=30),
)


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


@settings(max_examples=3000, deadline=None)
@given(steps=STEPS)
def test_nobody_who_was_there_is_hung_up(steps: list[str | int]) -> None:
    assert played("support", steps).engine.live == 0, "a call was never let go"


@settings(max_examples=400, deadline=None)
@given(steps=STEPS)
def test_observing_never_acts(steps: list[str | int]) -> None:
    world = played("watch", steps, once=True)
    assert world.released == ["observed"]
    assert world.play_id == 0
    assert world.final == 1, "accounted for exactly once"


@settings(max_examples=400, deadline=None)
@given(steps=STEPS)
def test_each_call_has_exactly_one_final_record(steps: list[str | int]) -> None:
    assert played("support", steps, once=True).final == 1


def test_the_way_up_the_quiet_ladder_ends_there() -> None:
    """What the properties are about can be reached."""
    assert played("support", [*LOW, "fenced"]).released == ["quiet"]
    assert played("support", ["tapped", "media", *CLIMB, "fenced"]).released == ["silent"]
    assert played("support", ["tapped", "media", *CLIMB, "deaf", 200, "word", "fenced"]).released == ["unavailable"]
