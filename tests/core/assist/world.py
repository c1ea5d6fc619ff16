"""Two assisted talks and the people in them: feeds the core with any events, and checks what it wants done."""

from dataclasses import dataclass, field

from callflow.core import commands, events
from callflow.core.assist.actions import Action, ActionAnswer, ActionCarried, ActionWanted, Door
from callflow.core.assist.assistant import Assistant
from callflow.core.assist.commands import (
    AnswerAction,
    AssistCommand,
    CheckHold,
    Consult,
    EndCall,
    PartCaller,
    PauseAgent,
    ReturnCaller,
    SaveStep,
    Say,
    SetLoudness,
    StopSaying,
)
from callflow.core.assist.facts import (
    AssistEvent,
    CallerParted,
    GoodbyeSpoken,
    HoldChecked,
    Outcome,
    PartingFailed,
    PromptOver,
)
from callflow.core.assist.rules import (
    AGENT_NUISANCE_LADDER,
    AGENT_QUIET_LADDER,
    AGENT_SILENT_LADDER,
    AssistRules,
)
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.heard import Heard
from callflow.core.profile import QUIET_LADDER, SILENT_LADDER, Assist, Mode, Procedures, Profile
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkHeld, TalkParties, TalkResumed

START_MS = 1_000_000
SILENCE_MS, MIN_SPEECH_MS = 160, 40
STEP_MS = 20
RULES = AssistRules()
EarCommand = (
    commands.ArmEar
    | commands.OpenTap
    | commands.StopListening
    | commands.CountPackets
    | commands.BeginWindow
    | commands.JudgeWindow
    | commands.SetGain
)


def procedures(
    assist: Assist = Assist.ACT, mode: Mode = Mode.ACT, supervisor: str = "", **profile: object
) -> Procedures:
    ladders = {
        "silent": SILENT_LADDER,
        "quiet": QUIET_LADDER,
        "agent_silent": AGENT_SILENT_LADDER,
        "agent_quiet": AGENT_QUIET_LADDER,
        "agent_nuisance": AGENT_NUISANCE_LADDER,
    }
    default = Profile.model_validate({"assist": assist, "mode": mode, "supervisor": supervisor} | profile)
    return Procedures(
        profiles={"default": default},
        ladders=ladders,
        languages=("en",),
        default_language="en",
        max_calls=100,
        max_lag_s=0.4,
    )


def parties(name: str, caller_number: str) -> TalkParties:
    return TalkParties(
        call_id=f"{name}c",
        caller_uniqueid=f"{name}c",
        caller_channel=f"PJSIP/{name}-0000000c",
        agent_uniqueid=f"{name}a",
        agent_channel=f"PJSIP/{name}-0000000a",
        agent={"x": "8001", "y": "8003"}[name],
        queue="support",
        line="",
        originated=False,
        caller_number=caller_number,
    )


@dataclass
class Person:
    """One party, as Asterisk hears them."""

    uniqueid: str
    sound_from: int | None = None
    silent_since: int = START_MS
    spoke_after: int | None = None
    """After how many events of the world speech last was beyond doubt, or ended: two may share a millisecond."""

    def is_speaking(self, now: int) -> bool:
        return self.sound_from is not None and now - self.sound_from >= SILENCE_MS + MIN_SPEECH_MS


@dataclass
class Scene:
    """One talk."""

    parties: TalkParties
    caller: Person
    agent: Person
    talk_id: str = ""
    saying: dict[str, Say] = field(default_factory=dict)
    stopping: dict[str, Say] = field(default_factory=dict)
    """Hung up: they sound no more, and Asterisk has yet to tell so."""
    redirecting: bool = False
    parted_after: int | None = None
    goodbye_told: bool = False
    """The dialplan tells once of its end, or that it could not be played."""
    goodbye_heard: bool = False
    held_by: set[HeldBy] = field(default_factory=set)
    hooked: set[str] = field(default_factory=set)
    """Channels on which TALK_DETECT is set."""
    kept_simple: bool = True
    """Something was attached all the time that the music plays: what is attached now does not end it."""
    tapped: bool = False
    """A tap of the caller is open, or asked for."""
    nuisance_after: int | None = None
    """The agent has called it a nuisance then: who spoke before may be hung up on."""
    hears: Heard | None = Heard.DIGITAL_SILENCE
    """`quiet`: a voice of `low_dbov`."""
    low_dbov: float = -45.0
    verified: bool = True

    @property
    def held(self) -> bool:
        return bool(self.held_by)

    @property
    def people(self) -> tuple[Person, Person]:
        return self.caller, self.agent

    def channel_of(self, person: Person) -> str:
        return self.parties.caller_channel if person is self.caller else self.parties.agent_channel

    @property
    def channels(self) -> tuple[str, str]:
        return self.parties.caller_channel, self.parties.agent_channel


class World:
    """Knows the truth; every command of the core is checked against it."""

    def __init__(
        self,
        assist: Assist = Assist.ACT,
        mode: Mode = Mode.ACT,
        *,
        may_go_deaf: bool = True,
        supervisor: str = "",
        caller_number: str = "",
        **profile: object,
    ) -> None:
        self.assistant = Assistant(procedures(assist, mode, supervisor, **profile), RULES)
        self.now = START_MS
        self.happened = 0
        self.scenes = [self._scene(name, caller_number) for name in ("x", "y")]
        self.asterisk_refuses, self.asterisk_answers = False, True
        self.requests = 0
        self.answers = self.ears_answer = True
        self.taps_open = True
        self.gain_refused = False
        self.asked: list[tuple[Scene, commands.JudgeWindow | commands.FenceEvents | CheckHold]] = []
        self.issued: list[AssistCommand] = []
        self.steps: list[AssistStep] = []
        self.pretends, self.may_go_deaf = mode is Mode.OBSERVE, may_go_deaf
        self.receive(events.LinkUp(self.now, may_go_deaf))
        self.receive(events.SoundStarted("z", self.now))

    def _scene(self, name: str, caller_number: str) -> Scene:
        return Scene(parties(name, caller_number), Person(f"{name}c"), Person(f"{name}a"))

    # -- what happens -----------------------------------------------------------------------------------------------

    def receive(self, event: AssistEvent) -> None:
        self.happened += 1
        self._take(self.assistant.receive(event, self.now))

    def wait(self, ms: int) -> None:
        """Let time pass, from deadline to deadline."""
        until = self.now + ms
        for _ in range(10_000):
            due = self.assistant.next_deadline()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self._take(self.assistant.expire(self.now))
        else:
            raise AssertionError("the core is never content")
        self.now = until

    def begin(self, scene: Scene) -> None:
        scene.nuisance_after = None
        scene.hooked.clear()
        scene.goodbye_told = scene.goodbye_heard = False
        scene.held_by.clear()
        scene.talk_id, scene.parted_after, scene.redirecting = "", None, False
        for person in scene.people:
            person.sound_from, person.spoke_after, person.silent_since = None, None, self.now
        self.receive(TalkBegan(self.now, scene.parties))

    def sound(self, person: Person) -> None:
        """This person begins to make a sound."""
        if person.sound_from is None:
            person.sound_from = self.now
            self.receive(events.SoundStarted(person.uniqueid, self.now))

    def quiet(self, person: Person) -> None:
        """The sound ended so long ago that Asterisk tells of it now."""
        if person.sound_from is None:
            return
        length = max(0, self.now - person.sound_from - SILENCE_MS)
        person.sound_from, person.silent_since = None, self.now - SILENCE_MS
        if length >= MIN_SPEECH_MS:
            person.spoke_after = self.happened
        self.receive(events.SoundEnded(person.uniqueid, self.now, length))

    def speak(self, person: Person, ms: int) -> None:
        self.sound(person)
        self.wait(ms + SILENCE_MS)
        self.quiet(person)

    def press(self, scene: Scene, key: str = "1", *, by_info: bool = False) -> None:
        """The caller presses a key and releases it; of one by SIP INFO Asterisk tells only the end."""
        scene.caller.spoke_after = self.happened
        for released in (False, True):
            if released or not by_info:
                self.receive(events.KeyPressed(scene.caller.uniqueid, key, self.now, released))

    def hold(self, scene: Scene, *, by_agent: bool = True) -> None:
        party = HeldBy.AGENT if by_agent else HeldBy.CALLER
        if scene.parted_after is None and party not in scene.held_by:
            if not scene.held:
                scene.kept_simple = bool(scene.hooked)
            scene.held_by.add(party)
            scene.nuisance_after = None
            self.receive(TalkHeld(self.now, scene.parties, by_agent))

    def resume(self, scene: Scene, *, by_agent: bool = True) -> None:
        party = HeldBy.AGENT if by_agent else HeldBy.CALLER
        if party in scene.held_by:
            scene.held_by.discard(party)
            self.receive(TalkResumed(self.now, scene.parties, by_agent))

    def ask(self, scene: Scene, action: Action, *, by_caller: bool = False) -> None:
        """A feature code is typed on one of the two phones."""
        self.requests += 1
        request_id = f"{scene.parties.caller_uniqueid[0]}-{'caller' if by_caller else 'agent'}-{self.requests}"
        person = scene.caller if by_caller else scene.agent
        self.receive(ActionWanted(request_id, action, Door.CODE, "", person.uniqueid))

    def over(self, scene: Scene, outcome: Outcome = Outcome.REACHED) -> None:
        """The oldest prompt of a talk comes to its end."""
        for prompts in (scene.stopping, scene.saying):
            if not prompts:
                continue
            say = prompts.pop(next(iter(prompts)))
            self.receive(PromptOver(say.talk_id, say.say_id, outcome, self.now))

    def redirected(self, scene: Scene, *, fails: bool = False) -> None:
        if not scene.redirecting:
            return
        scene.redirecting = False
        if fails:
            self.receive(PartingFailed(scene.talk_id, "no such channel"))
            return
        scene.parted_after = self.happened
        self.receive(CallerParted(scene.talk_id, self.now))
        self.receive(TalkEnded(self.now, scene.parties))

    def goodbye_spoken(self, scene: Scene, *, played: bool = True) -> None:
        begun = scene.parted_after is not None or scene.redirecting  # may be told before the redirect is answered
        if begun and not scene.goodbye_told:
            scene.goodbye_told, scene.goodbye_heard = True, played
            self.receive(GoodbyeSpoken(scene.parties.caller_uniqueid, self.now, played))

    def answer(self) -> None:
        """Asterisk answers what it was asked."""
        asked, self.asked = self.asked, []
        for scene, question in asked:
            if isinstance(question, commands.FenceEvents):
                self.receive(events.EventsFenced(question.call_id, question.fence_id))
                continue
            if isinstance(question, CheckHold):
                self.receive(HoldChecked(question.talk_id, question.check_id, scene.held))
                continue
            heard = scene.hears
            level = scene.low_dbov if heard is Heard.QUIET else -26.0 if heard is Heard.SPEECH else None
            told = Heard.SPEECH if heard is Heard.QUIET else heard  # the tap tells a voice and its level, no more
            self.receive(
                events.WindowJudged(
                    question.call_id, question.ask_id, told, level, -80.0, voice_ms=2000, verified=scene.verified
                )
            )

    # -- what is wanted ---------------------------------------------------------------------------------------------

    def _take(self, issued: list[AssistCommand]) -> None:
        self.issued += issued
        for command in issued:
            self._check(command)
        if self.answers:
            self.answer()

    def scene_of(self, talk_id: str) -> Scene:
        return next(scene for scene in self.scenes if talk_id.startswith(f"{scene.parties.caller_uniqueid}-"))

    def _check(self, command: AssistCommand) -> None:
        assert not self.pretends or not isinstance(
            command, Say | PartCaller | EndCall | ReturnCaller | commands.SetGain | SetLoudness | Consult | PauseAgent
        )
        match command:
            case SaveStep(step):
                self.steps.append(step)
            case Say():
                self._check_say(command)
            case StopSaying(say_id):
                for scene in self.scenes:
                    if (say := scene.saying.pop(say_id, None)) is not None:
                        scene.stopping[say_id] = say
            case PartCaller():
                self._check_part(command)
            case EndCall(channel):
                self._check_end(channel)
            case ReturnCaller(channel):
                scene = self._scene_by(channel)
                assert scene.parted_after is not None, "taken out of a talk without need"
            case CheckHold(talk_id):
                self.asked.append((self.scene_of(talk_id), command))
            case commands.FenceEvents():
                self.asked.append((self.scene_of(command.call_id), command))
            case SetLoudness() | Consult() | PauseAgent():
                self._check_action(command)
            case AnswerAction(answer):
                self._check_answer(answer)
            case commands.LogFault():
                raise command.error
            case _ if isinstance(command, EarCommand):
                self._check_ear(command)

    def _check_action(self, command: SetLoudness | Consult | PauseAgent) -> None:
        if isinstance(command, PauseAgent):
            name = command.request_id[:1]
            assert command.phone == f"PJSIP/{name}" or not name, "another agent's phone is paused"
        else:
            scene = self._scene_of_request(command.request_id)
            assert command.channel == scene.parties.agent_channel, "an action on a channel of another talk"
            assert scene.parted_after is None, "an action on a channel that is in no talk"
        if self.asterisk_answers and command.request_id:
            error = "no such channel" if self.asterisk_refuses else ""
            self.receive(ActionCarried(command.request_id, error))

    def _check_answer(self, answer: ActionAnswer) -> None:
        assert not (answer.done and "caller" in answer.request_id), "a code of the caller's was obeyed"
        if answer.done and answer.action == Action.NUISANCE:
            self._scene_of_request(answer.request_id).nuisance_after = self.happened

    def _scene_of_request(self, request_id: str) -> Scene:
        return next(scene for scene in self.scenes if scene.parties.caller_uniqueid[0] == request_id[0])

    def _check_ear(self, command: EarCommand) -> None:
        scene = self.scene_of(command.call_id)
        channel = getattr(command, "channel", scene.parties.caller_channel)
        assert channel in scene.channels, "an ear on a channel of another talk"
        if command.call_id.endswith("/tap"):
            scene.tapped = isinstance(command, commands.OpenTap) or (
                scene.tapped and not isinstance(command, commands.StopListening)
            )
        if isinstance(command, commands.ArmEar):
            assert not scene.held or scene.kept_simple, "hooks that are set in a native bridge end its music"
            scene.hooked.add(command.channel)
            if scene.talk_id != command.call_id.rpartition("/")[0]:
                scene.talk_id = command.call_id.rpartition("/")[0]
                scene.saying.clear()
                scene.stopping.clear()
            if self.ears_answer:
                self.receive(events.EarArmed(command.call_id))
            for person in scene.people:
                if person.sound_from is not None and command.channel == scene.channel_of(person):
                    self.receive(events.SoundStarted(person.uniqueid, self.now))
        elif isinstance(command, commands.StopListening):
            if command.disarm:
                scene.hooked.discard(channel)
                scene.kept_simple = scene.kept_simple and bool(scene.hooked)
        elif isinstance(command, commands.OpenTap):
            assert not scene.held, "a tap that is opened in a hold ends its music"
            if self.taps_open:
                self.receive(events.TapOpened(command.call_id))
        elif isinstance(command, commands.SetGain) and self.gain_refused:
            self.receive(events.GainRefused(command.call_id, "no such function"))
        elif isinstance(command, commands.SetGain):
            self.receive(events.GainSet(command.call_id, command.uniqueid, command.gain_db))
        elif isinstance(command, commands.JudgeWindow):
            self.asked.append((scene, command))

    def _check_say(self, say: Say) -> None:
        scene = self.scene_of(say.talk_id)
        assert {say.channel, say.other_channel} == set(scene.channels), "a prompt to a channel of another talk"
        assert scene.parted_after is None, "a whisper to somebody who is in no talk"
        assert not scene.saying, "two prompts at once"
        assert say.over_music is scene.held
        assert HeldBy.CALLER not in scene.held_by, "a prompt while the caller is away"
        assert not scene.held or scene.kept_simple, "a prompt in a native bridge ends its music"
        assert not (scene.held and scene.tapped), "with a tap on the channel, the caller hears no whisper over music"
        for person in (scene.caller,) if scene.held else scene.people:
            assert person.sound_from is None, "a prompt begins while somebody makes a sound"
            pause_ms = self.now - person.silent_since
            assert pause_ms >= RULES.pause_s * 1000, "a prompt begins without a pause"
        scene.saying[say.say_id] = say

    def _check_part(self, command: PartCaller) -> None:
        scene = self.scene_of(command.talk_id)
        assert command.channel == scene.parties.caller_channel
        assert scene.hears not in (Heard.SPEECH, Heard.QUIET, Heard.NOISE), "parted a caller whom the tap hears"
        assert scene.verified or not self.may_go_deaf, "parted a caller who may not have been heard"
        self._check_nobody_there(scene, scene.nuisance_after)
        scene.redirecting = True

    def _check_end(self, channel: str) -> None:
        scene = self._scene_by(channel)
        assert scene.parted_after is not None, "hung up on a caller in a talk"
        assert scene.goodbye_heard, "hung up on a caller who has heard no goodbye"
        assert scene.verified or not self.may_go_deaf, "hung up on a caller who may not have been heard"
        assert scene.hears not in (Heard.SPEECH, Heard.QUIET, Heard.NOISE), "hung up on a caller whom the tap hears"
        self._check_nobody_there(scene, scene.parted_after)

    def _check_nobody_there(self, scene: Scene, since: int | None) -> None:
        caller = scene.caller
        assert caller.sound_from is None, "a sound of the caller is under way"
        assert caller.spoke_after is None or (since is not None and caller.spoke_after < since), "the caller has spoken"

    def _scene_by(self, channel: str) -> Scene:
        return next(scene for scene in self.scenes if scene.parties.caller_channel == channel)

    def said(self) -> list[str]:
        return [command.prompt for command in self.issued if isinstance(command, Say)]

    def kinds(self) -> list[StepKind]:
        return [step.kind for step in self.steps]
