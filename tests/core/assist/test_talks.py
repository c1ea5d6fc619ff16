"""What assistance does in a talk, step by step, with a virtual clock."""

import dataclasses
from typing import TypeVar

import pytest

from callflow.core import commands, events
from callflow.core.assist.actions import Action
from callflow.core.assist.commands import EndCall, PartCaller, ReturnCaller, Say, StopSaying
from callflow.core.assist.facts import Outcome, TalksSeen
from callflow.core.assist.states import State
from callflow.core.assist.steps import StepKind
from callflow.core.heard import Heard
from callflow.core.profile import Assist, Mode, Profile
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkEnded, TalkResumed
from tests.core.assist.world import RULES, Scene, World, procedures

T = TypeVar("T")


@pytest.fixture
def world() -> World:
    return World()


def greeted(world: World) -> Scene:
    """The agent has greeted and is silent, the caller has not been heard."""
    scene = world.scenes[0]
    world.begin(scene)
    world.wait(200)
    world.speak(scene.agent, 800)
    return scene


def heard(world: World) -> Scene:
    """Both have spoken; the caller last."""
    scene = greeted(world)
    world.wait(300)
    world.speak(scene.caller, 800)
    return scene


def held(world: World, prompts: int) -> Scene:
    """The caller is on hold, for as long as so many prompts take."""
    scene = heard(world)
    world.wait(700)
    world.hold(scene)
    for _ in range(prompts):
        world.over(scene)
        world.wait(10_500)
    return scene


def of(world: World, kind: type[T]) -> list[T]:
    return [command for command in world.issued if isinstance(command, kind)]


def parted(world: World) -> Scene:
    """The silent caller hears the goodbye."""
    scene = asked_and_silent(world)
    world.redirected(scene)
    return scene


def asked_and_silent(world: World) -> Scene:
    """The caller was asked in vain, and is redirected."""
    scene = greeted(world)
    world.wait(3500)
    world.over(scene)
    world.wait(3200)
    return scene


def test_a_silent_caller_is_asked_parted_and_hung_up_on(world: World) -> None:
    scene = parted(world)
    world.goodbye_spoken(scene)
    world.wait(1900)
    assert not of(world, EndCall)
    world.wait(200)
    assert len(of(world, EndCall)) == 1
    assert world.said() == ["can_you_hear"]


def test_the_fence_comes_before_the_redirect(world: World) -> None:
    scene = greeted(world)
    world.answers = False
    world.wait(3500)
    world.answer()
    world.over(scene)
    world.wait(3100)
    world.answer()
    assert of(world, commands.FenceEvents)
    assert not of(world, PartCaller)
    world.sound(scene.caller)
    world.answer()
    world.wait(300)
    assert not of(world, PartCaller)
    assert StepKind.HEARD in world.kinds()


@pytest.mark.parametrize("when_ms", [100, 1900])
def test_a_caller_who_speaks_after_the_redirect_returns(world: World, when_ms: int) -> None:
    scene = parted(world)
    world.goodbye_spoken(scene)
    world.wait(when_ms)
    world.speak(scene.caller, 500)
    world.wait(10_000)
    assert len(of(world, ReturnCaller)) == 1
    assert not of(world, EndCall)


@pytest.mark.parametrize("by_info", [False, True])
@pytest.mark.parametrize("when", ["in the goodbye", "in the pause"])
def test_a_caller_who_presses_a_key_after_the_redirect_returns(world: World, when: str, by_info: bool) -> None:
    """Of a key that is sent by SIP INFO, Asterisk tells only the end."""
    scene = parted(world)
    if when == "in the pause":
        world.goodbye_spoken(scene)
    world.wait(1000)
    world.press(scene, by_info=by_info)
    world.wait(5000)
    assert len(of(world, ReturnCaller)) == 1
    assert not of(world, EndCall)


@pytest.mark.parametrize("by_info", [False, True])
def test_a_key_counts_once(world: World, by_info: bool) -> None:
    """Its release is not another one."""
    scene = greeted(world)
    world.press(scene, "5", by_info=by_info)
    world.press(scene, "5", by_info=by_info)
    assert [step.why for step in world.steps if step.kind is StepKind.HEARD] == ["the caller presses 5"]
    assert state_of(world) is State.TALKING


def test_a_returned_caller_keeps_the_profile_of_the_queue_at_an_agent_who_is_dialled(world: World) -> None:
    profiles = {"default": Profile(), "support": Profile(assist=Assist.ACT)}
    world.receive(events.ProceduresChanged(procedures().model_copy(update={"profiles": profiles})))
    scene = parted(world)
    world.goodbye_spoken(scene)
    world.speak(scene.caller, 500)
    assert of(world, ReturnCaller)
    scene.parties = dataclasses.replace(scene.parties, queue="")
    world.begin(scene)
    assert [(step.profile, step.mode) for step in world.steps if step.kind is StepKind.BEGAN] == [
        ("support", "act")
    ] * 2


def test_a_caller_who_speaks_during_the_redirect_returns_once_it_is_done(world: World) -> None:
    scene = greeted(world)
    world.wait(3500)
    world.over(scene)
    world.wait(3200)
    world.speak(scene.caller, 500)
    assert not of(world, ReturnCaller)
    world.redirected(scene)
    assert len(of(world, ReturnCaller)) == 1


@pytest.mark.parametrize("before_the_answer", [False, True])
def test_a_caller_who_could_hear_no_goodbye_returns_and_the_next_is_not_parted(
    world: World, before_the_answer: bool
) -> None:
    scene = parted(world) if not before_the_answer else asked_and_silent(world)
    world.goodbye_spoken(scene, played=False)
    world.redirected(scene)
    assert (len(of(world, PartCaller)), len(of(world, ReturnCaller))) == (1, 1)
    for parted_times in (1, 2):
        world.begin(scene)
        asked_and_silent(world)
        world.wait(10_000)
        assert (len(of(world, PartCaller)), len(of(world, EndCall))) == (parted_times, 0)
        world.receive(events.ProceduresChanged(procedures()))  # by then the recording may be there


def test_a_redirect_that_fails_leaves_the_talk_as_it_was(world: World) -> None:
    scene = greeted(world)
    world.wait(3500)
    world.over(scene)
    world.wait(3200)
    world.redirected(scene, fails=True)
    world.wait(3000)
    assert world.said() == ["can_you_hear", "caller_is_silent"]
    assert not of(world, EndCall)


def test_a_question_that_may_not_have_been_heard_is_no_ground_for_a_goodbye(world: World) -> None:
    scene = greeted(world)
    world.wait(3500)
    world.over(scene, Outcome.UNKNOWN)
    world.wait(10_000)
    assert not of(world, PartCaller)
    assert StepKind.DOUBT in world.kinds()


def test_without_evidence_the_agent_is_told_instead(world: World) -> None:
    scene = greeted(world)
    scene.verified = False
    world.wait(3500)
    world.over(scene)
    world.wait(10_000)
    assert not of(world, PartCaller)
    assert world.said() == ["can_you_hear", "caller_is_silent"]


def test_the_agent_who_speaks_stops_the_prompt_and_it_is_said_again(world: World) -> None:
    scene = greeted(world)
    world.wait(3500)
    began = world.now
    world.sound(scene.agent)
    world.wait(250)
    assert of(world, StopSaying)
    assert world.now - began < 300
    world.over(scene, Outcome.STOPPED)
    world.wait(500)
    world.quiet(scene.agent)
    world.wait(4000)
    assert world.said() == ["can_you_hear", "can_you_hear"]


def test_a_low_voice_is_raised_before_anything_is_said(world: World) -> None:
    scene = greeted(world)
    scene.hears = Heard.QUIET
    world.wait(3500)
    (gain,) = of(world, commands.SetGain)
    assert isinstance(gain, commands.SetGain)
    assert gain.channel == scene.parties.caller_channel
    assert world.said() == []
    assert world.kinds()[-2:] == [StepKind.GAIN, StepKind.HEARD]


def test_a_voice_that_stays_too_low_is_raised_first_and_then_asked(world: World) -> None:
    scene = greeted(world)
    scene.hears, scene.low_dbov = Heard.QUIET, -58.0
    world.wait(3500)
    assert len(of(world, commands.SetGain)) == 1
    world.wait(1000)
    assert (world.said(), world.kinds()[-1]) == (["a_little_louder"], StepKind.GAIN)


def test_a_site_s_own_recording_is_said_in_place_of_a_prompt() -> None:
    world = World(prompts={"can_you_hear": "our_question"})
    greeted(world)
    world.wait(3500)
    assert world.said() == ["our_question"]


@pytest.mark.parametrize(("assist", "to"), [(Assist.NOTIFY, "agent"), (Assist.PROMPT, "caller")])
def test_whom_callflow_speaks_to_is_the_profiles(assist: Assist, to: str) -> None:
    world = World(assist)
    scene = greeted(world)
    world.wait(3800)
    (say,) = of(world, Say)
    assert isinstance(say, Say)
    assert say.uniqueid == getattr(scene.parties, f"{to}_uniqueid")


def test_an_agent_who_wants_to_hear_the_questions_hears_each_after_the_caller(world: World) -> None:
    world.assistant.change(RULES.model_copy(update={"agent_hears": True}))
    scene = greeted(world)
    world.wait(3500)
    assert [(say.prompt, say.to_agent) for say in of(world, Say)] == [("can_you_hear", False)]
    world.over(scene)
    assert [(say.prompt, say.to_agent) for say in of(world, Say)] == [("can_you_hear", False), ("can_you_hear", True)]


def test_a_click_is_nobody(world: World) -> None:
    scene = greeted(world)
    world.wait(1000)
    world.sound(scene.caller)
    world.wait(170)
    world.quiet(scene.caller)
    world.wait(3000)
    assert world.said() == ["can_you_hear"]
    assert StepKind.HEARD not in world.kinds()


def test_the_tap_of_the_ladder_is_opened_after_a_second_and_closed_with_it(world: World) -> None:
    scene = greeted(world)
    world.wait(700)
    assert not of(world, commands.OpenTap)
    world.wait(500)
    assert len(of(world, commands.OpenTap)) == 1
    world.speak(scene.agent, 500)
    assert scene.tapped
    world.wait(1500)
    assert len(of(world, commands.OpenTap)) == 1
    world.hold(scene)
    assert not scene.tapped


def test_without_a_tap_a_low_sound_counts_as_the_caller(world: World) -> None:
    scene = greeted(world)
    world.wait(1100)
    world.receive(events.TapLost(f"{scene.talk_id}/tap", "no AudioSocket"))
    armed = [one.threshold for one in of(world, commands.ArmEar) if isinstance(one, commands.ArmEar)]
    assert armed == [256, 256, 60]
    world.speak(scene.caller, 300)
    armed = [one.threshold for one in of(world, commands.ArmEar) if isinstance(one, commands.ArmEar)]
    assert armed[3:] == [256]


def test_with_some_of_the_audio_a_low_sound_counts_as_the_caller_too(world: World) -> None:
    """Asterisk 16 leaves out frames of a tap: it must not be the only ear for a low voice."""
    world.taps_open = False
    scene = greeted(world)
    world.wait(1100)
    world.receive(events.TapOpened(f"{scene.talk_id}/tap", is_whole=False))
    armed = [one.threshold for one in of(world, commands.ArmEar) if isinstance(one, commands.ArmEar)]
    assert armed == [256, 256, 60]
    assert scene.tapped
    world.speak(scene.caller, 300)
    assert StepKind.HEARD in world.kinds()
    armed = [one.threshold for one in of(world, commands.ArmEar) if isinstance(one, commands.ArmEar)]
    assert armed[3:] == [256]


@pytest.mark.parametrize("lost_after_ms", [1900, 4100, None])
def test_a_caller_whom_nobody_could_hear_yet_is_listened_to_for_longer(world: World, lost_after_ms: int | None) -> None:
    """Asterisk 16 has no tap, which is known only after a while, or never told."""
    world.taps_open = False
    scene = greeted(world)
    world.wait(1000)
    if lost_after_ms is None:
        world.wait(4000)
    else:
        world.wait(lost_after_ms)
        world.receive(events.TapLost(f"{scene.talk_id}/tap", "no AudioSocket"))
        world.wait(1300)
    assert world.said() == []
    world.wait(1000)
    assert world.said() == ["can_you_hear"]


def test_a_caller_who_stopped_is_asked_to_go_on_once(world: World) -> None:
    scene = heard(world)
    world.wait(5800)
    assert world.said() == []
    world.wait(300)
    assert world.said() == ["please_go_on"]
    world.over(scene)
    world.wait(20_000)
    assert world.said() == ["please_go_on"]


def test_a_caller_who_only_listens_is_asked_in_a_pause_of_the_agents(world: World) -> None:
    scene = heard(world)
    world.wait(500)
    world.sound(scene.agent)
    world.wait(9000)
    assert world.said() == []
    world.quiet(scene.agent)
    world.wait(700)
    assert world.said() == ["still_hear_me"]


def test_an_agent_without_a_pause_is_not_talked_over(world: World) -> None:
    scene = heard(world)
    world.sound(scene.agent)
    world.wait(40_000)
    assert world.said() == []
    said = [step for step in world.steps if step.kind is StepKind.SAID]
    assert {step.outcome for step in said} == {"dropped"}
    assert len(said) == 2  # most_asked


def test_a_hold_is_spoken_into() -> None:
    world = World(caller_number="+15550100")
    scene = held(world, 6)
    assert world.said() == ["one_moment", "still_looking", "still_looking_again", "offer_call_back"]
    world.press(scene)
    world.over(scene)
    assert StepKind.CALLBACK_ACCEPTED in world.kinds()
    world.wait(700)
    world.over(scene)
    world.wait(60_000)
    world.resume(scene)
    world.wait(700)
    assert world.said()[4:] == ["call_back_agreed", "thank_you_for_waiting"]
    assert all(say.over_music for say in of(world, Say)[:5] if isinstance(say, Say))


def test_a_caller_who_cannot_be_called_back_is_offered_nothing(world: World) -> None:
    scene = held(world, 10)
    assert set(world.said()) == {"one_moment", "still_looking", "still_looking_again"}
    world.press(scene)
    assert StepKind.CALLBACK_ACCEPTED not in world.kinds()


def test_the_key_alone_accepts_nothing() -> None:
    world = World(caller_number="+15550100")
    scene = heard(world)
    world.hold(scene)
    world.wait(5000)
    world.press(scene)
    assert StepKind.CALLBACK_ACCEPTED not in world.kinds()


def test_nothing_is_attached_in_a_hold_that_begins_before_an_ear_is_set() -> None:
    """Neither ears nor prompts: the bridge is native."""
    world = World(caller_number="+15550100")
    scene, world.answers = world.scenes[0], False
    world.begin(scene)
    world.hold(scene)
    world.answer()
    world.wait(70_000)
    world.ask(scene, Action.CALLBACK)
    world.wait(5000)
    assert not of(world, commands.ArmEar)
    assert world.said() == []
    assert [step.outcome for step in world.steps if step.kind is StepKind.SAID] == ["not_attached"] * 2
    assert StepKind.CALLBACK_OFFERED not in world.kinds()
    world.answers = True
    world.resume(scene)
    world.wait(200)
    assert len(of(world, commands.ArmEar)) == 2
    world.wait(700)
    assert world.said() == ["thank_you_for_waiting"]


def test_a_hold_that_crosses_the_first_ear_is_left_alone_and_the_doubt_is_told(world: World) -> None:
    scene, world.ears_answer = world.scenes[0], False
    world.begin(scene)
    world.hold(scene)
    assert (StepKind.DOUBT, "music") in [(step.kind, step.what) for step in world.steps]
    world.receive(events.EarArmed(f"{scene.talk_id}/agent"))
    world.wait(5000)
    assert len(of(world, commands.ArmEar)) == 1
    assert world.said() == []
    world.ears_answer = True
    world.resume(scene)
    world.wait(1000)
    assert len(of(world, commands.ArmEar)) == 2
    assert world.said() == ["thank_you_for_waiting"]


@pytest.mark.parametrize("ms", range(0, 400, 10))
@pytest.mark.parametrize("used", [False, True], ids=["new channel", "used channel"])
def test_once_one_ear_is_set_any_hold_is_spoken_into(world: World, ms: int, used: bool) -> None:
    """Also while the hooks of the caller, or of an agent whose channel was in a talk before, are off."""
    scene = world.scenes[0]
    if used:
        world.begin(scene)
        world.receive(TalkEnded(world.now, scene.parties))
    world.begin(scene)
    world.wait(ms)
    world.hold(scene)
    world.wait(1100)
    assert world.said() == ["one_moment"]
    assert scene.hooked == set(scene.channels)


def test_no_hook_is_taken_off_before_the_other_ear_is_set(world: World) -> None:
    """And only an agent's channel that was in a talk before, or was found in one, is without a hook for a moment."""
    scene = world.scenes[0]
    for place, renewed in enumerate((["c"], ["c", "a"])):
        before = len(world.issued)
        world.begin(scene)
        world.wait(1000)
        ears = [one for one in world.issued[before:] if isinstance(one, commands.ArmEar | commands.StopListening)]
        told = [(type(one).__name__, one.channel[-1]) for one in ears if not one.call_id.endswith("/tap")]
        off = [place for place, (kind, _) in enumerate(told) if kind == "StopListening"]
        assert told[0] == ("ArmEar", "a"), place
        assert [told[place][1] for place in off] == renewed
        assert all(told[place + 1] == ("ArmEar", told[place][1]) for place in off)
        world.receive(TalkEnded(world.now, scene.parties))


def test_talks_that_are_found_are_taken_up_and_those_known_left_alone(world: World) -> None:
    known, found = world.scenes
    world.begin(known)
    world.receive(TalksSeen(world.now, ((known.parties, frozenset()), (found.parties, frozenset()))))
    assert world.assistant.live == 2
    assert world.kinds() == [StepKind.BEGAN, StepKind.BEGAN]


@pytest.mark.parametrize("nuisance", [False, True])
def test_a_silent_caller_of_a_talk_that_was_found_is_parted_only_on_the_agents_word(
    world: World, nuisance: bool
) -> None:
    """Whether the caller was heard before, nobody knows."""
    scene = world.scenes[0]
    world.receive(TalksSeen(world.now, ((scene.parties, frozenset()),)))
    world.wait(200)
    world.speak(scene.agent, 800)
    if nuisance:
        world.ask(scene, Action.NUISANCE)
    for _ in range(3):
        world.wait(4000)
        world.over(scene)
    assert len(of(world, PartCaller)) == nuisance
    assert (StepKind.DOUBT in world.kinds()) is not nuisance
    assert world.said()[0] == ("anything_else" if nuisance else "can_you_hear")


def test_a_talk_that_begins_twice_in_one_millisecond_has_two_names(world: World) -> None:
    """Asterisk 22 tells so of some attended transfers."""
    scene = world.scenes[0]
    world.begin(scene)
    world.receive(TalkEnded(world.now, scene.parties))
    world.begin(scene)
    ids = [step.step_id for step in world.steps]
    assert (len(ids), len(set(ids))) == (3, 3)


def test_observe_mode_says_what_it_would_do() -> None:
    world = World(Assist.ACT, Mode.OBSERVE)
    greeted(world)
    world.wait(20_000)
    assert StepKind.WOULD_HANG_UP in world.kinds()
    assert [step.outcome for step in world.steps if step.kind is StepKind.SAID] == ["would", "would"]


def test_a_fault_in_one_talk_is_none_of_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = world.scenes
    world.begin(whole)
    world.begin(broken)
    world.wait(200)
    talk = world.assistant._by_uniqueid[broken.parties.caller_uniqueid]
    monkeypatch.setattr(talk, "voices", None)
    issued = world.assistant.receive(events.SoundStarted(broken.agent.uniqueid, world.now), world.now)
    assert isinstance(issued[0], commands.LogFault)
    assert world.assistant.live == 1
    world.speak(whole.agent, 500)
    world.wait(4000)
    assert world.said() == ["can_you_hear"]


def test_the_loss_of_ami_leaves_every_talk_alone(world: World) -> None:
    greeted(world)
    world.wait(3500)
    world.receive(events.LinkLost(world.now, "cut"))
    assert world.assistant.live == 0
    assert not of(world, PartCaller)


@pytest.mark.parametrize("who", ["agent", "caller"])
def test_a_phone_that_stops_sending_in_a_word_is_not_heard_for_ever(world: World, who: str) -> None:
    """Asterisk tells no end of that sound."""
    scene = heard(world)
    person = getattr(scene, who)
    world.sound(person)
    world.wait(10_000)
    person.sound_from, person.silent_since = None, world.now  # the packets stop, and nothing is told
    world.wait(15_000)
    assert of(world, Say), "the talk has a pause again"


def test_a_sound_that_goes_on_for_ever_is_told_again(world: World) -> None:
    scene = heard(world)
    world.sound(scene.agent)
    world.wait(60_000)
    assert not of(world, Say)


AGENT, CALLER = True, False


def state_of(world: World) -> State:
    (talk,) = world.assistant._talks.values()
    return talk.case.state


@pytest.mark.parametrize("first", [AGENT, CALLER], ids=["agent first", "caller first"])
@pytest.mark.parametrize("back", [AGENT, CALLER], ids=["agent back first", "caller back first"])
def test_a_talk_is_on_hold_until_neither_party_holds(world: World, first: bool, back: bool) -> None:
    """Nothing is said while the caller is away, and nothing is attached until nobody hears music."""
    scene = heard(world)
    world.wait(700)
    for party in (first, not first):
        world.hold(scene, by_agent=party)
        world.wait(700)
    world.over(scene)
    world.wait(70_000)
    said = ["one_moment"] if first is AGENT else []
    assert world.said() == said
    assert StepKind.CALLBACK_OFFERED not in world.kinds()
    world.resume(scene, by_agent=back)
    world.wait(700)
    assert state_of(world) is State.HELD
    if back is CALLER:  # who now hears the agent's music
        said += [] if said else ["one_moment"]
        assert world.said() == said
        world.over(scene)
        world.wait(20_000)
        said += ["still_looking"]
    assert world.said() == said
    world.over(scene)
    world.resume(scene, by_agent=not back)
    world.wait(700)
    assert state_of(world) is State.TALKING
    assert world.said() == [*said, *(["thank_you_for_waiting"] if back is CALLER else [])]


def test_one_who_comes_back_without_having_held_ends_no_hold(world: World) -> None:
    scene = heard(world)
    world.hold(scene)
    world.receive(TalkResumed(world.now, scene.parties, by_agent=False))
    assert state_of(world) is State.HELD


@pytest.mark.parametrize("back", [AGENT, CALLER], ids=["agent back first", "caller back first"])
def test_nothing_is_attached_to_a_talk_found_on_hold_until_neither_party_holds(world: World, back: bool) -> None:
    scene = world.scenes[0]
    scene.held_by = set(HeldBy)
    world.receive(TalksSeen(world.now, ((scene.parties, frozenset(HeldBy)),)))
    world.wait(5000)
    world.resume(scene, by_agent=back)
    world.wait(70_000)
    assert not of(world, commands.ArmEar)
    world.resume(scene, by_agent=not back)
    world.wait(700)
    assert [one.channel[-1] for one in of(world, commands.ArmEar)] == ["a", "c", "a"]
