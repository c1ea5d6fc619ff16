"""Under no order of events is a caller hung up who spoke or pressed a key since the last rung began."""

from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core import commands as do
from callflow.core import events as it
from callflow.core.engine import Engine
from tests.core.driver import START_MS, UNIQUEID, procedures

MIN_SPEECH_MS = 120
SILENCE_MS = 160


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
        self.take(self.engine.receive(it.LinkUp(self.now), self.now))
        self.take(self.engine.receive(it.SoundStarted("x", self.now), self.now))
        arrived = it.CallArrived(UNIQUEID, UNIQUEID, "PJSIP/a", profile, self.now)
        self.take(self.engine.receive(arrived, self.now))

    def take(self, commands: list[do.Command]) -> None:
        for command in commands:
            match command:
                case do.PlayPrompt():
                    self.play_id = command.play_id
                    if command.prompt == "goodbye":
                        self.last_rung_at = self.now
                case do.Release():
                    self.released.append(command.result)
                    if command.result == "silent":
                        self.check_nobody_was_there()
                case do.SaveCall():
                    self.final += command.final

    def check_nobody_was_there(self) -> None:
        assert self.last_rung_at is not None, "hung up before the last rung"
        assert not [at for at in self.signs if at >= self.last_rung_at], "hung up on a caller who was there"
        if self.sound_from is not None:
            assert self.now - self.sound_from < SILENCE_MS + MIN_SPEECH_MS, "hung up in mid-word"
            raise AssertionError("hung up while a sound was not yet judged")

    def event(self, event: it.Event) -> None:
        if isinstance(event, it.KeyPressed):
            self.signs.append(self.now)
        if isinstance(event, it.SoundStarted) and event.uniqueid == UNIQUEID and self.sound_from is None:
            self.sound_from = self.now
        if isinstance(event, it.SoundEnded):
            if event.duration_ms is None or event.duration_ms >= MIN_SPEECH_MS:
                self.signs.append(self.now)
            self.sound_from = None
        if isinstance(event, it.EarArmed):
            self.sound_from = None
        self.take(self.engine.receive(event, self.now))

    def wait(self, ms: int) -> None:
        until = self.now + ms
        while (due := self.engine.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.take(self.engine.expire(self.now))
        self.now = until


def events(world: World) -> dict[str, it.Event]:
    now, call = world.now, UNIQUEID
    return {
        "armed": it.EarArmed(call),
        "ear failed": it.EarFailed(call, "x"),
        "sound": it.SoundStarted(call, now),
        "click": it.SoundEnded(call, now, 20),
        "word": it.SoundEnded(call, now, 400),
        "odd stop": it.SoundEnded(call, now, None),
        "key": it.KeyPressed(call, "1", now),
        "said": it.PromptFinished(call, world.play_id, now),
        "said late": it.PromptFinished(call, world.play_id - 1, now),
        "unsaid": it.PromptFailed(call, world.play_id, now, "x"),
        "fenced": it.EventsFenced(call),
        "unfenced": it.FenceFailed(call, "x"),
        "hung up": it.CallerHungUp(call, now),
        "taken": it.AgiClosed(call, now),
        "lost": it.LinkLost(now, "x"),
        "up": it.LinkUp(now),
        "seen": it.ChannelsSeen(frozenset(), now),
        "other": it.SoundStarted("other", now),
        "again": it.CallArrived(f"{call}-2", call, "PJSIP/a", "support", now),
    }


LIKELY = st.sampled_from(["sound", "click", "word", "key", "said", "fenced"])
ODD = st.sampled_from(list(events(World("support"))))
WAITS = st.one_of(st.integers(0, 400), st.sampled_from([280, 2000, 3000, 3001, 5000]))
CLIMB: list[str | int] = ["armed", "said", 3000, "said", 3000, "said", 2000]
"""The way up to just before the hang-up; anything may happen from any step of it on."""
CLIMBED = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7])
STEPS = st.builds(
    lambda climbed, rest: CLIMB[:climbed] + rest, CLIMBED, st.lists(LIKELY | LIKELY | ODD | WAITS, max_size=30)
)


def played(profile: str, steps: list[str | int], *, once: bool = False) -> World:
    """The world after these steps and a long wait; `once` leaves out a second screening of the same channel."""
    world = World(profile)
    for step in steps:
        if isinstance(step, int):
            world.wait(step)
        elif not (once and step == "again"):
            world.event(events(world)[step])
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
