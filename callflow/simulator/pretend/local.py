"""A Local channel that AMI has originated: the self-test call and the look at a prompt, of context callflow-check."""

import asyncio
from collections.abc import Callable
from functools import partial

from callflow.simulator.pretend.agi_client import AgiCall
from callflow.simulator.pretend.call import AGI, ANSWER, ARMED, SCREEN
from callflow.simulator.pretend.channel import UNKNOWN
from callflow.simulator.pretend.flavour import RING
from callflow.simulator.pretend.talk_detect import FRAME_S, SILENCE, TalkDetect, tone
from callflow.simulator.pretend.world import World

CHECK = "callflow-check"
TONE_S = 5.0
PROMPT_S = 1.0
SETTLE_S = 0.02
_ANSWERED = 4


class LocalCall:
    """One half (;1) runs extension `tone` of the check context, the other (;2) the extension that was called."""

    def __init__(self, world: World, channel: str, exten: str, variables: dict[str, str], action_id: str) -> None:
        self._world, self._action_id = world, action_id
        self._dialled = channel.partition("/")[2]
        called, _, rest = self._dialled.partition("@")
        self._called, self._context = called, rest.partition("/")[0]
        self._exten, self._variables = exten, variables
        self._timers: list[asyncio.TimerHandle] = []
        self._agi: AgiCall | None = None
        self._over = False
        self._one, self._two = world.switch.new_local(self._called, self._context)
        for half in (self._one, self._two):
            half.owner = self
        self._two.variables = dict(variables)

    def start(self) -> None:
        """Both halves begin; an extension that does not exist ends them at once."""
        events, one, two = self._world.events, self._one, self._two
        events.newchannel(one)
        two.state = RING
        events.newchannel(two)
        if self._context != CHECK or self._called not in ("s", "tone", "prompt"):
            self._respond("Failure", self._dialled_channel, 0, UNKNOWN)
            self._gone(0)
            return
        events.local_bridge(one, two, self._context, self._called)
        events.dial("DialBegin", None, one, DialString=self._dialled)
        if self._called == "s":
            two.at(SCREEN, "s", ANSWER)
        events.answered(two)
        events.answered(one)
        events.dial("DialEnd", None, one, DialStatus="ANSWER")
        self._respond("Success", one.name, _ANSWERED, one.uniqueid)
        one.at(CHECK, self._exten, 3)
        self._answered_at = self._world.clock.now()
        self._after(TONE_S, self._tone_over)
        match self._called:
            case "s":
                self._after(FRAME_S, self._screen)  # Answer() waits for the first frame
            case "prompt":
                self._prompt()
            case _:
                two.at(CHECK, "tone", 3)

    @property
    def _dialled_channel(self) -> str:
        return f"Local/{self._dialled}"

    def _respond(self, response: str, channel: str, reason: int, uniqueid: str) -> None:
        events = self._world.events
        events.originate_response(self._action_id, response, channel, CHECK, self._exten, reason, uniqueid)

    # -- extensions of the check context --------------------------------------------------------------------------

    def _screen(self) -> None:
        two, events = self._two, self._world.events
        hearing = tone() if self._exten == "tone" else SILENCE
        two.ear = TalkDetect(
            self._world.clock,
            hearing,
            self._answered_at,
            partial(events.talking_start, two),
            partial(events.talking_stop, two),
        )
        two.ear.set(ARMED, waiting=True)
        two.variables["CALLFLOW_RESULT"] = "unavailable"
        two.at(SCREEN, "s", AGI)
        arguments = "check", "1", self._variables.get("CALLFLOW_CHECK", "")
        self._agi = self._world.run_agi(
            two, arguments, self._screened, lambda prompt: None, lambda state: None, self._tone_over
        )

    def _screened(self, status: str) -> None:
        two, self._agi = self._two, None
        two.variables["AGISTATUS"] = status
        if two.ear is not None:
            two.ear.remove()
        if self._over:
            self._hang_up_both(0)
            return
        result = two.variables["CALLFLOW_RESULT"]
        if result != "silent":
            two.at(CHECK, "s", 2)
            check = two.variables.get("CALLFLOW_CHECK", "")
            self._world.events.user_event(two, "CallflowCheck", Id=check, Agi=status, Result=result)
            two.priority = 3
        self._hang_up_both(16)

    def _prompt(self) -> None:
        two = self._two
        two.at(CHECK, "prompt", 3)
        if self._world.sounds.samples(two.variables.get("CALLFLOW_PROMPT", "")) is None:
            self._after(SETTLE_S, self._prompt_missing)
        else:
            self._after(PROMPT_S, self._hang_up_both, 0)

    def _prompt_missing(self) -> None:
        two = self._two
        two.priority = 5
        prompt = two.variables.get("CALLFLOW_PROMPT", "")
        self._world.events.user_event(two, "CallflowPromptMissing", Prompt=prompt)
        two.priority = 6
        self._hang_up_both(16)

    # -- the end --------------------------------------------------------------------------------------------------

    def _tone_over(self) -> None:
        """The half that sounds the tone hangs up; a script on the other is told."""
        if self._over:
            return
        self._over = True
        if self._agi is not None:
            self._world.events.hangup_request(self._two, 16)
            self._agi.hang_up()
        else:
            self._hang_up_both(16)

    def _hang_up_both(self, cause: int) -> None:
        events, one, two = self._world.events, self._one, self._two
        events.soft_hangup_request(two)
        events.hangup_request(one, cause)
        events.hangup(two, cause)
        events.soft_hangup_request(one)
        events.hangup(one, cause)
        self._forget()

    def _gone(self, cause: int) -> None:
        self._world.events.hangup(self._two, cause)
        self._world.events.hangup(self._one, cause)
        self._forget()

    def _forget(self) -> None:
        self._over = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._world.switch.gone(self._two)
        self._world.switch.gone(self._one)

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))

    # -- what AMI does to it --------------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        if self._agi is not None:
            self._agi.stop_playback()

    def soft_hangup(self, cause: int | None) -> None:
        self._tone_over()

    def redirect(self, context: str, exten: str) -> bool:
        return False
