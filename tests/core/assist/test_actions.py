"""What agents ask for in a talk: done, or refused with a reason; who may ask, and how often."""

from typing import TypeVar

import pytest

from callflow.core import events
from callflow.core.assist.actions import Action, ActionAnswer, ActionCarried, ActionWanted, Door, Refusal
from callflow.core.assist.commands import (
    AnswerAction,
    AssistCommand,
    Consult,
    EndCall,
    PartCaller,
    PauseAgent,
    SaveWrapUp,
    SetLoudness,
)
from callflow.core.assist.facts import Outcome, TalksSeen
from callflow.core.assist.steps import StepKind
from callflow.core.assist.wrap_up import EndedBy, WrapUp
from callflow.core.profile import Assist, Mode
from callflow.core.rings.talk_events import TalkEnded
from tests.core.assist.world import RULES, Scene, World

T = TypeVar("T", bound=AssistCommand)


@pytest.fixture
def world() -> World:
    return World()


def talking(world: World) -> Scene:
    """Both have spoken, and are silent for a second."""
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    world.wait(300)
    world.speak(scene.caller, 800)
    world.wait(1000)
    return scene


def ask(
    world: World, action: str, *, agent: str = "8001", uniqueid: str = "", call_id: str = ""
) -> ActionAnswer | None:
    """The answer, None while Asterisk has yet to answer."""
    request_id = f"x-{len(world.issued)}"
    world.receive(ActionWanted(request_id, action, Door.HTTP, agent, uniqueid, call_id))
    return answer_to(world, request_id)


def louder(world: World, scene: Scene, times: int) -> None:
    """The agent asks for more, and hears the caller answer, so many times."""
    for _ in range(times):
        ask(world, "louder")
        world.over(scene)
        world.wait(1000)


def answer_to(world: World, request_id: str) -> ActionAnswer | None:
    found = [one.answer for one in of(world, AnswerAction) if one.answer.request_id == request_id]
    assert len(found) <= 1, "a request is answered once"
    return found[0] if found else None


def refused(world: World, action: str, **more: str) -> Refusal | None:
    answer = ask(world, action, **more)
    assert answer is not None
    return answer.refusal


def of(world: World, kind: type[T]) -> list[T]:
    return [command for command in world.issued if isinstance(command, kind)]


def steps(world: World) -> list[tuple[str, str]]:
    return [(step.what, step.outcome) for step in world.steps if step.kind is StepKind.ACTION]


@pytest.mark.parametrize(
    ("action", "prompt"),
    [
        ("speaker", "pick_up_handset"),
        ("repeat", "say_again"),
        ("close:enquiry", "bye_enquiry"),
        ("close:order", "bye_order"),
        ("close:no_order", "bye_no_order"),
    ],
)
def test_a_prompt_is_said_on_the_agents_word(world: World, action: str, prompt: str) -> None:
    scene = talking(world)
    assert refused(world, action) is None
    assert world.said() == [prompt]
    world.over(scene)
    assert steps(world) == [(action, "done")]


def test_louder_goes_up_by_the_step_to_the_limit_and_then_says_so_once(world: World) -> None:
    scene = talking(world)
    louder(world, scene, 5)
    levels = [command.gain_db for command in of(world, SetLoudness)]
    assert levels == [4.0, 8.0, 12.0]
    assert levels[-1] == RULES.louder_most_db
    assert world.said() == ["hear_me_now"] * 3 + ["volume_at_limit"]
    assert [outcome for _, outcome in steps(world)] == ["done"] * 4 + ["at_limit"]
    assert {command.channel for command in of(world, SetLoudness)} == {scene.parties.agent_channel}
    ask(world, "softer")
    assert of(world, SetLoudness)[-1].gain_db == 8.0


def test_the_level_that_is_set_counts_in_a_talk_that_is_found_again(world: World) -> None:
    """AMI was away for a moment; Asterisk has kept the level of the agent's channel, until that ends."""
    scene = talking(world)
    louder(world, scene, 3)
    world.receive(events.LinkLost(world.now, "cut"))
    world.receive(events.LinkUp(world.now))
    world.receive(TalksSeen(world.now, ((scene.parties, frozenset()),)))
    world.wait(200)
    ask(world, "softer")
    assert of(world, SetLoudness)[-1].gain_db == 8.0
    world.receive(TalkEnded(world.now, scene.parties))
    world.receive(events.CallerHungUp(scene.parties.agent_uniqueid, world.now))
    talking(world)
    ask(world, "louder")
    assert of(world, SetLoudness)[-1].gain_db == 4.0


def test_what_asterisk_refuses_is_refused_and_the_level_stays(world: World) -> None:
    talking(world)
    world.asterisk_refuses = True
    assert refused(world, "louder") is Refusal.ASTERISK
    world.asterisk_refuses = False
    ask(world, "louder")
    assert [command.gain_db for command in of(world, SetLoudness)] == [4.0, 4.0]


def test_a_look_up_reassures_without_a_hold_and_thanks_at_its_end(world: World) -> None:
    scene = talking(world)
    assert refused(world, "lookup") is None
    world.over(scene)
    world.wait(20_500)
    world.over(scene)
    assert refused(world, "lookup") is Refusal.ALREADY
    assert refused(world, "back") is None
    world.over(scene)
    assert world.said() == ["one_moment", "still_looking", "thank_you_for_waiting"]
    assert refused(world, "back") is Refusal.NO_LOOKUP


def test_nobody_is_asked_to_go_on_while_the_agent_looks_something_up(world: World) -> None:
    scene = talking(world)
    ask(world, "lookup")
    world.over(scene)
    world.wait(15_000)
    assert world.said() == ["one_moment"]


def test_an_unheard_caller_is_not_on_the_ladder_while_the_agent_looks_something_up(world: World) -> None:
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    world.wait(700)
    ask(world, "lookup")
    world.wait(200)
    world.over(scene)
    world.wait(15_000)
    assert world.said() == ["one_moment"]
    ask(world, "back")
    world.over(scene)
    world.wait(3500)
    assert world.said() == ["one_moment", "thank_you_for_waiting", "can_you_hear"]


@pytest.mark.parametrize("by_info", [False, True])
def test_a_key_accepts_the_call_back_in_a_long_look_up(by_info: bool) -> None:
    world = World(caller_number="+15550100")
    scene = talking(world)
    ask(world, "lookup")
    for _ in range(4):
        world.over(scene)
        world.wait(20_500)
    assert "offer_call_back" in world.said()
    world.press(scene, by_info=by_info)
    assert StepKind.CALLBACK_ACCEPTED in world.kinds()


def test_a_call_back_is_asked_for_once_and_needs_a_number(world: World) -> None:
    talking(world)
    assert refused(world, "callback") is Refusal.NO_NUMBER
    world = World(caller_number="13855550100")
    talking(world)
    assert refused(world, "callback") is None
    assert refused(world, "callback") is Refusal.ALREADY
    asked = [step for step in world.steps if step.kind is StepKind.CALLBACK_ASKED]
    assert [step.caller_number for step in asked] == ["13855550100"]
    assert world.said() == ["call_back_agreed"]


def test_the_supervisor_is_consulted_once_the_caller_was_told(world: World) -> None:
    scene = talking(world)
    assert refused(world, "supervisor") is Refusal.NO_SUPERVISOR
    world = World(supervisor="8009@phones")
    scene = talking(world)
    assert refused(world, "supervisor") is None
    assert world.said() == ["ask_supervisor"]
    assert not of(world, Consult)
    world.over(scene)
    (consult,) = of(world, Consult)
    assert (consult.channel, consult.exten, consult.context) == (scene.parties.agent_channel, "8009", "phones")
    world.hold(scene)
    world.wait(6000)
    assert world.said() == ["ask_supervisor"], "the caller knows why the music plays"
    world.resume(scene)
    world.wait(1000)
    assert world.said() == ["ask_supervisor", "thank_you_for_waiting"]
    world.over(scene)
    world.wait(700)
    assert world.said()[2:] == ["no_supervisor"], "the supervisor has not taken the caller over"
    world.over(scene)
    assert refused(world, "supervisor") is None, "the agent may ask again"


def test_an_agent_who_holds_the_caller_before_the_announcement_consults_all_the_same() -> None:
    """Nothing tells that the transfer has begun: the caller is on hold already."""
    world = World(supervisor="9000@desks", caller_number="+15550100")
    scene = talking(world)
    ask(world, "supervisor")
    world.wait(100)
    world.hold(scene)
    world.over(scene)
    world.wait(9000)
    world.over(scene)
    assert len(of(world, Consult)) == 1
    assert StepKind.CALLBACK_ASKED not in world.kinds()
    world.resume(scene)
    world.wait(700)
    for _ in range(3):
        world.over(scene)
        world.wait(700)
    assert "no_supervisor" in world.said()


def test_without_a_supervisor_the_caller_hears_from_us_and_the_agent_is_told() -> None:
    """Never a flat no."""
    world = World(caller_number="13855550100")
    scene = talking(world)
    assert refused(world, "supervisor") is None
    assert [step.caller_number for step in world.steps if step.kind is StepKind.CALLBACK_ASKED] == ["13855550100"]
    world.over(scene)
    world.wait(1000)
    assert world.said() == ["ask_supervisor", "no_supervisor"]
    assert refused(world, "supervisor") is Refusal.ALREADY
    assert refused(world, "callback") is Refusal.ALREADY
    assert not of(world, Consult)


def test_a_supervisor_of_whom_nothing_can_be_promised_is_refused_and_the_agent_is_told(world: World) -> None:
    talking(world)
    assert refused(world, "supervisor") is Refusal.NO_SUPERVISOR
    assert world.said() == ["no_supervisor"]
    assert StepKind.CALLBACK_ASKED not in world.kinds()


@pytest.mark.parametrize("refuses", [True, False])
def test_a_transfer_that_does_not_begin_becomes_a_call_back(refuses: bool) -> None:
    """Asterisk refuses it, or takes it and nothing follows: the agent's channel may not transfer."""
    world = World(supervisor="8009@phones", caller_number="13855550100")
    scene = talking(world)
    world.asterisk_refuses = refuses
    assert refused(world, "supervisor") is None
    world.over(scene)
    assert of(world, Consult)
    world.wait(700 if refuses else 4900)
    assert (StepKind.CALLBACK_ASKED in world.kinds()) is refuses
    world.wait(1000)
    assert StepKind.CALLBACK_ASKED in world.kinds()
    assert world.said() == ["ask_supervisor", "no_supervisor"]


def test_a_nuisance_is_asked_once_then_parted_and_hung_up_on(world: World) -> None:
    scene = talking(world)
    assert refused(world, "nuisance") is None
    world.wait(100)
    assert world.said() == ["anything_else"]
    world.over(scene)
    world.wait(3300)
    assert len(of(world, PartCaller)) == 1
    world.redirected(scene)
    world.goodbye_spoken(scene)
    world.wait(2100)
    assert len(of(world, EndCall)) == 1
    (hung_up,) = [step for step in world.steps if step.kind is StepKind.HUNG_UP]
    assert hung_up.caller_number == "", "nobody calls a nuisance back"


@pytest.mark.parametrize("when", ["prompt", "listening", "goodbye"])
def test_a_caller_who_answers_is_no_nuisance(world: World, when: str) -> None:
    scene = talking(world)
    ask(world, "nuisance")
    if when != "prompt":
        world.over(scene)
        world.wait(2000)
    if when == "goodbye":
        world.wait(1500)
        world.redirected(scene)
    world.speak(scene.caller, 600)
    world.over(scene)
    world.wait(10_000)
    assert not of(world, EndCall)
    assert bool(of(world, PartCaller)) is (when == "goodbye")


def test_a_caller_who_is_speaking_as_the_agent_calls_it_a_nuisance_is_a_caller(world: World) -> None:
    scene = talking(world)
    world.sound(scene.caller)
    world.wait(1000)
    world.ask(scene, Action.NUISANCE)
    world.wait(500)
    world.quiet(scene.caller)
    world.wait(1000)
    world.over(scene)
    world.wait(10_000)
    assert StepKind.PARTED not in world.kinds()
    assert "anything_else" not in world.said()


def test_a_hold_ends_a_nuisance(world: World) -> None:
    scene = talking(world)
    ask(world, "nuisance")
    world.over(scene, Outcome.REACHED)
    world.hold(scene)
    world.resume(scene)
    world.wait(30_000)
    assert not of(world, PartCaller)


@pytest.mark.parametrize("assist", [Assist.PROMPT, Assist.NOTIFY])
def test_callflow_hangs_up_on_nobody_where_the_profile_does_not_act(assist: Assist) -> None:
    world = World(assist)
    talking(world)
    assert refused(world, "nuisance") is Refusal.OFF


def test_observe_mode_refuses_every_action() -> None:
    world = World(mode=Mode.OBSERVE)
    talking(world)
    answers = {refused(world, action.value) for action in Action if action is not Action.READY}
    assert answers == {Refusal.OBSERVING}


def test_nothing_is_done_for_a_code_that_the_caller_typed(world: World) -> None:
    scene = talking(world)
    for action in Action:
        assert refused(world, action.value, uniqueid=scene.parties.caller_uniqueid) is Refusal.CALLER_TYPED
    assert world.said() == []
    assert not of(world, PauseAgent)
    assert steps(world)[0] == ("louder", "caller_typed")


def test_a_code_of_the_agents_phone_is_the_agents(world: World) -> None:
    scene = talking(world)
    assert refused(world, "repeat", agent="", uniqueid=scene.parties.agent_uniqueid) is None


def test_a_call_that_is_not_the_agents_own_is_refused(world: World) -> None:
    scene = talking(world)
    assert refused(world, "repeat", agent="8002", call_id=scene.parties.call_id) is Refusal.NOT_YOURS
    assert refused(world, "repeat", agent="8002") is Refusal.NO_TALK
    assert refused(world, "repeat", agent="8001", call_id="ended") is Refusal.NO_TALK
    world.receive(ActionWanted("limited", "repeat", Door.HTTP, "8001", queues=("sales",)))
    answer = answer_to(world, "limited")
    assert answer is not None
    assert answer.refusal is Refusal.NOT_YOURS
    assert world.said() == []


def test_an_ended_or_unknown_call_is_refused_and_the_agents_next_talk_is_left_alone(world: World) -> None:
    first = talking(world)
    world.receive(TalkEnded(world.now, first.parties))
    for ended in ({"call_id": first.parties.call_id}, {"uniqueid": first.parties.agent_uniqueid}, {}):
        assert refused(world, "repeat", **ended) is Refusal.NO_TALK
    second = world.scenes[0]
    world.begin(second)
    world.wait(200)
    before = len(world.issued)
    for unknown in ("1.1", "x" * 5000, "\x00"):
        assert refused(world, "repeat", call_id=unknown) is Refusal.NO_TALK
    assert all(isinstance(command, AnswerAction) for command in world.issued[before:])
    assert steps(world) == []


@pytest.mark.parametrize("action", ["", "close:", "close:sold", "LOUDER", "x" * 5000, "\x00"])
def test_what_is_no_action_is_refused(world: World, action: str) -> None:
    talking(world)
    assert refused(world, action) is Refusal.UNKNOWN_ACTION
    assert steps(world) == [("unknown", "unknown_action")]


def test_a_storm_is_refused_written_down_once_and_over_after_a_minute(world: World) -> None:
    talking(world)
    answers = [ask(world, "back") for _ in range(500)]
    reasons = [answer.refusal for answer in answers if answer is not None]
    assert reasons.count(Refusal.TOO_MANY) == 500 - RULES.actions_per_minute
    assert len(steps(world)) == RULES.actions_per_minute + 1
    assert refused(world, "repeat", agent="8002") is Refusal.NO_TALK, "another agent may ask"
    world.wait(60_000)
    assert refused(world, "back") is Refusal.NO_LOOKUP


def test_a_request_on_hold_or_before_the_ears_are_ready_is_refused(world: World) -> None:
    scene = world.scenes[0]
    world.begin(scene)
    assert refused(world, "repeat") is Refusal.NOT_NOW
    scene = talking(World())
    world = World()
    scene = talking(world)
    world.hold(scene)
    assert refused(world, "repeat") is Refusal.NOT_NOW


# -- wrap-up -----------------------------------------------------------------------------------------------------------


def wrap_ups(world: World) -> list[tuple[WrapUp, bool]]:
    return [(command.wrap_up, command.final) for command in of(world, SaveWrapUp)]


def end(world: World, scene: Scene) -> None:
    world.receive(TalkEnded(world.now, scene.parties))


def test_a_wrap_up_lasts_from_the_end_of_the_talk_until_the_agent_is_ready(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    assert [(one.phone, one.paused) for one in of(world, PauseAgent)] == [("PJSIP/x", True)]
    assert world.said() == ["anything_else"]
    world.over(scene)
    ask(world, "close:order")
    world.wait(1000)
    world.over(scene)
    end(world, scene)
    world.wait(42_000)
    ask(world, "ready")
    (asked, _), (begun, _), (ended, final) = wrap_ups(world)
    assert (asked.began_ms, begun.ended_ms, final) == (None, None, True)
    assert (ended.wrap_up_ms, ended.ended_by, ended.outcome) == (42_000, EndedBy.READY, "order")
    assert [one.revision for one, _ in wrap_ups(world)] == [1, 2, 3]
    assert not of(world, PauseAgent)[-1].paused


def test_a_caller_who_wants_nothing_else_is_bidden_goodbye_once(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    world.over(scene)
    world.wait(2900)
    assert world.said() == ["anything_else"]
    world.wait(200)
    assert world.said() == ["anything_else", "welcome_again"]
    world.over(scene)
    world.wait(30_000)
    assert world.said() == ["anything_else", "welcome_again"]


@pytest.mark.parametrize("what", ["caller speaks", "agent speaks", "key", "hold", "other action", "not said"])
def test_nobody_is_bidden_goodbye_once_something_else_comes(world: World, what: str) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    world.over(scene, Outcome.STOPPED if what == "not said" else Outcome.REACHED)
    world.wait(1000)
    match what:
        case "caller speaks" | "agent speaks":
            world.speak(getattr(scene, what.split()[0]), 500)
        case "key":
            world.press(scene)
        case "hold":
            world.hold(scene)
        case "other action":
            ask(world, "close:order")
            world.wait(100)
            world.over(scene)
    world.wait(5000)
    assert "welcome_again" not in world.said()


def test_a_wrap_up_may_be_asked_for_just_after_the_talk(world: World) -> None:
    scene = talking(world)
    end(world, scene)
    world.wait(10_000)
    ask(world, "wrapup")
    assert wrap_ups(world)[-1][0].began_ms == world.now
    assert refused(world, "wrapup") is Refusal.ALREADY
    assert refused(world, "wrapup", agent="8002") is Refusal.NO_TALK


def test_a_wrap_up_that_nobody_ends_ends_by_itself(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    end(world, scene)
    world.wait(round(1000 * RULES.wrap_up_most_s))
    ended, final = wrap_ups(world)[-1]
    assert (ended.ended_by, final) == (EndedBy.TIME, True)
    last = of(world, PauseAgent)[-1]
    assert (last.paused, last.of_itself) == (False, True)
    assert refused(world, "ready") is Refusal.NO_WRAP_UP


def test_a_wrap_up_that_is_asked_for_twice_is_one(world: World) -> None:
    """The second request comes before Asterisk has answered the first."""
    scene = talking(world)
    world.asterisk_answers = False
    assert ask(world, "wrapup") is None
    first = of(world, PauseAgent)[-1].request_id
    assert refused(world, "wrapup") is Refusal.ALREADY
    world.asterisk_answers = True
    world.receive(ActionCarried(first))
    end(world, scene)
    world.wait(1000)
    assert refused(world, "ready") is None
    assert [one.paused for one in of(world, PauseAgent)] == [True, False]
    assert wrap_ups(world)[-1][0].wrap_up_ms == 1000


@pytest.mark.parametrize("late", ["ready twice", "ready as the time is over"])
def test_a_wrap_up_that_is_over_is_not_begun_again(world: World, late: str) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    end(world, scene)
    world.wait(1000 if late == "ready twice" else round(1000 * RULES.wrap_up_most_s) - 10)
    world.asterisk_answers = False
    for _ in range(2 if late == "ready twice" else 1):
        ask(world, "ready")
    if late != "ready twice":
        world.wait(20)
    for pause in of(world, PauseAgent)[1:]:
        world.receive(ActionCarried(pause.request_id))
    world.asterisk_answers = True
    world.wait(400_000)
    assert [final for _, final in wrap_ups(world)].count(True) == 1
    assert wrap_ups(world)[-1][1]
    assert not world.assistant.is_off or world.assistant.next_deadline() is None


@pytest.mark.parametrize("fails", ["the time is over while AMI is away", "Asterisk is not reached"])
def test_an_agent_is_not_left_paused_where_ami_was_away(world: World, fails: str) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    end(world, scene)
    if "while" in fails:
        world.receive(events.LinkLost(world.now, "cut"))
        assert world.assistant.next_deadline() is None
    world.asterisk_refuses = True
    world.wait(round(1000 * RULES.wrap_up_most_s) + 5000)
    assert (len(of(world, PauseAgent)) == 1) is ("while" in fails)
    if "while" not in fails:
        world.receive(events.LinkLost(world.now, "cut"))
    world.asterisk_refuses = False
    world.receive(events.LinkUp(world.now))
    world.receive(TalksSeen(world.now, ()))
    world.wait(1000)
    assert not of(world, PauseAgent)[-1].paused
    ends = len(of(world, PauseAgent))
    world.receive(TalksSeen(world.now, ()))
    assert len(of(world, PauseAgent)) == ends
    assert [final for _, final in wrap_ups(world)].count(True) == 1


def test_the_next_talk_ends_a_wrap_up(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    end(world, scene)
    world.wait(5000)
    world.begin(scene)
    assert wrap_ups(world)[-1][0].ended_by is EndedBy.TALK
    assert not of(world, PauseAgent)[-1].paused


def test_a_wrap_up_waits_through_a_lost_link_for_the_end_of_its_talk(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    world.receive(events.LinkLost(world.now, "cut"))
    assert wrap_ups(world)[-1][0].began_ms is None
    world.wait(3000)
    world.receive(events.LinkUp(world.now))
    world.receive(TalksSeen(world.now, ((scene.parties, frozenset()),)))
    assert wrap_ups(world)[-1][0].began_ms is None
    world.receive(events.LinkLost(world.now, "cut"))
    world.receive(events.LinkUp(world.now))
    world.receive(TalksSeen(world.now, ()))
    assert wrap_ups(world)[-1][0].began_ms == world.now


def test_a_wrap_up_goes_on_after_a_restart(world: World) -> None:
    scene = talking(world)
    ask(world, "wrapup")
    end(world, scene)
    left = wrap_ups(world)[-1][0]
    again = World()
    again.now = world.now + 20_000
    again.assistant.resume([left])
    ask(again, "ready")
    assert wrap_ups(again)[-1][0].wrap_up_ms == 20_000


def test_a_request_that_asterisk_never_answers_is_refused_when_the_link_is_lost(world: World) -> None:
    talking(world)
    world.asterisk_answers = False
    assert ask(world, "louder") is None
    world.receive(events.LinkLost(world.now, "cut"))
    (answer,) = [one.answer for one in of(world, AnswerAction)]
    assert answer.refusal is Refusal.ASTERISK
    world.receive(ActionCarried(answer.request_id))
    assert len(of(world, AnswerAction)) == 1
