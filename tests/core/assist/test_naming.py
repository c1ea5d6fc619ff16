"""The name that a caller says who has accepted a call-back: asked for, recorded, and never in the way of the call."""

from collections.abc import Callable

import pytest

from callflow.core import events
from callflow.core.assist.commands import DropName, RecordName, Say, StopRecording
from callflow.core.assist.facts import NameOver, Outcome
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.rings.talk_events import TalkEnded
from tests.core.assist.test_talks import heard, of
from tests.core.assist.world import RULES, Scene, World
from tests.garbage import cycles_left

NUMBER = "+15550100"
ASKS = RULES.model_copy(update={"ask_name": True, "offer_after_s": 10.0})


def accepted(*, ask: bool = True) -> tuple[World, Scene]:
    """A caller on hold has accepted the call-back, and nothing is being said."""
    world = World(caller_number=NUMBER)
    world.assistant.change(ASKS.model_copy(update={"ask_name": ask}))
    scene = heard(world)
    world.wait(700)
    world.hold(scene)
    world.over(scene)
    world.wait(11_000)
    world.over(scene)
    world.press(scene, "1")
    return world, scene


def asked() -> tuple[World, Scene, RecordName]:
    """The caller has heard the question, and is recorded."""
    world, scene = accepted()
    world.wait(700)
    assert world.said()[-1] == "say_your_name"
    world.over(scene)
    (record,) = of(world, RecordName)
    return world, scene, record


def recorded(world: World, record: RecordName, problem: str = "") -> None:
    world.receive(NameOver(record.talk_id, record.name_id, problem))


def last(world: World) -> AssistStep:
    return next(step for step in reversed(world.steps) if step.kind in (StepKind.NAME_RECORDED, StepKind.NO_NAME))


def goes_on(world: World, scene: Scene) -> bool:
    """The caller is told that the call-back stands, and the talk is assisted on."""
    world.wait(5000)
    agreed = world.said()[-1] == "call_back_agreed"
    world.over(scene)
    world.resume(scene)
    world.wait(700)
    return agreed and world.said()[-1] == "thank_you_for_waiting" and StepKind.CALLBACK_ACCEPTED in world.kinds()


def test_a_name_ends_with_the_caller_s_silence() -> None:
    world, scene, record = asked()
    assert (record.longest_s, record.uniqueid) == (5, scene.caller.uniqueid)
    assert NUMBER[1:] not in record.name_id
    world.wait(800)
    world.speak(scene.caller, 900)
    world.wait(1000)
    assert not of(world, StopRecording)
    world.wait(100)
    assert of(world, StopRecording) == [StopRecording(record.name_id)]
    recorded(world, record)
    step = last(world)
    assert (step.kind, step.what, step.caller_number) == (StepKind.NAME_RECORDED, record.name_id, NUMBER)
    taken = next(one for one in world.steps if one.kind is StepKind.CALLBACK_ACCEPTED)
    assert step.lasted_ms == step.at_ms - taken.at_ms
    assert not of(world, DropName)
    assert goes_on(world, scene)


def test_nobody_is_asked_unless_the_site_wants_it() -> None:
    world, scene = accepted(ask=False)
    assert goes_on(world, scene)
    assert not of(world, RecordName)
    assert not RULES.ask_name


def test_a_caller_who_says_nothing_has_no_name() -> None:
    world, scene, record = asked()
    world.wait(4100)
    assert of(world, StopRecording)
    recorded(world, record)
    assert (last(world).kind, last(world).caller_number) == (StepKind.NO_NAME, "")
    assert of(world, DropName) == [DropName(record.name_id)]
    assert goes_on(world, scene)


def test_a_caller_who_speaks_too_early_is_asked_once_more_and_never_recorded_unasked() -> None:
    world, scene = accepted()
    for _ in range(2):
        world.wait(1000)
        world.speak(scene.caller, 500)
        world.over(scene, Outcome.STOPPED)
    assert world.said().count("say_your_name") == 2
    assert not of(world, RecordName)
    assert last(world).kind is StepKind.NO_NAME
    assert goes_on(world, scene)


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.NOT_ATTACHED])
def test_a_caller_who_may_not_have_heard_the_question_is_not_recorded(outcome: Outcome) -> None:
    world, scene = accepted()
    world.wait(700)
    world.over(scene, outcome)
    assert not of(world, RecordName)
    assert goes_on(world, scene)


@pytest.mark.parametrize("problem", ["Asterisk has recorded nothing", "callflow cannot write to /var/spool/callflow"])
def test_a_recording_that_fails_costs_the_name_alone(problem: str) -> None:
    world, scene, record = asked()
    world.wait(300)
    recorded(world, record, problem)
    assert (last(world).kind, last(world).why) == (StepKind.NO_NAME, problem)
    assert goes_on(world, scene)


def test_a_recording_of_whose_end_nothing_is_heard_is_given_up() -> None:
    world, scene, record = asked()
    world.wait(8100)
    assert last(world).kind is StepKind.NO_NAME
    recorded(world, record)
    assert goes_on(world, scene)


def test_a_key_ends_the_name() -> None:
    world, scene, record = asked()
    world.wait(500)
    world.speak(scene.caller, 500)
    world.press(scene, "#")
    assert of(world, StopRecording)
    recorded(world, record)
    assert last(world).kind is StepKind.NAME_RECORDED
    assert goes_on(world, scene)


def test_the_pound_key_skips_the_question_and_a_second_1_does_not() -> None:
    world, scene = accepted()
    world.wait(700)
    world.press(scene, "1")
    assert StepKind.NO_NAME not in world.kinds()
    world.press(scene, "#")
    assert last(world).kind is StepKind.NO_NAME
    world.over(scene, Outcome.STOPPED)
    assert goes_on(world, scene)
    assert not of(world, RecordName)


def ends(world: World, scene: Scene) -> None:
    world.receive(TalkEnded(world.now, scene.parties))


def hangs_up(world: World, scene: Scene) -> None:
    world.receive(events.CallerHungUp(scene.caller.uniqueid, world.now))


def link_lost(world: World, scene: Scene) -> None:
    world.receive(events.LinkLost(world.now, "cut"))


def taken_back(world: World, scene: Scene) -> None:
    world.resume(scene)


@pytest.mark.parametrize("end", [ends, hangs_up, link_lost, taken_back])
@pytest.mark.parametrize("speaks", [True, False])
def test_what_was_said_before_the_caller_is_gone_is_the_name(end: Callable[[World, Scene], None], speaks: bool) -> None:
    world, scene, record = asked()
    if speaks:
        world.speak(scene.caller, 600)
    end(world, scene)
    assert of(world, StopRecording) == [StopRecording(record.name_id)]
    assert last(world).kind is (StepKind.NAME_RECORDED if speaks else StepKind.NO_NAME)
    assert bool(of(world, DropName)) is not speaks
    recorded(world, record)
    assert len([step for step in world.steps if step.kind in (StepKind.NAME_RECORDED, StepKind.NO_NAME)]) == 1


def test_nothing_else_is_said_while_the_name_is() -> None:
    world, scene, _ = asked()
    count = len(of(world, Say))
    world.speak(scene.caller, 4500)
    assert len(of(world, Say)) == count


def test_a_talk_that_is_over_is_freed_at_once() -> None:
    with cycles_left() as found:
        world, scene, record = asked()
        recorded(world, record)
        assert goes_on(world, scene)
        world.receive(TalkEnded(world.now, scene.parties))
        assert world.assistant.live == 0
    assert not found
