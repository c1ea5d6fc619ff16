"""In any order of events: no prompt begins while somebody speaks, no caller who spoke is hung up on, talks stay apart.

Agents ask for every action, and so do callers.

`World` in world.py knows the truth and checks every command. Answers may be late, windows may tell anything, the link
may be lost, and events of the other talk come in between.

`CALLFLOW_ORDERS=100000 python -m pytest tests/core/assist/test_assist_properties.py` tries so many orders.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core import events
from callflow.core.assist.actions import Action
from callflow.core.assist.facts import Outcome, PromptOver, TalksSeen
from callflow.core.heard import Heard
from callflow.core.profile import Assist, Mode
from callflow.core.rings.talk_events import TalkEnded
from tests.core.assist.world import RULES, START_MS, Scene, World

ORDERS = int(os.environ.get("CALLFLOW_ORDERS", "2000"))
pytestmark = pytest.mark.timeout(7200)  # what 100,000 orders take

WAITS_MS = (1, 30, 150, 250, 700, 1500, 3100, 7000, 21_000)
HEARS = (Heard.DIGITAL_SILENCE, Heard.SPEECH, Heard.QUIET, Heard.NOISE, None)
PEOPLE = ("caller", "agent")
ACTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from(WAITS_MS)),
    st.tuples(st.just("wait"), st.sampled_from(WAITS_MS)),
    st.tuples(st.just("sound"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("quiet"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("greets"), st.just("")),
    st.tuples(st.just("over"), st.sampled_from(list(Outcome))),
    st.tuples(st.just("over"), st.just(Outcome.REACHED)),
    st.tuples(st.just("hears"), st.sampled_from(HEARS)),
    st.tuples(st.just("verified"), st.booleans()),
    st.tuples(st.just("answers"), st.booleans()),
    st.tuples(st.just("redirected"), st.booleans()),
    st.tuples(st.just("goodbye"), st.booleans()),
    st.tuples(st.just("climbs"), st.just("")),
    st.tuples(st.just("asks"), st.sampled_from(list(Action))),
    st.tuples(st.just("asks"), st.just(Action.NUISANCE)),
    st.tuples(st.just("caller asks"), st.sampled_from(list(Action))),
    st.tuples(st.just("asterisk refuses"), st.booleans()),
    st.tuples(st.sampled_from(("hold", "resume")), st.sampled_from(PEOPLE)),
    st.tuples(st.just("key"), st.sampled_from(("rtp", "info"))),
    st.tuples(st.just("link"), st.sampled_from(("", "found"))),
    st.tuples(st.sampled_from(("ends", "hangs up", "begins", "deaf", "tap lost", "stray")), st.just("")),
)
ORDER = st.lists(st.tuples(st.integers(0, 1), ACTS), min_size=4, max_size=40)


def act(world: World, scene: Scene, what: str, how: object) -> None:  # noqa: C901 - one line for each act
    talk, caller = scene.talk_id, scene.parties.caller_uniqueid
    match what:
        case "wait":
            world.wait(int(str(how)))
        case "sound":
            world.sound(getattr(scene, str(how)))
        case "quiet":
            world.wait(161)
            world.quiet(getattr(scene, str(how)))
        case "greets":
            world.speak(scene.agent, 600)
        case "over":
            world.over(scene, Outcome(str(how)))
        case "hears":
            scene.hears = how if how is None else Heard(str(how))
        case "verified":
            scene.verified = bool(how)
        case "answers":
            world.answers = bool(how)
            world.answer()
        case "redirected":
            world.redirected(scene, fails=bool(how))
        case "goodbye":
            world.goodbye_spoken(scene, played=bool(how))
        case "climbs":
            climb(world, scene)
        case "asks":
            world.ask(scene, Action(str(how)))
        case "caller asks":
            world.ask(scene, Action(str(how)), by_caller=True)
        case "asterisk refuses":
            world.asterisk_refuses = bool(how)
        case "hold":
            world.hold(scene, by_agent=how == "agent")
        case "resume":
            world.resume(scene, by_agent=how == "agent")
        case "key":
            world.press(scene, by_info=how == "info")
        case "ends":
            scene.held_by.clear()
            world.receive(TalkEnded(world.now, scene.parties))
        case "hangs up":
            scene.held_by.clear()
            world.receive(events.CallerHungUp(caller, world.now))
        case "begins":
            world.begin(scene)
        case "deaf":
            scene.verified = False
            world.receive(events.EarDeafened(f"{talk}/tap"))
        case "tap lost":
            world.receive(events.TapLost(f"{talk}/tap", "gone"))
        case "link":
            world.receive(events.LinkLost(world.now, "cut"))
            world.receive(events.LinkUp(world.now))
            world.receive(events.SoundStarted("z", world.now))
            silent = all(person.sound_from is None for person in scene.people)  # else it is told once an ear is set
            in_talk = not scene.held and scene.parted_after is None and not scene.redirecting
            if how == "found" and silent and in_talk:
                world.receive(TalksSeen(world.now, ((scene.parties, frozenset()),)))
        case "stray":
            world.receive(PromptOver(talk, "callflow-say-unknown", Outcome.REACHED, world.now))
            world.receive(events.EventsFenced(f"{talk}/caller", 1))
            world.receive(events.WindowJudged(f"{talk}/tap", 1, Heard.DIGITAL_SILENCE, verified=True))


def climb(world: World, scene: Scene) -> None:
    """So far as a silent caller comes: asked, and listened to."""
    world.speak(scene.agent, 500)
    world.wait(4000)
    world.over(scene)
    world.wait(3300)
    world.redirected(scene)
    world.goodbye_spoken(scene)


@settings(max_examples=ORDERS)
@given(order=ORDER, assist=st.sampled_from((Assist.ACT, Assist.ACT, Assist.PROMPT, Assist.NOTIFY)), deaf=st.booleans())
def test_no_order_of_events_breaks_a_promise(order: list, assist: Assist, deaf: bool) -> None:  # type: ignore[type-arg]
    run(World(assist, may_go_deaf=deaf, supervisor="8009@phones", caller_number="13855550100"), order)


@settings(max_examples=ORDERS // 10)
@given(order=ORDER)
def test_observe_mode_only_watches(order: list) -> None:  # type: ignore[type-arg]
    run(World(Assist.ACT, Mode.OBSERVE), order)


def run(world: World, order: list) -> None:  # type: ignore[type-arg]
    for scene in world.scenes:
        world.begin(scene)
    for number, (what, how) in order:
        act(world, world.scenes[number], what, how)
    for scene in world.scenes:
        for by_agent in (True, False):
            world.resume(scene, by_agent=by_agent)
        world.receive(events.CallerHungUp(scene.parties.caller_uniqueid, world.now))
    world.wait(round(1000 * RULES.wrap_up_most_s) + 1000)
    assert world.assistant.live == 0
    assert world.assistant.next_deadline() is None
    assert not [name for name in world.assistant.unexpected if name.startswith("fault")]


def test_the_world_is_one_in_which_callflow_does_hang_up() -> None:
    """Otherwise the properties above would say nothing."""
    world = World()
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    climb(world, scene)
    world.wait(2100)
    assert [kind.value for kind in world.kinds()] == ["began", "said", "parted", "hung_up", "ended"]
    assert world.now > START_MS


def test_the_world_is_one_in_which_callflow_hangs_up_on_a_nuisance() -> None:
    """Also on one who pressed a key just before: in the same millisecond."""
    world = World()
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    world.speak(scene.caller, 500)
    world.press(scene)
    world.ask(scene, Action.NUISANCE)
    world.wait(4000)
    world.over(scene)
    world.wait(3300)
    world.redirected(scene)
    world.goodbye_spoken(scene)
    world.wait(2100)
    assert "hung_up" in [kind.value for kind in world.kinds()]
