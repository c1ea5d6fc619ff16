"""A caller whom Asterisk's ear hears, and the profile calls too low: measured once, raised, asked to speak up."""

import pytest

from callflow.core import commands, events
from callflow.core.assist.facts import Outcome
from callflow.core.assist.steps import StepKind
from callflow.core.heard import Heard
from callflow.core.profile import Assist, Mode
from callflow.core.rings.talk_events import TalkEnded
from tests.core.assist.world import Scene, World

LOW_DBOV, CLOSE_DBOV = -42.0, -30.0


def talking(world: World, hears: Heard = Heard.QUIET, low_dbov: float = LOW_DBOV) -> Scene:
    """The agent has greeted, and the caller speaks for 3 s."""
    scene = world.scenes[0]
    scene.hears, scene.low_dbov = hears, low_dbov
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    world.wait(300)
    world.speak(scene.caller, 3000)
    return scene


def gains(world: World) -> list[float]:
    return [command.gain_db for command in world.issued if isinstance(command, commands.SetGain)]


def taps(world: World) -> int:
    return sum(isinstance(command, commands.OpenTap) for command in world.issued)


@pytest.mark.parametrize("assist", [Assist.NOTIFY, Assist.PROMPT, Assist.ACT])
def test_a_low_voice_is_raised_and_nothing_is_said(assist: Assist) -> None:
    world = World(assist)
    scene = talking(world)
    world.wait(500)
    assert gains(world) == [15.0]
    assert not scene.tapped
    for _ in range(5):
        world.speak(scene.caller, 3000)
        world.wait(300)
    assert (gains(world), taps(world), world.said()) == ([15.0], 1, [])


def test_a_normal_voice_is_left_as_it_is_and_its_tap_closed(world: World) -> None:
    scene = talking(world, Heard.SPEECH)
    assert not scene.tapped
    world.speak(scene.caller, 3000)
    assert (gains(world), taps(world)) == ([], 1)
    assert [kind.value for kind in world.kinds()] == ["began", "heard"]


def test_a_voice_that_stays_too_low_is_asked_twice_and_then_the_agent_is_told() -> None:
    world = World(quiet={"max_gain_db": 2.0})
    scene = talking(world)
    for _ in range(3):
        world.wait(1000)
        world.over(scene)
        world.speak(scene.caller, 4000)
    assert gains(world) == [2.0]
    assert world.said() == ["a_little_louder", "still_faint", "caller_is_quiet"]
    assert StepKind.QUIET in world.kinds()
    assert not scene.tapped


def test_a_gain_that_is_refused_is_asked_for_instead(world: World) -> None:
    world.gain_refused = True
    scene = talking(world)
    world.wait(1000)
    assert world.said() == ["a_little_louder"]
    world.over(scene)
    scene.hears = Heard.SPEECH
    world.speak(scene.caller, 3000)
    world.wait(3000)
    assert (world.said(), scene.tapped) == (["a_little_louder"], False)


def test_a_caller_who_speaks_on_through_the_question_is_asked_in_the_next_pauses_then_the_agent_is_told(
    world: World,
) -> None:
    world.gain_refused = True
    scene = talking(world)
    for _ in range(4):
        world.wait(1000)
        world.sound(scene.caller)
        world.wait(300)
        world.over(scene, Outcome.STOPPED)
        world.wait(4000)
        world.quiet(scene.caller)
    assert world.said() == ["a_little_louder"] * 3 + ["caller_is_quiet"]


def test_a_caller_who_comes_closer_is_turned_down_again(world: World) -> None:
    scene = world.scenes[0]
    scene.hears, scene.low_dbov = Heard.QUIET, LOW_DBOV
    world.begin(scene)
    world.wait(200)
    world.sound(scene.caller)
    world.wait(1500)
    assert gains(world) == [15.0]
    scene.low_dbov = CLOSE_DBOV
    world.wait(3000)
    assert gains(world) == [15.0, 4.0]
    assert [step.what for step in world.steps if step.kind is StepKind.GAIN] == ["15 dB", "4 dB"]


@pytest.mark.parametrize("by", ["an earlier agent's talk", "the screening"])
def test_a_gain_that_was_set_before_is_turned_down_for_a_caller_who_is_close(by: str) -> None:
    """It stays on the caller's channel, whoever talks to them."""
    world = World()
    scene = world.scenes[0]
    if by == "the screening":
        world.receive(events.GainSet("screened", scene.parties.caller_uniqueid, 15.0))
        before = 0
    else:
        talking(world)
        world.wait(500)
        world.receive(TalkEnded(world.now, scene.parties))
        before = len(gains(world))
        assert gains(world) == [15.0]
    talking(world, Heard.SPEECH)
    for _ in range(3):
        world.speak(scene.caller, 3000)
        world.wait(1000)
    assert gains(world)[before:] == [0.0]


def test_a_gain_of_the_ladder_is_fitted_once_asterisks_ear_hears_the_caller(world: World) -> None:
    scene = world.scenes[0]
    scene.hears, scene.low_dbov = Heard.QUIET, -51.0
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    world.wait(3500)
    assert gains(world) == [15.0]
    scene.low_dbov = CLOSE_DBOV
    world.speak(scene.caller, 3000)
    assert gains(world) == [15.0, 4.0]


def test_what_the_agents_voice_brought_back_as_an_echo_is_not_measured(world: World) -> None:
    """The caller's phone echoes: while the agent speaks, nothing that comes from there is a level."""
    scene = world.scenes[0]
    scene.hears = Heard.QUIET
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    world.wait(300)
    for _ in range(4):
        world.sound(scene.agent)
        world.wait(200)
        world.sound(scene.caller)
        world.wait(1500)
        world.quiet(scene.agent)
        world.wait(100)
        world.quiet(scene.caller)
    assert gains(world) == []


def test_a_voice_that_asterisks_ear_hears_no_more_is_measured(world: World) -> None:
    """It was heard while that ear was set lower, on the ladder of Asterisk 16."""
    scene = world.scenes[0]
    scene.hears = Heard.QUIET
    world.begin(scene)
    world.wait(200)
    world.speak(scene.caller, 300)
    world.speak(scene.agent, 1500)
    world.wait(3000)
    assert gains(world) == [15.0]


def test_a_tap_in_which_too_little_is_said_is_closed_and_tried_again_a_few_times(world: World) -> None:
    scene = world.scenes[0]
    scene.hears = None
    world.begin(scene)
    world.wait(200)
    for number in range(5):
        world.speak(scene.caller, 300)
        assert scene.tapped == (number < 3)
        world.wait(20_000)
        assert not scene.tapped
    assert taps(world) == 3


def test_a_hold_closes_the_tap_and_the_voice_is_measured_after_it(world: World) -> None:
    scene = world.scenes[0]
    scene.hears = Heard.QUIET
    world.begin(scene)
    world.wait(200)
    world.speak(scene.caller, 300)
    assert scene.tapped
    world.hold(scene)
    assert not scene.tapped
    world.wait(3000)
    world.speak(scene.caller, 1000)
    assert taps(world) == 1
    world.resume(scene)
    world.wait(300)
    world.speak(scene.caller, 2000)
    assert (taps(world), gains(world)) == (2, [15.0])


def test_without_a_tap_nothing_is_measured(world: World) -> None:
    world.taps_open = False
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    for _ in range(5):
        world.sound(scene.caller)
        world.wait(300)
        world.receive(events.TapLost(f"{scene.talk_id}/tap", "no AudioSocket"))
        world.wait(2000)
        world.quiet(scene.caller)
    assert (taps(world), gains(world)) == (3, [])


def test_observe_mode_says_what_it_would_raise() -> None:
    world = World(Assist.ACT, Mode.OBSERVE)
    talking(world)
    (step,) = [step for step in world.steps if step.kind is StepKind.GAIN]
    assert (step.what, step.outcome) == ("15 dB", "would")


def test_a_profile_without_taps_opens_none() -> None:
    world = World(ear="talk_detect")
    talking(world)
    assert taps(world) == 0


@pytest.fixture
def world() -> World:
    return World()
